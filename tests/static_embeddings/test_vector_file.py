"""The formats of GloVe and word2vec: what is read, what is refused and where."""

import gzip
import lzma
import tracemalloc
import zipfile
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytorch_elmo.errors import ConfigurationError, TextError
from pytorch_elmo.static_embeddings.vector_file import read_vector_file

GLOVE = b"the 1 2 3\n, -0.5 0 2.5e-1\nat 4 5 6\n"
WORD2VEC = b"3 3\nthe 1 2 3 \n, -0.5 0 2.5e-1 \nat 4 5 6 \n"
NUMBERS = {"the": [1.0, 2.0, 3.0], ",": [-0.5, 0.0, 0.25], "at": [4.0, 5.0, 6.0]}


def write(tmp_path, content: bytes, name="vectors.txt"):
    path = tmp_path / name
    path.write_bytes(content)
    return path


def read(path, *, wanted=None, dim=None, member=None):
    rows = read_vector_file(path, wanted=wanted, dim=dim, member=member)
    width = len(rows.numbers) // len(rows.words)
    starts = range(0, len(rows.numbers), width)
    return dict(zip(rows.words, (list(rows.numbers[start : start + width]) for start in starts), strict=True))


@pytest.mark.parametrize(
    "content",
    [GLOVE, WORD2VEC, GLOVE.rstrip(b"\n"), GLOVE.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + GLOVE],
    ids=["glove", "word2vec", "no last line feed", "carriage returns", "byte order mark"],
)
def test_both_formats_hold_the_same_rows(tmp_path, content):
    assert read(write(tmp_path, content)) == NUMBERS


def test_packed_files_are_unpacked(tmp_path):
    assert read(write(tmp_path, gzip.compress(GLOVE), "vectors.txt.gz")) == NUMBERS
    assert read(write(tmp_path, lzma.compress(GLOVE), "vectors.txt.xz")) == NUMBERS
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as archive:
        archive.mkdir("folder")
        archive.writestr("folder/vectors.txt", GLOVE)
    assert read(tmp_path / "one.zip") == NUMBERS


def test_a_member_of_an_archive_is_chosen_by_name(tmp_path):
    path = tmp_path / "glove.6B.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("1d.txt", b"the 1\n")
        archive.writestr("3d.txt", GLOVE)
    assert read(path, member="3d.txt") == NUMBERS
    message = r"member must name a file of .*glove\.6B\.zip, got {}; it holds 1d\.txt, 3d\.txt$"
    with pytest.raises(ConfigurationError, match=message.format("None")):
        read(path)
    with pytest.raises(ConfigurationError, match=message.format("'2d.txt'")):
        read(path, member="2d.txt")
    with pytest.raises(
        ConfigurationError, match=r"member is for \.zip archives, got '3d\.txt' with .*; leave it out"
    ):
        read(write(tmp_path, GLOVE), member="3d.txt")


def test_words_may_hold_spaces_and_other_separators(tmp_path):
    content = "the 1 2\n. . . 3 4\nat name@domain.com 5 6\n\u00a0 7 8\na\u0085b\u2028c 9 10\n2 11 12\n".encode()
    assert read(write(tmp_path, content)) == {
        "the": [1.0, 2.0],
        ". . .": [3.0, 4.0],
        "at name@domain.com": [5.0, 6.0],
        "\u00a0": [7.0, 8.0],
        "a\u0085b\u2028c": [9.0, 10.0],
        "2": [11.0, 12.0],
    }


def test_dim_helps_where_the_first_word_holds_a_space(tmp_path):
    path = write(tmp_path, b". . 1 2\nthe 3 4\n")
    with pytest.raises(TextError, match=r"line 1: '\.' must have 3 finite numbers, got '\.'"):
        read(path)
    assert read(path, dim=2) == {". .": [1.0, 2.0], "the": [3.0, 4.0]}


def test_the_first_row_of_a_word_wins_and_the_others_are_counted(tmp_path):
    path = write(tmp_path, b"a 1\nb 2\na 3\na 4\nc 5\nb 6\n")
    rows = read_vector_file(path, wanted=None, dim=None, member=None)
    assert (list(rows.words), list(rows.numbers), rows.num_duplicates) == (["a", "b", "c"], [1.0, 2.0, 5.0], 3)
    kept = read_vector_file(path, wanted=frozenset("bx"), dim=None, member=None)
    assert (list(kept.words), list(kept.numbers), kept.num_duplicates) == (["b"], [2.0], 1)


TOO_FEW = r"a word and 3 numbers between single spaces, got {} fields: {}; mend or remove it, or give dim"
BAD_LINES = {
    "a number missing": (b"of 1 2", TOO_FEW.format(3, "'of 1 2'")),
    "a number too many": (b"of 1 2 3 4", TOO_FEW.format(5, "'of 1 2 3 4'")),
    "a blank line": (b"", TOO_FEW.format(1, "''")),
    "no word": (b" 1 2 3", TOO_FEW.format(4, "' 1 2 3'")),
    "a space for a word": (b"  1 2 3", TOO_FEW.format(5, "'  1 2 3'")),
    "two spaces after the word": (b"of  1 2 3", TOO_FEW.format(5, "'of  1 2 3'")),
    "two spaces between numbers": (b"of 1  2 3", TOO_FEW.format(5, "'of 1  2 3'")),
    "tabs": (b"of\t1\t2\t3", TOO_FEW.format(1, r"'of\\t1\\t2\\t3'")),
    "a word for a number": (b"of 1 two 3", r"'of' must have 3 finite numbers, got 'two'; mend or remove the line"),
    "NaN": (b"of 1 nan 3", r"'of' must have 3 finite numbers, got 'nan'; mend"),
    "infinity": (b"of -inf inf 3", r"'of' must have 3 finite numbers, got '-inf'; mend"),
    "more than float32 holds": (b"of 1 2 1e39", r"'of' must have 3 finite numbers, got '1e39'; mend"),
    "no UTF-8 in the word": (b"o\xfff 1 2 3", r"a word must be UTF-8, got invalid start byte in b'o\\xfff'; convert"),
    "no UTF-8 in a number": (b"of 1 \xff 3", "'of' must have 3 finite numbers, got '\ufffd'; mend"),
}


@pytest.mark.parametrize(("line", "message"), BAD_LINES.values(), ids=BAD_LINES)
@pytest.mark.parametrize("header", [False, True])
def test_a_broken_line_is_named_by_file_and_number(tmp_path, line, message, header):
    content = (b"4 3\n" if header else b"") + b"the 1 2 3\n, 1 2 3\n" + line + b"\nat 4 5 6\n"
    with pytest.raises(TextError, match=rf"vectors\.txt, line {4 if header else 3}: .*{message}"):
        read(write(tmp_path, content))


def test_a_line_that_is_not_kept_still_needs_its_fields(tmp_path):
    with pytest.raises(TextError, match=r"line 2: a line must hold a word and 1 numbers .* got 1 fields: 'of'"):
        read(write(tmp_path, b"the 1\nof\n"), wanted=frozenset(["the"]))


def test_a_first_line_without_numbers_is_refused(tmp_path):
    with pytest.raises(TextError, match=r"line 1: a line must hold a word and its numbers .* got 1 fields: 'the'"):
        read(write(tmp_path, b"the\nof 1\n"))


@pytest.mark.parametrize(
    "content", [b"4 3\nthe 1 2 3\nof 1 2 3\nat 1 2 3\n", b"2 3\nthe 1 2 3\nof 1 2 3\nat 1 2 3\n"]
)
def test_a_file_that_breaks_the_promise_of_its_header_is_refused(tmp_path, content):
    promised = content[:1].decode()
    with pytest.raises(TextError, match=rf"the first line promises {promised} words, got 3; fetch the file anew"):
        read(write(tmp_path, content))


@pytest.mark.parametrize("header", ["0 3", "3 0"])
def test_a_header_that_promises_nothing_is_refused(tmp_path, header):
    with pytest.raises(TextError, match=rf"line 1: a header must promise words and numbers, got '{header}'; give"):
        read(write(tmp_path, header.encode() + b"\nthe 1 2 3\n"))


def test_dim_must_be_that_of_the_file(tmp_path):
    path = write(tmp_path, WORD2VEC)
    assert read(path, dim=3) == NUMBERS
    with pytest.raises(TextError, match="line 1: the header must promise dim=2 numbers a line, got '3 3'; leave dim"):
        read(path, dim=2)
    with pytest.raises(TextError, match=r"line 1: .* a word and 2 numbers .* got 4 fields: 'the 1 2 3'"):
        read(write(tmp_path, GLOVE), dim=2)
    with pytest.raises(ConfigurationError, match="dim must be a whole number from 1, got 0; leave it out"):
        read(path, dim=0)


def test_a_file_without_a_word_to_keep_is_refused(tmp_path):
    with pytest.raises(
        TextError, match=r"empty\.txt: a file of word vectors must hold a word to keep, got none; it is"
    ):
        read(write(tmp_path, b"", "empty.txt"))
    with pytest.raises(TextError, match="got none; check the case of the 2 words asked for"):
        read(write(tmp_path, GLOVE), wanted=frozenset(["The", "At"]))


def test_files_that_cannot_be_read_are_refused(tmp_path):
    with pytest.raises(TextError, match=r"cannot read the word vectors .*missing\.txt: No such file or directory"):
        read(tmp_path / "missing.txt")
    with pytest.raises(TextError, match=r"cannot read the word vectors .*: Is a directory"):
        read(tmp_path)
    with pytest.raises(TextError, match=r"cannot read the word vectors .*plain\.gz: Not a gzipped file"):
        read(write(tmp_path, GLOVE, "plain.gz"))


@pytest.mark.parametrize("suffix", ["gz", "xz", "zip"])
def test_a_packed_file_that_breaks_off_is_refused(tmp_path, suffix):
    content = b"".join(b"word%d %d\n" % (index, index * 7919 % 1000) for index in range(5000))
    if suffix == "zip":
        with zipfile.ZipFile(tmp_path / "whole.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("vectors.txt", content)
        packed = (tmp_path / "whole.zip").read_bytes()
    else:
        packed = {"gz": gzip, "xz": lzma}[suffix].compress(content)
    path = write(tmp_path, packed[: len(packed) // 2], f"half.{suffix}")
    with pytest.raises(TextError, match=rf"cannot unpack the word vectors .*half\.{suffix}: .+; fetch or pack"):
        read(path)


def test_a_damaged_archive_is_refused(tmp_path):
    path = tmp_path / "vectors.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("vectors.txt", GLOVE)
    path.write_bytes(path.read_bytes().replace(b"at 4 5 6", b"at 4 5 7"))
    with pytest.raises(TextError, match=r"cannot unpack .*vectors\.zip: Bad CRC-32.*; fetch or pack the file anew"):
        read(path)


WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=" \n\ufeff"), min_size=1)
TABLES = st.integers(2, 5).flatmap(
    lambda dim: st.dictionaries(
        WORDS,
        st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=dim, max_size=dim),
        min_size=1,
    )
)


@given(table=TABLES, header=st.booleans(), data=st.data())
def test_what_is_written_is_read(tmp_path_factory, table, header, data):
    lines = [" ".join([word, *map(repr, row)]) for word, row in table.items()]
    first = [f"{len(table)} {len(next(iter(table.values())))}"] if header else []
    path = write(tmp_path_factory.mktemp("vectors"), ("\n".join([*first, *lines]) + "\n").encode())
    assert read(path) == {word: list(array("f", row)) for word, row in table.items()}
    wanted = data.draw(st.sets(st.sampled_from(sorted(table)), min_size=1))
    assert read(path, wanted=frozenset(wanted)) == {word: row for word, row in table.items() if word in wanted}


def test_reading_some_words_does_not_hold_the_matrix(tmp_path):
    num_lines, dim = 200_000, 10
    row = " ".join(["0.25"] * dim)
    path = tmp_path / "large.txt"
    path.write_text("".join(f"word{index} {row}\n" for index in range(num_lines)), encoding="utf-8")
    limit = 4 * num_lines * dim / 20

    def peak(num_words):
        wanted = frozenset(f"word{index}" for index in range(0, num_lines, num_lines // num_words))
        tracemalloc.start()
        try:
            rows = read_vector_file(path, wanted=wanted, dim=None, member=None)
            assert len(rows.words) == num_words
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(10) < limit
    assert peak(num_lines // 10) > limit  # the measurement sees rows that are held
