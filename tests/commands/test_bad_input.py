"""Input, output and options that cannot be: one line, an exit code, and every file as it was."""

import os
import re
from pathlib import Path

import h5py
import pytest


def folder_content() -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in sorted(Path().rglob("*"))}


@pytest.fixture
def refused(embed):
    """Run a command that must end with `code` and one line that matches `message`, and leave every file as it was."""

    def refused(*arguments: object, code: int, message: str, stdin: bytes | None = None) -> None:
        before = folder_content()
        ended = embed("-q", *arguments, stdin=stdin)
        assert ended.code == code
        assert ended.out == ""
        lines = ended.err.splitlines()
        if lines[0].startswith("Usage: "):  # click's: how the command is called, an empty line, the error
            lines = lines[3:]
        assert len(lines) == 1, ended.err
        assert re.search(message, lines[0]), ended.err
        assert folder_content() == before

    return refused


def test_missing_input(refused):
    refused("nothing.txt", "out.hdf5", code=2, message=r"Error: .*'INPUT': Path 'nothing\.txt' does not exist")


def test_an_input_that_is_a_folder(refused, folder):
    Path("texts").mkdir()
    refused("texts", "out.hdf5", code=1, message="texts is a folder; name a file of text, or a folder written by")


def test_an_input_that_the_system_refuses_to_read(refused):
    refused("/proc/self/mem", "out.hdf5", code=1, message="cannot read /proc/self/mem: .*; name a file that can be")


def test_compressed_input_that_is_cut_short(refused, folder, text):
    import gzip

    Path("text.txt.gz").write_bytes(gzip.compress(text.read_bytes())[:-12])
    refused("text.txt.gz", "out.hdf5", code=1, message=r"text\.txt\.gz is cut short: its compressed data do not end")


def test_compressed_input_that_is_not(refused, text):
    os.replace(text, "text.txt.xz")
    refused("text.txt.xz", "out.hdf5", code=1, message=r"text\.txt\.xz is damaged or not compressed as its name says")


def test_blank_lines_are_named_from_1(refused, folder):
    Path("text.txt").write_text("one\n\ntwo\n \t\n", encoding="utf-8")
    message = r"text\.txt: a line must hold a sentence, line\(s\) 2, 4 are blank; remove them, .* --blank-lines empty"
    refused("text.txt", "out.hdf5", code=1, message=message)
    refused("-", "out.hdf5", code=1, message=r"standard input: .* line\(s\) 1 are blank", stdin=b"\none\n")


def test_text_that_is_not_utf8(refused, folder):
    Path("text.txt").write_bytes(b"one\ntwo \xff three\n")
    refused(
        "text.txt", "out.hdf5", code=1, message=r"text\.txt, line 2: not UTF-8 at byte 5; convert the file to UTF"
    )


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("a b\nc\na b\n", "must be different, but lines 1 and 3 are the same: 'a b' and 'a b'; leave out"),
        ("a\na/b\n", "lines 1 and 2 would be a dataset and a group of one name: 'a' and 'a/b'"),
        ("a\n/ . /\n.\n", r"must name something, got '\.' in line 3; leave out --use-sentence-keys"),
    ],
)
def test_sentences_that_cannot_be_keys(refused, folder, lines, message):
    Path("text.txt").write_text(lines, encoding="utf-8")
    refused("text.txt", "out.hdf5", "--use-sentence-keys", code=1, message=message)


def test_a_lone_surrogate_as_a_key(refused, folder):
    Path("table.jsonl").write_text('{"body": "one"}\n{"body": "a \\ud800 b"}\n', encoding="utf-8")
    message = r"a sentence used as a key cannot hold half of a character .* line 2; leave out --use-sentence-keys"
    refused("table.jsonl", "out.hdf5", "--field", "body", "--use-sentence-keys", code=1, message=message)


def test_an_output_that_exists(refused, text):
    Path("out.hdf5").write_bytes(b"worth keeping")
    message = r"an output must be a new file, but out\.hdf5 exists; name another or --overwrite"
    refused(text, "out.hdf5", code=1, message=message)


def test_an_output_that_exists_goes_when_the_new_one_is_there(text, embed):
    Path("out.hdf5").write_bytes(b"no longer wanted")
    assert embed(text, "out.hdf5", "--overwrite").code == 0
    assert h5py.is_hdf5("out.hdf5")


def test_an_output_that_exists_stays_if_the_new_one_fails(refused, folder):
    Path("out.hdf5").write_bytes(b"worth keeping")
    Path("text.txt").write_text("a\na\n", encoding="utf-8")
    refused(
        "text.txt", "out.hdf5", "--overwrite", "--use-sentence-keys", code=1, message="lines 1 and 2 are the same"
    )


def test_resuming_a_file_of_somebody_elses(refused, text):
    with h5py.File("out.hdf5", "w") as file:
        file["0"] = [1.0]
    message = r"only a file with a manifest can be gone on with, but out\.hdf5 has none; choose another"
    refused(text, "out.hdf5", "--resume", code=1, message=message)


def test_a_folder_of_the_output_that_is_missing(refused, text):
    message = r"the folder of the output must exist, .*/results does not; make it first"
    refused(text, "results/out.hdf5", code=2, message=message)


def test_an_output_that_is_a_folder(refused, text):
    Path("results").mkdir()
    refused(text, "results", code=2, message="'OUTPUT': File 'results' is a directory")


def test_a_folder_that_may_not_be_written(refused, text):
    refused(text, "/sys/out.hdf5", code=1, message=r"/sys/out\.hdf5 cannot be written: .*; .*another name or folder")


def test_a_name_that_is_too_long(refused, text):
    refused(text, "o" * 250, code=1, message="o cannot be written: .*File name too long.*; .*choose another name")
    refused(text, "o" * 250, "--resume", code=1, message="File name too long")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--batch-tokens", 9, "--batch-size", 2], "--batch-tokens and --batch-size exclude each other"),
        (["--device", "cpu", "--cuda-device", 0], "--device and --cuda-device exclude each other"),
        (["--stateful", "--batch-tokens", 9], "--stateful and --batch-tokens exclude each other"),
        (["--resume", "--overwrite"], "--resume and --overwrite exclude each other, both were given; leave one out"),
        (["--use-sentence-keys", "--include-sentence-indices"], "--use-sentence-keys and --include-sentence-indices"),
        (["--forget-sentences", "--include-sentence-indices"], "--forget-sentences and --include-sentence-indices"),
        (["--use-sentence-keys", "--layout", "packed"], "--use-sentence-keys .* --layout packed .*leave one out"),
        (["--stateful", "--precision", "bf16"], "stateful reproduces AllenNLP in fp32, got precision bf16; drop one"),
        (["--precision", "fp16"], "precision fp16 has no fast arithmetic on this CPU; use fp32"),
        (["--device", "abacus"], "device is cpu, cuda or cuda:N, got 'abacus'"),
        (["--batch-size", 0], "'--batch-size': 0 is not in the range x>=1"),
        (["--batch-tokens", "many"], "'--batch-tokens': 'many' is not a valid integer range"),
        (["--dtype", "float8"], r"'--dtype': 'float8' is not one of 'float32', 'float16'"),
        (["--layout", "round"], r"'--layout': 'round' is not one of 'per-sentence', 'packed'"),
        (["--tokenizer", "spacy"], r"'--tokenizer': 'spacy' is not one of 'whitespace', 'moses'"),
        (["--blank-lines", "skip"], r"'--blank-lines': 'skip' is not one of 'error', 'empty'"),
        (["--field"], "Option '--field' requires an argument"),
        (["--sideways"], "No such option"),
        (["third"], "Got unexpected extra argument"),
    ],
)
def test_options_that_cannot_be(refused, text, options, message):
    refused(text, "out.hdf5", *options, code=2, message=message)


def test_no_arguments(embed):
    ended = embed()
    assert ended.code == 2
    assert ended.last_line == "Error: Missing argument 'INPUT'."
