import h5py
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytorch_elmo.errors import TextError
from pytorch_elmo.storage.keys import path_of_key, refuse_conflict

KEYS = st.text(alphabet="ab./ü ", max_size=6)


@pytest.mark.parametrize("key", [".", "/", "", "././/"])
def test_a_key_must_name_something(key):
    with pytest.raises(TextError, match=r"must name something, got '.*' in line 3; leave out --use-sentence-keys"):
        path_of_key(key, 2)


def test_a_key_holds_no_nul():
    with pytest.raises(TextError, match=r"cannot hold a NUL, got 'a\\x00b' in line 1; leave out --use-sentence-keys"):
        path_of_key("a\0b", 0)


@given(KEYS)
def test_hdf5_finds_the_path_by_the_key(key):
    if not key.strip("./"):
        return
    with h5py.File("unused", "w", driver="core", backing_store=False) as file:
        file[path_of_key(key, 0)] = 1
        assert file[key][()] == 1


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (["x", "a b", "c", "a b"], r"lines 2 and 4 are the same: 'a b' and 'a b'"),
        (["a/b", "/a//b"], r"lines 1 and 2 are the same"),
        (["and", "and/or"], r"lines 1 and 2 would be a dataset and a group of one name"),
        (["a/b", "a"], r"lines 1 and 2 would be a dataset and a group of one name"),
    ],
)
def test_conflicts_name_both_lines(keys, message):
    with pytest.raises(TextError, match=f"{message}.*; leave out --use-sentence-keys"):
        refuse_conflict(lambda: keys, len(keys) - 1)


def test_different_keys_have_no_conflict():
    refuse_conflict(lambda: ["a/b", "a/c", "b", "a c"], 3)
