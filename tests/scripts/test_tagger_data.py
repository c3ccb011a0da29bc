"""Files of tagged sentences, and batches of them."""

import random

import pytest
import torch

from pytorch_elmo.errors import TextError
from tagger import data as tagger_data

NumberedSentence = tagger_data.NumberedSentence


def write(tmp_path, content: bytes):
    path = tmp_path / "train.tsv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_blank_lines_divide_sentences(tmp_path, end):
    lines = [b"", b"Selegiline\tB-Chemical", b"-\tO", b"", b"", "naïve\u0085\tI-X Y".encode(), b""]
    assert tagger_data.read_tagged(write(tmp_path, end.join(lines))) == [
        (["Selegiline", "-"], ["B-Chemical", "O"]),
        (["naïve\u0085"], ["I-X Y"]),
    ]


@pytest.mark.parametrize("line", ["a", "a\t", "\tO", "a\tX", "a\tB-", "a\tO\tO", "a O", "a\tE-X"])
def test_other_lines_are_refused_by_number(tmp_path, line):
    message = (
        r"train\.tsv, line 2: a line must be a token, a tab and a tag .* got '.*'; mend it or leave a blank line"
    )
    with pytest.raises(TextError, match=message):
        tagger_data.read_tagged(write(tmp_path, f"a\tO\n{line}\n".encode()))


def test_files_that_hold_no_sentences_are_refused(tmp_path):
    with pytest.raises(
        TextError, match=r"train\.tsv: a split must hold at least one sentence, got none; give another"
    ):
        tagger_data.read_tagged(write(tmp_path, b"\n\n"))
    with pytest.raises(TextError, match=r"train\.tsv: tagged sentences must be UTF-8, got invalid start .*; convert"):
        tagger_data.read_tagged(write(tmp_path, b"\xff\tO\n"))
    with pytest.raises(TextError, match=r"cannot read the tagged sentences .*dev\.tsv: No such file or directory"):
        tagger_data.read_splits(write(tmp_path, b"a\tO\n").parent)


def numbered(lengths, num_layers=2, dim=3):
    return [
        NumberedSentence(
            word_ids=torch.full((length,), index + 1),
            tag_ids=torch.full((length,), 10 + index),
            layers=torch.full((num_layers, length, dim), index + 0.5, dtype=torch.float16) if num_layers else None,
        )
        for index, length in enumerate(lengths)
    ]


def test_a_batch_is_padded_to_its_longest_sentence():
    batch = tagger_data.pad(numbered([1, 3]))
    assert batch.word_ids.tolist() == [[1, 0, 0], [2, 2, 2]]
    assert batch.tag_ids.tolist() == [[10, -100, -100], [11, 11, 11]]
    assert batch.lengths.tolist() == [1, 3]
    assert batch.layers.shape == (2, 2, 3, 3)
    assert batch.layers.dtype == torch.float32
    assert batch.layers[:, 0, 0].unique().tolist() == [0.5]
    assert batch.layers[:, 0, 1:].unique().tolist() == [0.0]
    assert batch.layers[:, 1].unique().tolist() == [1.5]
    assert tagger_data.pad(numbered([1, 3], num_layers=0)).layers is None


def test_an_epoch_holds_every_sentence_once_beside_its_like():
    sentences = numbered([index % 10 + 1 for index in range(95)])
    order = random.Random(0)
    first, second = (list(tagger_data.batches(sentences, 10, order)) for _ in range(2))
    for epoch in (first, second):
        seen = [int(row[0]) for batch in epoch for row in batch.word_ids]
        assert sorted(seen) == list(range(1, 96))
        assert sorted(len(batch.lengths) for batch in epoch) == [5] + [10] * 9
        assert all(int(batch.lengths.max() - batch.lengths.min()) <= 1 for batch in epoch)
        longest = [int(batch.lengths.max()) for batch in epoch]
        assert longest != sorted(longest)
    assert [batch.word_ids.tolist() for batch in first] != [batch.word_ids.tolist() for batch in second]
