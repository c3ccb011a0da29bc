"""Numbers of words and sentences on disk."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytorch_elmo.pretraining.corpus import sentence_file
from pytorch_elmo.pretraining.corpus.sentence_file import SentenceWriter, WordNumbers, map_numbers


def written(folder, name) -> list[list[int]]:
    tokens = map_numbers(folder / f"{name}.tokens", np.int32)
    offsets = map_numbers(folder / f"{name}.offsets", np.int64)
    assert (offsets[0], offsets[-1]) == (0, len(tokens))
    return [sentence.tolist() for sentence in np.split(tokens, offsets[1:-1])] if len(offsets) > 1 else []


def test_words_are_numbered_as_they_come():
    numbers = WordNumbers()
    assert [numbers[word] for word in ("b", "a", "b", "<S>", "</S>", "c")] == [2, 3, 2, 0, 1, 4]
    assert list(numbers) == ["<S>", "</S>", "b", "a", "c"]


@settings(max_examples=30)  # each waits for the disk
@given(
    st.lists(st.tuples(st.lists(st.lists(st.integers(2, 9), min_size=1, max_size=5), max_size=4), st.booleans())),
    st.sampled_from([1, 4, 1000]),
)
def test_the_last_sentences_can_be_moved(tmp_path_factory, documents, tokens_per_block):
    folder = tmp_path_factory.mktemp("sentences")
    expected = ([], [])
    with (
        pytest.MonkeyPatch.context() as patch,
        SentenceWriter(folder, "kept") as kept,
        SentenceWriter(folder, "moved") as moved,
    ):
        patch.setattr(sentence_file, "TOKENS_PER_BLOCK", tokens_per_block)
        for document, is_moved in documents:
            for sentence in document:
                kept.add(sentence)
            if is_moved:
                kept.move_last(len(document), sum(map(len, document)), moved)
            expected[is_moved].extend(document)
    assert (written(folder, "kept"), written(folder, "moved")) == expected
    assert [writer.num_sentences for writer in (kept, moved)] == [len(part) for part in expected]
    assert [writer.num_tokens for writer in (kept, moved)] == [sum(map(len, part)) for part in expected]


def test_numbers_are_mapped_read_only(tmp_path):
    np.arange(6, dtype=np.uint16).tofile(tmp_path / "numbers")
    numbers = map_numbers(tmp_path / "numbers", np.uint16, 3)
    np.testing.assert_array_equal(numbers, [[0, 1, 2], [3, 4, 5]])
    assert type(numbers) is np.ndarray
    with pytest.raises(ValueError, match="read-only"):
        numbers[0, 0] = 1


def test_an_empty_file_has_no_rows(tmp_path):
    (tmp_path / "empty").touch()
    assert map_numbers(tmp_path / "empty", np.int32).shape == (0,)
    assert map_numbers(tmp_path / "empty", np.int32, 50).shape == (0, 50)
