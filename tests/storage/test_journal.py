import json
import os

import pytest

from pytorch_elmo.errors import LayerFileError
from pytorch_elmo.storage.journal import Journal, read_journal

MANIFEST = {"num_sentences": 6, "model": "größer"}
IDENTITY = {"settings": "5f3e"}


@pytest.fixture
def path(tmp_path):
    """A journal of three commits."""
    path = tmp_path / "out.hdf5.partial.journal"
    journal = Journal.begin(path, manifest=MANIFEST, identity=IDENTITY)
    journal.commit(batches_done=1, written=[3, 0], extra=None)
    journal.commit(batches_done=2, written=[], extra={"document": 7})
    journal.commit(batches_done=5, written=[5], extra={"document": 8})
    journal.close()
    return path


def test_commits_add_up(path):
    contents = read_journal(path)
    assert contents.manifest == MANIFEST
    assert contents.identity == IDENTITY
    assert contents.written.tolist() == [True, False, False, True, False, True]
    assert contents.batches_done == 5
    assert contents.extra == {"document": 8}
    assert contents.num_bytes == path.stat().st_size


def test_lines_are_json(path):
    records = [json.loads(line)[1] for line in path.read_text("ascii").splitlines()]
    assert records[0] == {"journal_version": 1, "manifest": MANIFEST, "identity": IDENTITY}
    assert records[2] == {"batches_done": 2, "written": [], "extra": {"document": 7}}


def test_a_new_journal_has_nothing_done(tmp_path):
    Journal.begin(tmp_path / "journal", manifest=MANIFEST, identity=IDENTITY).close()
    contents = read_journal(tmp_path / "journal")
    assert (contents.batches_done, contents.extra, contents.written.any()) == (0, None, False)


def test_a_line_counts_when_all_of_it_is_there(path):
    whole = path.read_bytes()
    ends = [position + 1 for position, byte in enumerate(whole) if byte == ord("\n")]
    for length in range(ends[0], len(whole) + 1):
        path.write_bytes(whole[:length])
        num_commits = sum(end <= length for end in ends[1:])
        contents = read_journal(path)
        assert contents.batches_done == [0, 1, 2, 5][num_commits]
        assert contents.num_bytes == ends[num_commits]


def test_nothing_counts_from_the_first_damaged_line_on(path):
    whole = path.read_bytes()
    first_end = whole.index(b"\n") + 1
    second_end = whole.index(b"\n", first_end) + 1
    for position in range(first_end, second_end):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[position] ^= 1 << bit
            path.write_bytes(damaged)
            contents = read_journal(path)
            assert (contents.batches_done, contents.num_bytes) == (0, first_end)


def test_going_on_cuts_off_a_torn_line(path):
    whole = path.read_bytes()
    path.write_bytes(whole + b'["00000000",{"batches_done": 6, "written": [1, 2, 3, 4], "ext')
    journal = Journal(path, read_journal(path).num_bytes)
    journal.commit(batches_done=6, written=[1], extra=None)
    journal.close()
    contents = read_journal(path)
    assert contents.batches_done == 6
    assert contents.written.tolist() == [True, True, False, True, False, True]
    assert contents.num_bytes == path.stat().st_size


def test_a_commit_that_does_not_fit_leaves_the_journal_as_it_was(path, monkeypatch):
    whole = path.read_bytes()
    journal = Journal(path, len(whole))
    pwrite = os.pwrite

    def write_half(descriptor, content, offset):
        if len(content) < 30:
            raise OSError(28, "No space left on device")
        return pwrite(descriptor, content[: len(content) // 2], offset)

    with monkeypatch.context() as full_disk:
        full_disk.setattr(os, "pwrite", write_half)
        with pytest.raises(OSError, match="No space left"):
            journal.commit(batches_done=6, written=[1, 2], extra={"document": "9" * 100})
    assert path.read_bytes() == whole
    journal.commit(batches_done=7, written=[1], extra=None)
    journal.close()
    assert read_journal(path).batches_done == 7


def test_a_missing_journal_is_an_error(tmp_path):
    with pytest.raises(LayerFileError, match=r"needs its journal, but .*gone is missing; start again"):
        read_journal(tmp_path / "gone")


@pytest.mark.parametrize("content", [b"", b"not a journal\n", b'["00000000",{}]\n'])
def test_a_journal_without_a_beginning_is_an_error(tmp_path, content):
    (tmp_path / "journal").write_bytes(content)
    with pytest.raises(LayerFileError, match=r"begin with version 1, but .*journal has None; start again"):
        read_journal(tmp_path / "journal")


def test_another_version_is_refused(path, monkeypatch):
    monkeypatch.setattr("pytorch_elmo.storage.journal.JOURNAL_VERSION", 2)
    with pytest.raises(LayerFileError, match=r"begin with version 2, but .*journal has 1; start again"):
        read_journal(path)
