"""Pairs counted in chunks, spilled and added up: the same counts as pair by pair."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytorch_elmo.errors import TextError
from pytorch_elmo.static_training.blocks import Blocks
from pytorch_elmo.static_training.pair_counts import PairCounter
from pytorch_elmo.static_training.submatrices import Submatrices, write_submatrices
from reference.swivel import reference_counts

WORDS = list("abcdefg")
LINES = st.lists(st.lists(st.sampled_from([*WORDS, "?", "!"]), max_size=12), max_size=8)


def matrix_of(submatrices: Submatrices) -> np.ndarray:
    """The whole matrix from the submatrices that are stored."""
    blocks = submatrices.blocks
    matrix = np.zeros((blocks.num_words, blocks.num_words))
    for row_block, column_block in blocks.stored_pairs():
        part = np.zeros(blocks.shape(row_block, column_block))
        cells = submatrices.read(row_block, column_block)
        part.flat[cells.positions] = cells.counts
        matrix[blocks.words_of(row_block), blocks.words_of(column_block)] = part
        matrix[blocks.words_of(column_block), blocks.words_of(row_block)] = part.T
    return matrix


def count(folder, lines, words, *, window, submatrix_size, pairs_in_memory):
    blocks = Blocks.of_size(len(words), submatrix_size)
    with PairCounter(folder, blocks, window=window, pairs_in_memory=pairs_in_memory) as counter:
        num_tokens = counter.count(lines, {word: number for number, word in enumerate(words)})
        runs = counter.runs()
        write_submatrices(folder / "counts.json", runs, blocks, {"num_tokens": num_tokens})
    assert sorted(path.name for path in folder.iterdir()) == ["counts.bin", "counts.json"]
    return len(runs)


@settings(max_examples=60)  # each waits for the disk
@given(LINES, st.integers(1, 7), st.integers(1, 12), st.integers(1, 9), st.integers(1, 60))
def test_any_bound_and_any_cut_give_what_counting_pair_by_pair_gives(
    tmp_path_factory, lines, num_words, window, submatrix_size, pairs_in_memory
):
    folder, words = tmp_path_factory.mktemp("pairs"), WORDS[:num_words]
    expected = reference_counts(lines, words, window)
    bounds = {"window": window, "submatrix_size": submatrix_size, "pairs_in_memory": pairs_in_memory}
    if not expected.any():
        with pytest.raises(TextError, match="need words that stand beside others, the text has none; give longer"):
            count(folder, lines, words, **bounds)
        assert list(folder.iterdir()) == []
        return
    count(folder, lines, words, **bounds)
    found = Submatrices(folder / "counts.json")
    np.testing.assert_allclose(matrix_of(found), expected, rtol=1e-6)
    np.testing.assert_allclose(found.sums, expected.sum(axis=1), rtol=1e-12)
    assert found.num_pairs == np.count_nonzero(expected)
    assert found.description == {"num_tokens": sum(map(len, lines))}


def test_small_memory_means_many_runs(tmp_path):
    lines = [list("abcabcab"), list("cab")] * 5
    assert count(tmp_path, lines, WORDS[:3], window=2, submatrix_size=2, pairs_in_memory=8) > 10


def test_memory_does_not_grow_with_the_text(tmp_path):
    def peak(num_lines):
        """Bytes held at most, by what holds a pair in memory."""
        words, choose = [f"w{number}" for number in range(500)], np.random.default_rng(0)
        lines = ([words[rank] for rank in choose.integers(0, 500, 50)] for _ in range(num_lines))
        folder = tmp_path / str(num_lines)
        folder.mkdir()
        tracemalloc.start()
        try:
            num_runs = count(folder, lines, words, window=10, submatrix_size=100, pairs_in_memory=50_000)
            return num_runs, tracemalloc.get_traced_memory()[1] / 50_000
        finally:
            tracemalloc.stop()

    (few, before), (many, after) = peak(400), peak(3200)
    assert (few, many) == (4, 32)
    assert after < 1.2 * before
    assert after < 60
