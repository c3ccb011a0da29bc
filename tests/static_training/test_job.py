"""One folder, from texts to files of vectors."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from damage import with_a_changed_bit
from pytorch_elmo.errors import ConfigurationError, TextError
from pytorch_elmo.progress import SilentProgress
from pytorch_elmo.static_embeddings import TextEmbedding, WordVectors
from pytorch_elmo.static_training.config import CountingConfig, SwivelConfig
from pytorch_elmo.static_training.job import COUNTS, DESCRIPTION, WORDS, prepare_counts, write_results
from pytorch_elmo.static_training.outputs import write_text_embedding
from pytorch_elmo.static_training.submatrices import Submatrices
from pytorch_elmo.static_training.trainer import SwivelTrainer

CONFIG = CountingConfig(min_count=2, submatrix_size=3)
TEXT = "the cat sat on the mat\n\nthe dog sat\nthe cat ran\nthe mat lay on the cat\n"
EXPECTED_WORDS = [("the", 6), ("cat", 3), ("mat", 2), ("on", 2), ("sat", 2)]


class Reports:
    def step_done(self):
        pass

    def epoch_done(self, epoch, loss):
        pass


@pytest.fixture
def texts(tmp_path, monkeypatch) -> list[str]:
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_text(TEXT, encoding="utf-8")
    Path("b.txt.gz").write_bytes(gzip.compress(b"the unknown\n"))
    return ["a.txt", "b.txt.gz"]


def prepare(texts, config=CONFIG):
    prepare_counts(texts, Path("run"), config, SilentProgress())


def test_texts_become_words_and_counts(texts):
    prepare(texts)
    assert Path("run", WORDS).read_text() == "the 7\ncat 3\nmat 2\non 2\nsat 2\n"
    counts = Submatrices(Path("run", COUNTS))
    assert counts.description["num_tokens"] == 20
    assert counts.description["num_tokens_in_vocabulary"] == 16
    assert [text["name"] for text in counts.description["texts"]] == texts
    assert len(counts.description["texts"][0]["sha256"][0]) == 64
    # "the" and "cat" stand side by side on three lines, and on two of them once more.
    assert counts.read(0, 1).counts[0] == pytest.approx(1 + 1 / 3 + 1 + 1 + 1 / 5)
    assert sorted(path.name for path in Path("run").iterdir()) == ["counts.bin", COUNTS, WORDS]


def test_what_a_killed_call_left_is_removed(texts):
    for name in (".word-counts-abc", ".pair-counts-xyz"):
        Path("run", ".runs", name).mkdir(parents=True)
        Path("run", ".runs", name, "0-keys").write_bytes(b"12345678")
    prepare(texts)
    assert sorted(path.name for path in Path("run").iterdir()) == ["counts.bin", COUNTS, WORDS]


def test_counts_that_are_there_are_taken(texts):
    prepare(texts)
    before = Path("run", COUNTS).stat().st_mtime_ns
    prepare(texts)
    assert Path("run", COUNTS).stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda texts: (texts, replace(CONFIG, window=5)),
            "run holds counts with window 10, now it is 5; restore the",
        ),
        (lambda texts: (texts, replace(CONFIG, field=None, min_count=1)), "counts with min_count 2, now it is 1"),
        (
            lambda texts: (texts[:1], CONFIG),
            r"run holds counts of 2 text\(s\), got 1; name the same texts, or choose",
        ),
        (
            lambda texts: (texts[::-1], CONFIG),
            r"counts of a\.txt \(71 bytes, sha256 \w{8}\), got b\.txt\.gz \(\d+ bytes, sha256 \w{8}\); name the",
        ),
    ],
)
def test_counts_of_something_else_are_refused(texts, change, message):
    prepare(texts)
    with pytest.raises(ConfigurationError, match=message):
        prepare(*change(texts))


def test_texts_that_changed_without_growing_are_refused(texts):
    prepare(texts)
    path = Path("a.txt")
    path.write_bytes(path.read_bytes().swapcase())
    with pytest.raises(ConfigurationError, match=r"counts of a\.txt \(71 bytes, sha256 (\w{8})\), got a\.txt \(71 b"):
        prepare(texts)


def test_counts_that_are_damaged_are_refused(texts):
    prepare(texts)
    path, refusal = Path("run", "counts.bin"), r"^run/counts\.json and counts\.bin must hold counts of pairs, got: "
    content = path.read_bytes()
    for damaged in (b"", content[:-1], *with_a_changed_bit(content, 20)):
        path.write_bytes(damaged)
        with pytest.raises(TextError, match=refusal + ".*written together.*; remove them to count anew$"):
            prepare(texts)
    path.unlink()
    with pytest.raises(TextError, match=refusal + ".*No such file.*; remove them to count anew$"):
        prepare(texts)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": "another", "version": 1, "sha256": ""}'])
def test_another_file_is_no_file_of_counts(texts, content):
    prepare(texts)
    Path("run", COUNTS).write_text(content)
    with pytest.raises(
        TextError, match=r"run/counts\.json and counts\.bin must hold counts of pairs, got: .*; remove them"
    ):
        prepare(texts)


def test_results_are_read_by_word_vectors(texts):
    prepare(texts)
    counts = Submatrices(Path("run", COUNTS))
    trainer = SwivelTrainer(counts, SwivelConfig(dim=6, num_epochs=2))
    trainer.run(Path("run"), Reports())
    write_results(trainer, counts, Path("run"), dtype=torch.float16)
    vectors = WordVectors.from_file(Path("run", "vectors.txt.gz"))
    assert vectors.words == [word for word, _ in EXPECTED_WORDS]
    torch.testing.assert_close(vectors.embedding_matrix[2:].detach(), trainer.vectors(), rtol=1e-5, atol=1e-7)
    document = json.loads(Path("run", DESCRIPTION).read_text("utf-8"))
    assert document["losses"] == trainer.losses
    assert document["training"]["dim"] == 6
    assert document["counting"]["config"]["min_count"] == 2
    assert document["num_words"] == 5

    embedding = TextEmbedding.load(Path("run", "text_embedding"))
    assert embedding.vocabulary == vectors.words
    sentence = (trainer.vectors()[0] + trainer.vectors()[2]) / 2**0.5
    torch.testing.assert_close(embedding(["the mat"])[0].detach(), sentence, rtol=1e-2, atol=1e-3)
    assert not embedding.settings.remove_punctuation


def test_the_rarest_words_stand_for_unknown_ones(tmp_path):
    vectors = torch.from_numpy(np.random.default_rng(0).normal(size=(80, 3))).float()
    words = [f"w{number}" for number in range(80)]
    for count, expected in ((80, (vectors[78] + vectors[79]) / 2), (3, vectors[2])):
        write_text_embedding(words[:count], vectors[:count], tmp_path, remove_punctuation=True, dtype=torch.float32)
        embedding = TextEmbedding.load(tmp_path)
        torch.testing.assert_close(embedding(["unknown"])[0].detach(), expected)
        assert torch.equal(embedding(["w,0!"])[0].detach(), vectors[0])
        assert embedding.settings.combiner == "sqrtn"
