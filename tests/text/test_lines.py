import bz2
import errno
import gzip
import io
import lzma
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytorch_elmo.errors import TextError
from pytorch_elmo.text.lines import InputFile, read_lines

COMPRESSORS = {".txt": bytes, ".txt.gz": gzip.compress, ".txt.xz": lzma.compress, ".txt.bz2": bz2.compress}


def input_file(folder, content: bytes, name: str = "sentences.txt") -> InputFile:
    path = folder / name
    path.write_bytes(content)
    return InputFile(path, name)


@pytest.mark.parametrize(
    ("name", "compression", "table_format"),
    [
        ("a/b.txt", "", ".txt"),
        ("b.JSONL.GZ", ".gz", ".jsonl"),
        ("b.csv.xz", ".xz", ".csv"),
        ("b.gz", ".gz", ""),
        ("b.tsv.bz2", ".bz2", ".tsv"),
        ("a/b.tar.xz", ".xz", ".tar"),
        ("b.tgz", ".gz", ".tar"),
        ("b.TXZ", ".xz", ".tar"),
        ("b.tbz2", ".bz2", ".tar"),
        ("b.tar", "", ".tar"),
        (".gz", "", ""),
        ("standard input", "", ""),
    ],
)
def test_the_endings_of_a_name_tell_the_format(tmp_path, name, compression, table_format):
    file = InputFile(tmp_path, name)
    assert (file.compression, file.format) == (compression, table_format)


@pytest.mark.parametrize("ending", COMPRESSORS)
@given(text=st.text(st.one_of(st.sampled_from("ab \n\r\u2028\u0085\x0b\x1c\ufeff"), st.characters(codec="utf-8"))))
def test_lines_are_those_of_a_file_opened_as_text(tmp_path_factory, ending, text):
    content = text.encode("utf-8")
    folder = tmp_path_factory.mktemp("lines")
    plain = folder / "plain"
    plain.write_bytes(content)
    file = input_file(folder, COMPRESSORS[ending](content), f"sentences{ending}")
    with plain.open(encoding="utf-8") as expected:
        assert list(read_lines(file)) == list(expected)


@pytest.mark.parametrize(
    ("content", "line", "byte"),
    [
        (b"\xff\xfea\x00", 1, 1),
        (b"good\r\ncaf\xc3\xa9 \xe9t\xe9\n", 2, 7),
        (b"a\rb\n\xf0\x9f\x98\n", 3, 1),
        (b"a\n" * 5000 + b"\xed\xa0\x80", 5001, 1),  # an encoded surrogate
    ],
)
def test_bytes_that_are_not_utf_8(tmp_path, content, line, byte):
    file = input_file(tmp_path, content)
    with pytest.raises(TextError, match=rf"^sentences.txt, line {line}: not UTF-8 at byte {byte}; convert"):
        list(read_lines(file))


@pytest.mark.parametrize("ending", [".txt.gz", ".txt.xz", ".txt.bz2"])
@pytest.mark.parametrize("kept", [0, 5, 20, -9])
def test_compressed_files_that_are_cut_short(tmp_path, ending, kept):
    content = COMPRESSORS[ending](b"a few words\n" * 1000)[:kept]
    file = input_file(tmp_path, content, f"sentences{ending}")
    with pytest.raises(TextError, match=r"^sentences.* is cut short: .*; make or copy it again$"):
        list(read_lines(file))


@pytest.mark.parametrize("ending", [".txt.gz", ".txt.xz", ".txt.bz2"])
def test_files_that_are_not_compressed_as_they_say(tmp_path, ending):
    file = input_file(tmp_path, b"plain text, which is not compressed\n", f"sentences{ending}")
    with pytest.raises(TextError, match=r"^sentences.* is damaged or not compressed as its name says \(.*\); make"):
        list(read_lines(file))


@pytest.mark.parametrize("ending", [".txt.gz", ".txt.xz", ".txt.bz2"])
def test_compressed_files_with_a_flipped_bit(tmp_path, ending):
    content = bytearray(COMPRESSORS[ending](bytes(range(97, 123)) * 20 + b"\n"))
    content[len(content) // 2] ^= 4
    file = input_file(tmp_path, bytes(content), f"sentences{ending}")
    with pytest.raises(TextError, match=r"^sentences.* is (damaged|cut short)"):
        list(read_lines(file))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(TextError, match=r"^cannot read gone.txt: No such file.*; name a file that can be read$"):
        list(read_lines(InputFile(tmp_path / "gone.txt", "gone.txt")))


def test_a_disk_that_fails(tmp_path, monkeypatch):
    def fail(*_args, **_options):
        raise OSError(errno.EIO, "Input/output error")

    file = input_file(tmp_path, b"a\n")
    monkeypatch.setattr(Path, "open", fail)
    with pytest.raises(TextError, match=r"^cannot read sentences.txt: Input/output error; name"):
        list(read_lines(file))


def test_the_byte_order_mark_is_dropped_only_where_asked(tmp_path):
    file = input_file(tmp_path, b"\xef\xbb\xbfa\n")
    assert list(read_lines(file)) == ["\ufeffa\n"]
    assert list(read_lines(file, encoding="utf-8-sig")) == ["a\n"]


@pytest.mark.parametrize("ending", COMPRESSORS)
def test_bytes_on_the_disk_are_heard(tmp_path, ending):
    amounts = []
    file = input_file(tmp_path, COMPRESSORS[ending](b"a few words\n" * 10_000), f"sentences{ending}")
    lines = list(read_lines(InputFile(file.path, file.name, advance=amounts.append)))
    assert len(lines) == 10_000
    assert sum(amounts) == file.path.stat().st_size


@pytest.mark.parametrize("ending", COMPRESSORS)
def test_a_stream_is_read_once_in_place_of_the_path(tmp_path, ending):
    stream = io.BytesIO(COMPRESSORS[ending](b"a\nb\n"))
    assert list(read_lines(InputFile(tmp_path / "gone", f"sentences{ending}", stream=stream))) == ["a\n", "b\n"]
    assert stream.closed
