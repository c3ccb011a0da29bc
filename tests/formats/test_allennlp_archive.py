"""What an archive may hold, and what is refused."""

import json
import tarfile

import pytest

from damage import refusal, with_a_changed_bit
from pytorch_elmo.errors import ConfigurationError, WeightsError
from pytorch_elmo.formats.allennlp_archive import unpack
from small_archives import NEEDED, write_archive


def special(name, kind, target=""):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def test_files_and_folders_are_unpacked(tmp_path):
    members = {"./config.json": b"{}", "weights.th": b"w", "vocabulary/deep/er.txt": b"t", "fta/a.b": b"f"}
    unpack(write_archive(tmp_path / "a.tar.gz", members), tmp_path / "out")
    found = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert found == {"config.json", "weights.th", "vocabulary/deep/er.txt", "fta/a.b"}
    assert (tmp_path / "out" / "fta" / "a.b").read_bytes() == b"f"


@pytest.mark.parametrize("name", ["../outside", "a/../../outside", "/outside", "a\\..\\b", ".."])
def test_member_that_leaves_the_folder(name, tmp_path):
    archive = write_archive(tmp_path / "a.tar.gz", {**NEEDED, name: b"x"})
    with pytest.raises(WeightsError, match=r"members must stay in its folder, .* does not; do not trust it"):
        unpack(archive, tmp_path / "out")
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize(
    "member",
    [
        special("link", tarfile.SYMTYPE, "/etc/passwd"),
        special("weights.th", tarfile.SYMTYPE, "config.json"),
        special("hard", tarfile.LNKTYPE, "config.json"),
        special("device", tarfile.CHRTYPE),
        special("disk", tarfile.BLKTYPE),
        special("pipe", tarfile.FIFOTYPE),
    ],
    ids=lambda member: member.name,
)
def test_link_or_device(member, tmp_path):
    archive = write_archive(tmp_path / "a.tar.gz", {**NEEDED, "": member})
    with pytest.raises(WeightsError, match=r"files and folders only, .* is a link or a device; do not trust it"):
        unpack(archive, tmp_path / "out")


def test_modes_are_not_taken_over(tmp_path):
    member = tarfile.TarInfo("run")
    member.mode = 0o6777
    unpack(write_archive(tmp_path / "a.tar.gz", {**NEEDED, "": member}), tmp_path / "out")
    assert not (tmp_path / "out" / "run").stat().st_mode & 0o7111


def test_archive_that_is_cut_off(tmp_path):
    whole = write_archive(tmp_path / "a.tar.gz", {**NEEDED, "more": bytes(range(256)) * 50}).read_bytes()
    for length in range(0, len(whole) - 8, 7):
        (tmp_path / "cut.tar.gz").write_bytes(whole[:length])
        with pytest.raises(WeightsError, match=r"cut\.tar\.gz (is cut off or none|lacks)") as error:
            unpack(tmp_path / "cut.tar.gz", tmp_path / "out" / str(length))
        assert "\n" not in str(error.value)


def test_archive_with_a_changed_bit(tmp_path):
    whole = write_archive(tmp_path / "a.tar.gz", NEEDED).read_bytes()
    for index, damaged in enumerate(with_a_changed_bit(whole, 100)):
        (tmp_path / "b.tar.gz").write_bytes(damaged)
        refusal(lambda path, out=tmp_path / str(index): unpack(path, out), tmp_path / "b.tar.gz")


@pytest.mark.parametrize("missing", NEEDED)
def test_archive_that_lacks_a_part(missing, tmp_path):
    members = {name: content for name, content in NEEDED.items() if name != missing}
    archive = write_archive(tmp_path / "a.tar.gz", members)
    with pytest.raises(WeightsError, match=f"lacks {missing.partition('/')[0]}; get it again"):
        unpack(archive, tmp_path / "out")


@pytest.mark.parametrize(
    "meta", [b'{"version": "3.0.0"}', b'{"version": "new"}', b'{"version": 2}', b"{}", b"[]", b"{"]
)
def test_archive_of_an_unknown_version(meta, tmp_path):
    archive = write_archive(tmp_path / "a.tar.gz", {**NEEDED, "meta.json": meta})
    with pytest.raises(ConfigurationError, match=r"from AllenNLP 0\.9, 1\.x or 2\.x, .* says version "):
        unpack(archive, tmp_path / "out")


@pytest.mark.parametrize("version", ["1.0.0rc3", "2.9.3", "2.10.1", "2.11.0"])
def test_archive_of_a_known_version(version, tmp_path):
    meta = json.dumps({"version": version}).encode()
    unpack(write_archive(tmp_path / "a.tar.gz", {**NEEDED, "meta.json": meta}), tmp_path / "out")
