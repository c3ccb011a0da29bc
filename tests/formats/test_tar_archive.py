"""Archives of models: what is unpacked, and what is refused."""

import tarfile

import pytest

from pytorch_elmo.errors import WeightsError
from pytorch_elmo.formats.tar_archive import unpack_archive
from small_archives import write_archive


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz", "w:bz2"])
def test_packed_in_any_way(tmp_path, mode):
    path = tmp_path / "a.tar"
    (tmp_path / "b.txt").write_text("text")
    with tarfile.open(path, mode) as archive:
        archive.add(tmp_path / "b.txt", arcname="./deep/b.txt")
    unpack_archive(path, tmp_path / "out")
    assert (tmp_path / "out" / "deep" / "b.txt").read_text() == "text"


@pytest.mark.parametrize("name", ["../b", "/b", "a/../../b", "a\\b"])
def test_members_that_leave_the_folder(tmp_path, name):
    path = write_archive(tmp_path / "a.tar.gz", {"first": b"", name: b"x"})
    with pytest.raises(
        WeightsError, match=r"an archive's members must stay in its folder, .* does not; do not trust"
    ):
        unpack_archive(path, tmp_path / "out")
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("names", [["a", "a/b"], ["a/b", "a"], ["."], ["x" * 300]])
def test_members_that_cannot_be_files(tmp_path, names):
    path = write_archive(tmp_path / "a.tar.gz", dict.fromkeys(names, b"x"))
    (tmp_path / "out").mkdir()
    with pytest.raises(
        WeightsError, match=r"members must be files and folders side by side, '.*' cannot be one: .*; get another"
    ):
        unpack_archive(path, tmp_path / "out")


def test_no_archive(tmp_path):
    path = tmp_path / "a.tar.gz"
    path.write_bytes(b"no archive")
    with pytest.raises(
        WeightsError, match=r"an archive must be a whole \.tar\.gz file, .*a\.tar\.gz is cut off or none"
    ):
        unpack_archive(path, tmp_path / "out")
