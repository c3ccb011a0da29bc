"""TensorFlow's fingerprints: its own of 300 strings, and that strings do not disturb each other."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytorch_elmo.text.fingerprint64 import fingerprint64, hash_buckets


@pytest.fixture(scope="module")
def golden(test_data):
    return json.loads((test_data / "golden" / "tf" / "fingerprint64.json").read_text("utf-8"))


def test_every_string_that_tensorflow_hashed(golden):
    strings = [bytes.fromhex(text) for text in golden["hex"]]
    assert len(strings) == 300
    assert [str(value) for value in fingerprint64(strings)] == golden["fingerprint64"]
    assert len(golden["buckets"]) == 11
    for num_buckets, expected in golden["buckets"].items():
        found = hash_buckets(strings, int(num_buckets))
        assert found.dtype == np.int64
        assert found.tolist() == expected


@pytest.mark.parametrize(
    ("string", "expected"),
    [
        (b"", 11160318154034397263),
        (b"a", 12917804110809363939),
        (b"the", 7003889267569045354),
        (b"coronavirus", 17327410562199144351),
    ],
)
def test_published_ones(string, expected):
    assert fingerprint64([string]).tolist() == [expected]


def test_no_string():
    assert fingerprint64([]).dtype == np.uint64
    assert hash_buckets([], 5).tolist() == []


@given(st.lists(st.binary(max_size=300), max_size=12))
def test_each_alone_is_as_among_others(strings):
    alone = [fingerprint64([string])[0] for string in strings]
    assert fingerprint64(strings).tolist() == alone


def test_a_long_string():
    """A megabyte; a byte in its middle counts."""
    content = bytes(range(256)) * 4096
    changed = content[:500_000] + b"\0" + content[500_001:]
    first, second = fingerprint64([content, changed]).tolist()
    assert first != second
