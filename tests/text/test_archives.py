"""Files in tar archives, read as a stream."""

import bz2
import gzip
import io
import lzma
import tarfile

import pytest

from pytorch_elmo.errors import TextError
from pytorch_elmo.text.archives import is_archive, read_members
from pytorch_elmo.text.lines import InputFile, read_lines

COMPRESSORS = {".tar": bytes, ".tar.gz": gzip.compress, ".tgz": gzip.compress, ".tar.xz": lzma.compress,
               ".txz": lzma.compress, ".tar.bz2": bz2.compress, ".tbz2": bz2.compress}  # fmt: skip
FILES = {"a.txt": b"one\ntwo\n", "../b": b"three", "/etc/c.gz": gzip.compress(b"four\n"), "empty": b""}


def tar(files: dict[str, bytes], archive_format=tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=archive_format) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def archive(folder, content: bytes, ending: str = ".tar") -> InputFile:
    path = folder / f"texts{ending}"
    path.write_bytes(COMPRESSORS[ending](content))
    return InputFile(path, path.name)


def lines_of(file: InputFile) -> dict[str, list[str]]:
    return {member.name: list(read_lines(member)) for member in read_members(file)}


@pytest.mark.parametrize("ending", COMPRESSORS)
@pytest.mark.parametrize("archive_format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_every_regular_file_is_read(tmp_path, ending, archive_format):
    file = archive(tmp_path, tar(FILES, archive_format), ending)
    assert is_archive(file)
    assert lines_of(file) == {
        f"texts{ending}, member a.txt": ["one\n", "two\n"],
        f"texts{ending}, member ../b": ["three"],
        f"texts{ending}, member /etc/c.gz": ["four\n"],
        f"texts{ending}, member empty": [],
    }
    assert [path.name for path in tmp_path.iterdir()] == [f"texts{ending}"]


def test_links_folders_and_devices_are_passed_over(tmp_path):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as made:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
            member = tarfile.TarInfo("odd")
            member.type, member.linkname = kind, "/etc/passwd"
            made.addfile(member)
    assert lines_of(archive(tmp_path, buffer.getvalue())) == {}


def test_a_member_that_is_not_read_is_passed_over(tmp_path):
    members = [member.name for member in read_members(archive(tmp_path, tar(FILES)))]
    assert len(members) == 4


def test_bad_bytes_name_member_and_line(tmp_path):
    file = archive(tmp_path, tar({"good": b"a\n", "folder/bad\nname.txt": b"a\nb\xff\n"}))
    with pytest.raises(TextError, match=r"^texts.tar, member folder/bad name.txt, line 2: not UTF-8 at byte 2; conv"):
        lines_of(file)


def test_a_damaged_member_is_named(tmp_path):
    file = archive(tmp_path, tar({"cut.gz": gzip.compress(b"words\n" * 100)[:-9]}))
    with pytest.raises(TextError, match=r"^texts.tar, member cut.gz is cut short"):
        lines_of(file)


CONTENT = tar({f"{number}.txt": b"some words\n" * 200 for number in range(20)})


@pytest.mark.parametrize("kept", [0, 100, 512, 700, 2560, 3072, 20_000, len(CONTENT) - 10_240])
def test_archives_that_are_cut_short(tmp_path, kept):
    """Wherever it is cut: in a header, in a member, between two, before the mark at the end."""
    file = archive(tmp_path, CONTENT[:kept])
    with pytest.raises(TextError, match=r"^texts.tar.* is damaged, cut short or no tar archive \(.+\); make or co"):
        lines_of(file)


@pytest.mark.parametrize("ending", [".tar.gz", ".tar.xz", ".tar.bz2"])
@pytest.mark.parametrize("share", [0.3, 0.99])
def test_compressed_archives_that_are_cut_short(tmp_path, ending, share):
    file = archive(tmp_path, CONTENT, ending)
    content = file.path.read_bytes()
    file.path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(TextError, match=rf"^texts{ending}.* is cut short: its compressed data do not end"):
        lines_of(file)


def test_a_damaged_header_is_not_the_end(tmp_path):
    content = bytearray(CONTENT)
    content[512 + 2560 : 512 + 2560 + 512] = b"x" * 512  # the second member's
    with pytest.raises(TextError, match=r"^texts.tar is damaged, cut short or no tar archive"):
        lines_of(archive(tmp_path, bytes(content)))


def test_what_is_no_archive(tmp_path):
    with pytest.raises(TextError, match=r"^texts.tar is damaged, cut short or no tar archive"):
        lines_of(archive(tmp_path, b"plain text\n" * 100))
    with pytest.raises(TextError, match=r"^cannot read gone.tar: No such file"):
        lines_of(InputFile(tmp_path / "gone.tar", "gone.tar"))


def test_members_are_not_remembered(tmp_path):
    """A list of all members would grow with the archive: a kilobyte each."""
    import tracemalloc

    file = archive(tmp_path, tar({f"{number}": b"" for number in range(3000)}))
    tracemalloc.start()
    for _ in read_members(file):
        pass
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert held < 1_000_000
