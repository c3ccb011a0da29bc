"""The check sum against known values and against one computed bit by bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import slow_bundle
from pytorch_elmo.formats.crc32c import crc32c, masked_crc32c


@pytest.mark.parametrize(
    ("content", "expected"),
    [  # RFC 3720, section B.4, and the usual check value
        (b"", 0),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(reversed(range(32))), 0x113FDB5C),
    ],
)
def test_published_values(content, expected):
    assert crc32c(content) == expected


@pytest.mark.parametrize("size", [1, 1023, 1024, 1027, 4096, 65535, 65536, 65540, 200_003])
def test_sizes_around_the_lanes(size):
    content = np.random.default_rng(size).integers(0, 256, size, dtype=np.uint8)
    expected = slow_bundle.crc32c(content.tobytes())
    assert crc32c(content) == crc32c(content.tobytes()) == expected


@given(st.binary(max_size=3000), st.integers(0, 3000))
def test_in_two_parts(content, cut):
    assert crc32c(content[cut:], before=crc32c(content[:cut])) == crc32c(content)


@given(st.integers(1024, 70_000), st.integers(0, 2**32 - 1))
def test_long_content_in_two_parts(size, seed):
    content = np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)
    cut = seed % size
    assert crc32c(content[cut:], before=crc32c(content[:cut])) == crc32c(content)


@given(st.binary(max_size=40))
def test_the_masked_form(content):
    assert masked_crc32c(content).to_bytes(4, "little") == slow_bundle.masked(content)


def test_data_that_do_not_lie_together():
    content = np.arange(20_000, dtype=np.uint32).astype(np.uint8)
    assert crc32c(content[::3]) == slow_bundle.crc32c(content[::3].tobytes())
