"""Folders, archives and addresses of SavedModels."""

import hashlib
import tarfile

import numpy as np
import pytest

from pytorch_elmo import TextEmbedding
from pytorch_elmo.errors import ConfigurationError, DownloadError, TextError, WeightsError
from slow_saved_model import KEY, text_nodes, write_saved_model
from small_archives import write_archive

NUMBERS = np.array([[1, 2], [3, 4], [5, 6]], dtype=np.float32)


@pytest.fixture
def folder(tmp_path):
    return write_saved_model(tmp_path / "model", text_nodes(), tensors={KEY: NUMBERS})


@pytest.fixture
def archive(tmp_path, folder):
    path = tmp_path / "model.tar.gz"
    with tarfile.open(path, "w:gz") as file:
        file.add(folder, arcname=".")  # as TensorFlow's hub packs it
    return path


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_an_archive(archive):
    expected = [[3, 4]]
    assert TextEmbedding.from_saved_model(archive)(["of"]).tolist() == expected
    assert TextEmbedding.from_saved_model(str(archive), sha256=sha256(archive))(["of"]).tolist() == expected
    with pytest.raises(DownloadError, match=r"model\.tar\.gz: the file must have sha256 0{64}, it has"):
        TextEmbedding.from_saved_model(archive, sha256="0" * 64)
    with pytest.raises(ConfigurationError, match=r"a sha256 is 64 digits of 0-9 and a-f, got 'abc'"):
        TextEmbedding.from_saved_model(archive, sha256="abc")


def test_an_archive_of_a_folder(tmp_path, folder):
    path = tmp_path / "one.tar"
    with tarfile.open(path, "w") as file:
        file.add(folder, arcname="model")
    assert TextEmbedding.from_saved_model(path)(["the"]).tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("members", "count"), [({"a.txt": b""}, 0), ({"a/saved_model.pb": b"", "b/saved_model.pb": b""}, 2)]
)
def test_archives_that_hold_no_model(tmp_path, members, count):
    with pytest.raises(
        WeightsError, match=rf"an archive must hold one saved_model\.pb, .* holds {count}; name another"
    ):
        TextEmbedding.from_saved_model(write_archive(tmp_path / "a.tar.gz", members))


@pytest.mark.parametrize("name", ["../outside", "/outside", "variables/../../outside"])
def test_members_that_leave_the_folder(tmp_path, name):
    path = write_archive(tmp_path / "a.tar.gz", {"saved_model.pb": b"", name: b"x"})
    with pytest.raises(WeightsError, match=r"members must stay in its folder, .* does not; do not trust it"):
        TextEmbedding.from_saved_model(path)


def test_links(tmp_path):
    link = tarfile.TarInfo("assets")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc"
    path = write_archive(tmp_path / "a.tar.gz", {"saved_model.pb": b"", "": link})
    with pytest.raises(
        WeightsError, match=r"files and folders only, 'assets' is a link or a device; do not trust it"
    ):
        TextEmbedding.from_saved_model(path)


def test_errors_name_the_archive(tmp_path):
    folder = write_saved_model(tmp_path / "model", text_nodes(), tokens="the\nthe\n", tensors={KEY: NUMBERS})
    path = tmp_path / "repeats.tar.gz"
    with tarfile.open(path, "w:gz") as file:
        file.add(folder, arcname="model")
    with pytest.raises(TextError, match=r"repeats\.tar\.gz/assets/tokens\.txt: a token must stand once, 'the' is on"):
        TextEmbedding.from_saved_model(path)


def test_an_archive_that_is_cut_off(archive):
    archive.write_bytes(archive.read_bytes()[:-9])
    with pytest.raises(
        WeightsError, match=r"an archive must be a whole \.tar\.gz file, .* is cut off or none: .*; get"
    ):
        TextEmbedding.from_saved_model(archive)


def test_neither_folder_nor_file(tmp_path):
    with pytest.raises(
        WeightsError, match=r"a model must be a folder, a \.tar\.gz file or an address .*gone is none"
    ):
        TextEmbedding.from_saved_model(tmp_path / "gone")


def test_a_hash_beside_a_folder(folder):
    with pytest.raises(ConfigurationError, match=r"a sha256 is that of an archive, .* is a folder; leave it out"):
        TextEmbedding.from_saved_model(folder, sha256="0" * 64)


def test_an_address(archive, tmp_path, monkeypatch):
    """It is fetched once; afterwards the file in the cache folder is checked and used."""
    monkeypatch.setenv("PYTORCH_ELMO_CACHE", str(tmp_path / "cache"))
    address, known = archive.as_uri(), sha256(archive)
    with pytest.raises(
        DownloadError, match=r"a file from the network must be checked, file:.* came without its sha256"
    ):
        TextEmbedding.from_saved_model(address)
    for _ in range(2):
        assert TextEmbedding.from_saved_model(address, sha256=known)(["the"]).tolist() == [[1, 2]]
        archive.unlink(missing_ok=True)
