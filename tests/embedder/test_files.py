"""`ElmoEmbedder.embed_file`: a text in, a layer file out."""

import numpy as np
import pytest

from originals import committed_texts, read_committed
from pytorch_elmo import ElmoEmbedder
from pytorch_elmo.storage import LayerFileReader

SENTENCES = [sentence for sentence in committed_texts()["batches"]["mixed"] if sentence]


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("".join(" ".join(sentence) + "\n" for sentence in SENTENCES), encoding="utf-8")
    return path


def embedder_of(**arguments) -> ElmoEmbedder:
    return ElmoEmbedder(model=read_committed("clipped"), **arguments)


@pytest.mark.parametrize("stateful", [False, True])
def test_a_file_holds_what_the_next_call_would_give(text, tmp_path, stateful):
    """Also after other calls: a stateful embedder goes on from them."""
    by_file, by_call = embedder_of(stateful=stateful), embedder_of(stateful=stateful)
    for embedder in (by_file, by_call):
        embedder.embed_batch([["the", "sea"], ["storm"]])
    by_file.embed_file(text, tmp_path / "out.hdf5", batch_size=2)
    expected = list(by_call.embed_sentences(SENTENCES, batch_size=2))
    with LayerFileReader(tmp_path / "out.hdf5") as reader:
        assert len(reader) == len(expected)
        for ours, theirs in zip(reader, expected, strict=True):
            assert np.array_equal(ours, theirs)
    fresh = embedder_of(stateful=stateful).embed_sentence(SENTENCES[0])
    assert (np.abs(expected[0] - fresh).max() > 1e-3) == stateful
