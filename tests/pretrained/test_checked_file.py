"""Files by address and sha256: fetched once, checked always, refused otherwise."""

import pytest

from pretrained.model_server import WEIGHTS, WEIGHTS_SHA256
from pytorch_elmo.errors import ConfigurationError, DownloadError
from pytorch_elmo.pretrained.checked_file import fetch_checked


def test_a_file_is_fetched_once(server, cache, listener):
    url = f"{server.address}/tiny/weights.hdf5"
    for _ in range(2):
        path = fetch_checked(url, WEIGHTS_SHA256, progress=listener)
        assert path.read_bytes() == WEIGHTS
        assert path.is_relative_to(cache)
    assert server.requests["/tiny/weights.hdf5"] == 1
    assert listener.stages == [["fetching weights.hdf5", "B", len(WEIGHTS), len(WEIGHTS), "finished"]]


def test_the_address_does_not_matter_once_it_is_here(server, cache):
    path = fetch_checked(f"{server.address}/tiny/weights.hdf5", WEIGHTS_SHA256)
    assert fetch_checked("http://nowhere.invalid/else", WEIGHTS_SHA256) == path


def test_no_hash(server, cache):
    with pytest.raises(
        DownloadError, match=r"a file from the network must be checked, http.* without its sha256; give"
    ):
        fetch_checked(f"{server.address}/tiny/weights.hdf5", None)
    with pytest.raises(ConfigurationError, match=r"a sha256 is 64 digits of 0-9 and a-f, got 'abc'; print it"):
        fetch_checked(f"{server.address}/tiny/weights.hdf5", "abc")
    assert not server.requests


def test_another_file(server, cache):
    with pytest.raises(DownloadError, match=r"weights\.hdf5: the file must have sha256 0{64}, it has [0-9a-f]{64}"):
        fetch_checked(f"{server.address}/tiny/weights.hdf5", "0" * 64)
    assert not [path for path in cache.rglob("*") if path.is_file() and path.name != "lock"]


def test_a_file_that_changed_in_the_cache(server, cache):
    path = fetch_checked(f"{server.address}/tiny/weights.hdf5", WEIGHTS_SHA256)
    path.write_bytes(b"other")
    with pytest.raises(DownloadError, match=rf"{WEIGHTS_SHA256}: the file must have sha256 .*, it has .*; remove it"):
        fetch_checked(f"{server.address}/tiny/weights.hdf5", WEIGHTS_SHA256)


def test_a_server_that_has_it_not(server, cache):
    with pytest.raises(DownloadError, match=r"gone: the server answers 404"):
        fetch_checked(f"{server.address}/gone", WEIGHTS_SHA256)


def test_a_cache_that_cannot_be(server, cache, tmp_path):
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(DownloadError, match=r"could not be kept in .*; set PYTORCH_ELMO_CACHE to a folder with room"):
        fetch_checked(f"{server.address}/tiny/weights.hdf5", WEIGHTS_SHA256)
