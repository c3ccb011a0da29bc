"""Vocabularies of one token a line: TensorFlow's reading of 19 files, and our own writing."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytorch_elmo.errors import TextError
from pytorch_elmo.text.token_file import check_tokens, read_token_file, write_token_file

TOKENS = st.text(min_size=1).filter(lambda token: "\n" not in token)


def test_every_file_that_tensorflow_read(test_data, tmp_path):
    described = json.loads((test_data / "golden" / "tf" / "token_files.json").read_text("utf-8"))["files"]
    assert len(described) == 19
    path = tmp_path / "tokens.txt"
    refused = 0
    for case in described:
        path.write_bytes(case["file"].encode())
        if "error" in case:
            refused += 1
            with pytest.raises(TextError, match=r"tokens\.txt: a (token|vocabulary) must "):
                read_token_file(path)
            continue
        tokens = read_token_file(path)
        assert len(tokens) == case["size_with_one_bucket"] - 1
        ids = {token: index for index, token in enumerate(tokens)}
        assert {key: ids.get(key, len(tokens)) for key in case["ids"]} == case["ids"]
    assert refused == 6


@given(st.lists(TOKENS, min_size=1, unique=True))
def test_what_is_written_is_read(tmp_path_factory, tokens):
    path = tmp_path_factory.mktemp("tokens") / "tokens.txt"
    write_token_file(path, tokens)
    assert read_token_file(path) == tokens


def test_bytes_that_are_no_utf8_are_kept(tmp_path):
    path = tmp_path / "tokens.txt"
    path.write_bytes(b"a\n\xff\xc3\nb\r\r\n")
    tokens = read_token_file(path)
    assert tokens == ["a", "\udcff\udcc3", "b\r"]
    write_token_file(path, tokens)
    assert path.read_bytes() == b"a\n\xff\xc3\nb\r\r\n"


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ([], r"a vocabulary must have a token, it is empty; give one token a line"),
        (["a", ""], r"a token must not be blank, line 2 is; remove the line"),
        (["b", "a", "b"], r"a token must stand once, 'b' is on the lines 1 and 3; remove one"),
        (["a\nb"], r"a token must be one line, 'a\\nb' of line 1 is more; leave the line feed out"),
    ],
)
def test_tokens_that_no_table_takes(tmp_path, tokens, message):
    with pytest.raises(TextError, match=rf"^{message}$"):
        check_tokens(tokens)
    with pytest.raises(TextError, match=message):
        write_token_file(tmp_path / "tokens.txt", tokens)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(TextError, match=r"cannot read the vocabulary .*gone\.txt: No such file .*; name a file of"):
        read_token_file(tmp_path / "gone.txt")
