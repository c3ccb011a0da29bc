"""Files appear whole or not at all."""

import hashlib
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytorch_elmo.files import sha256_of, sync_folder, whole_file


@pytest.fixture
def target(tmp_path):
    return tmp_path / "target.txt"


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_name_appears_when_the_block_ends(target):
    with whole_file(target) as partial:
        partial.write_text("new")
        assert partial.parent == target.parent
        assert not target.exists()
    assert target.read_text() == "new"
    assert names_in(target.parent) == ["target.txt"]


def test_an_error_leaves_the_old_file_and_nothing_else(target):
    target.write_text("old")
    with pytest.raises(KeyboardInterrupt), whole_file(target) as partial:  # noqa: PT012
        partial.write_text("half")
        raise KeyboardInterrupt
    assert target.read_text() == "old"
    assert names_in(target.parent) == ["target.txt"]


def test_others_may_read_it_whoever_wrote_it(target):
    """Some writers put a private file of their own in place of the one that they were given."""
    before = os.umask(0o022)
    try:
        with whole_file(target) as partial:
            private = partial.with_name("private")
            private.touch(mode=0o600)
            private.replace(partial)
    finally:
        os.umask(before)
    assert target.stat().st_mode & 0o777 == 0o644


def test_an_old_file_is_replaced(target):
    target.write_text("old and long")
    with whole_file(target) as partial:
        partial.write_text("new")
    assert target.read_text() == "new"


def test_the_bytes_reach_the_disk_before_the_name(target, monkeypatch):
    """What a power failure would leave is not seen in a test; the order of the calls is."""
    calls = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda descriptor: calls.append("fsync") or fsync(descriptor))
    monkeypatch.setattr(os, "replace", lambda *paths: calls.append("replace") or replace(*paths))
    with whole_file(target) as partial:
        partial.write_text("new")
    assert calls == ["fsync", "replace", "fsync"]


def test_two_processes_do_not_write_to_one_partial_file(target, monkeypatch):
    with whole_file(target) as ours:
        monkeypatch.setattr(os, "getpid", lambda: 1)
        with whole_file(target) as theirs:
            assert ours != theirs
            theirs.write_text("theirs")
        ours.write_text("ours")
    assert target.read_text() == "ours"


def test_sync_of_a_folder_that_is_gone(tmp_path):
    with pytest.raises(FileNotFoundError, match="gone"):
        sync_folder(tmp_path / "gone")


@settings(max_examples=15)
@given(st.binary(max_size=100), st.sampled_from([0, 1, (1 << 20) - 50, 1 << 20]))
def test_sha256(tmp_path_factory, content, padding):
    path = tmp_path_factory.mktemp("hash") / "file"
    path.write_bytes(content + b"\0" * padding)
    assert sha256_of(path) == hashlib.sha256(content + b"\0" * padding).hexdigest()
