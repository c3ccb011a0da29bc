"""Text becomes numbers once, and half a corpus is never taken for a whole one."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytorch_elmo.errors import TextError
from pytorch_elmo.pretraining import corpus as module
from pytorch_elmo.pretraining.corpus import Corpus, find_files, prepare_corpus
from pytorch_elmo.text.characters import words_to_ids
from small_runs import SENTENCES, Listener, corpus_of

TEXT = "".join(f"{' '.join(sentence)}\n" for sentence in SENTENCES)


@pytest.fixture
def text(tmp_path):
    """A text file, and the folder beside it in which its numbers are kept."""
    path = tmp_path / "text.txt"
    path.write_text(TEXT, "utf-8")
    return path, tmp_path / "corpus"


def sentences_of(corpus: Corpus) -> list[list[str]]:
    bounded = [[corpus.words[word] for word in corpus.sentence(i)] for i in range(corpus.num_sentences)]
    assert all((sentence[0], sentence[-1]) == ("<S>", "</S>") for sentence in bounded)
    return [sentence[1:-1] for sentence in bounded]


def test_sentences_words_counts_and_characters(text):
    path, folder = text
    corpus = prepare_corpus([path], "whitespace", folder)
    expected = corpus_of(SENTENCES)
    assert sentences_of(corpus) == SENTENCES
    assert corpus.words == expected.words
    assert corpus.words[:2] == ["<S>", "</S>"]
    for name in ("characters", "counts", "tokens", "offsets"):
        np.testing.assert_array_equal(getattr(corpus, name), getattr(expected, name), strict=True)
    assert corpus.counts[corpus.words.index("the")] == 4
    np.testing.assert_array_equal(corpus.characters, words_to_ids(corpus.words))


def test_moses_reads_paragraphs_of_prose(tmp_path):
    path = tmp_path / "prose.txt"
    path.write_text("One fish. Two fish!\n\nShe didn't see it.\n", "utf-8")
    corpus = prepare_corpus([path], "moses", tmp_path / "corpus")
    assert sentences_of(corpus) == [
        ["One", "fish", "."],
        ["Two", "fish", "!"],
        ["She", "didn", "'t", "see", "it", "."],
    ]


def test_files_are_read_in_the_given_order_and_blank_lines_left_out(tmp_path):
    for name, content in (("a", "one\n\n  \ntwo"), ("b", "three\r\n")):
        (tmp_path / name).write_text(content, "utf-8")
    corpus = prepare_corpus([tmp_path / "b", tmp_path / "a"], "whitespace", tmp_path / "corpus")
    assert sentences_of(corpus) == [["three"], ["one"], ["two"]]


@settings(max_examples=15)  # each waits for the disk
@given(st.lists(st.lists(st.text(max_size=5), max_size=5), max_size=5))
def test_any_text_is_what_python_splits_it_into(tmp_path_factory, lines):
    folder = tmp_path_factory.mktemp("any")
    content = "\n".join(" ".join(words) for words in lines).encode("utf-8", "ignore") + b"\nlast"
    (folder / "text").write_bytes(content)
    corpus = prepare_corpus([folder / "text"], "whitespace", folder / "corpus")
    expected = [line.decode("utf-8").split() for line in content.split(b"\n")]
    assert sentences_of(corpus) == [sentence for sentence in expected if sentence]


def test_more_tokens_than_one_write(text, monkeypatch):
    path, folder = text
    monkeypatch.setattr(module, "_TOKENS_PER_WRITE", 4)
    corpus = prepare_corpus([path], "whitespace", folder)
    assert sentences_of(corpus) == SENTENCES
    np.testing.assert_array_equal(corpus.counts, corpus_of(SENTENCES).counts)


def test_every_byte_is_reported(text):
    path, folder = text
    listener = Listener()
    prepare_corpus([path], "whitespace", folder, listener)
    size = path.stat().st_size
    assert (listener.totals, sum(listener.amounts), listener.finished) == ([size], size, 1)


def test_the_same_input_is_not_read_again(text):
    path, folder = text
    prepare_corpus([path], "whitespace", folder)
    listener = Listener()
    assert sentences_of(prepare_corpus([path], "whitespace", folder, listener)) == SENTENCES
    assert listener.totals == []


@pytest.mark.parametrize("change", ["content", "name", "tokenizer", "number"])
def test_other_input_is_read_anew(text, change):
    path, folder = text
    prepare_corpus([path], "whitespace", folder)
    files, tokenizer = [path], "whitespace"
    if change == "content":
        path.write_text(TEXT.replace("boat", "ship"), "utf-8")
    elif change == "name":
        files = [path.rename(path.with_name("other.txt"))]
    elif change == "number":
        files = [path, path]
    else:
        tokenizer = "moses"
    listener = Listener()
    corpus = prepare_corpus(files, tokenizer, folder, listener)
    assert len(listener.totals) == 1
    assert ("ship" in corpus.words) == (change == "content")
    assert corpus.num_sentences == (10 if change == "number" else 5)


@pytest.mark.parametrize("again", [False, True], ids=["first", "again"])
def test_a_reading_that_was_killed_leaves_no_corpus(text, again):
    path, folder = text
    if again:
        prepare_corpus([path], "whitespace", folder)
        path.write_text(TEXT.replace("boat", "ship"), "utf-8")
    with pytest.raises(KeyboardInterrupt):
        prepare_corpus([path], "whitespace", folder, Listener(KeyboardInterrupt()))
    assert not (folder / "corpus.json").exists()
    corpus = prepare_corpus([path], "whitespace", folder)
    assert ("ship" in corpus.words) == again
    assert sentences_of(corpus)[1:3] == SENTENCES[1:3]


def test_the_description_is_written_last(text, monkeypatch):
    """Whatever step fails before it, the folder holds no corpus."""
    path, folder = text
    monkeypatch.setattr(module, "_count", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        prepare_corpus([path], "whitespace", folder)
    assert not (folder / "corpus.json").exists()


def test_a_corpus_of_another_version_is_made_anew(text):
    path, folder = text
    prepare_corpus([path], "whitespace", folder)
    description = json.loads((folder / "corpus.json").read_text("utf-8"))
    (folder / "corpus.json").write_text(json.dumps({**description, "format_version": 0}), "utf-8")
    listener = Listener()
    prepare_corpus([path], "whitespace", folder, listener)
    assert len(listener.totals) == 1


@pytest.mark.parametrize("tokenizer", ["whitespace", "moses"])
def test_not_utf8(tmp_path, tokenizer):
    path = tmp_path / "latin.txt"
    path.write_bytes("fine\nalso fine\nthe café\n".encode("latin-1"))
    with pytest.raises(TextError, match=r"latin.txt, line 3: not UTF-8 at byte 8; convert it$"):
        prepare_corpus([path], tokenizer, tmp_path / "corpus")
    assert not (tmp_path / "corpus" / "corpus.json").exists()


@pytest.mark.parametrize("content", ["", "\n\n  \n"])
def test_no_sentence(tmp_path, content):
    path = tmp_path / "blank.txt"
    path.write_text(content, "utf-8")
    with pytest.raises(
        TextError, match=r"^no sentence in .*blank.txt and 1 more file\(s\); is the text elsewhere\?$"
    ):
        prepare_corpus([path, path], "whitespace", tmp_path / "corpus")
    assert not (tmp_path / "corpus" / "corpus.json").exists()


def test_files_by_path_and_by_pattern(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("b.txt", "a.txt", "c/d.txt", "folder.txt/x"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [path.as_posix() for path in find_files(["*.txt"])] == ["a.txt", "b.txt"]
    assert [path.as_posix() for path in find_files(["b.txt", "a.txt"])] == ["b.txt", "a.txt"]
    assert [path.as_posix() for path in find_files(["**/*.txt"])] == ["a.txt", "b.txt", "c/d.txt"]
    with pytest.raises(
        TextError, match=r"^no text file matches '\*.md'; give a path or a glob, relative to this folder$"
    ):
        find_files(["a.txt", "*.md"])
