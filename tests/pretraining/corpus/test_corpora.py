"""Text becomes numbers once, and half a corpus is never taken for a whole one."""

import gzip
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytorch_elmo.errors import TextError
from pytorch_elmo.pretraining.config import CorpusConfig
from pytorch_elmo.pretraining.corpus import (
    Corpora,
    Corpus,
    corpora,
    load_corpora,
    prepare_corpora,
    reading,
    sentence_file,
)
from pytorch_elmo.text.characters import words_to_ids
from small_runs import SENTENCES, Listener

TEXT = "".join(f"{' '.join(sentence)}\n" for sentence in SENTENCES)


@pytest.fixture
def text(tmp_path, monkeypatch) -> Path:
    """A text file in the working folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "text.txt"
    path.write_text(TEXT, "utf-8")
    return path


def prepare(*train: str, listener=None, **settings) -> Corpora:
    return prepare_corpora(CorpusConfig(train=list(train), **settings), Path("corpus"), listener)


def sentences_of(corpus: Corpus) -> list[list[str]]:
    bounded = [[corpus.words[word] for word in corpus.sentence(i)] for i in range(corpus.num_sentences)]
    assert all((sentence[0], sentence[-1]) == ("<S>", "</S>") for sentence in bounded)
    return [sentence[1:-1] for sentence in bounded]


def test_sentences_words_counts_and_characters(text):
    corpora = prepare("text.txt")
    corpus, expected = corpora.train, Corpus.from_sentences(SENTENCES)
    assert (corpora.validation, corpora.num_shared_sentences) == (None, 0)
    assert sentences_of(corpus) == SENTENCES
    assert corpus.words == expected.words
    assert corpus.words[:2] == ["<S>", "</S>"]
    for name in ("characters", "counts", "tokens", "offsets"):
        np.testing.assert_array_equal(getattr(corpus, name), getattr(expected, name), strict=True)
    assert corpus.counts[corpus.words.index("the")] == 4
    np.testing.assert_array_equal(corpus.characters, words_to_ids(corpus.words))


def test_moses_reads_paragraphs_of_prose(text):
    text.write_text("One fish. Two fish!\n\nShe didn't see it.\n", "utf-8")
    assert sentences_of(prepare("text.txt", tokenizer="moses").train) == [
        ["One", "fish", "."],
        ["Two", "fish", "!"],
        ["She", "didn", "'t", "see", "it", "."],
    ]


def test_files_are_read_in_the_given_order_and_blank_lines_left_out(text):
    for name, content in (("a", "one\n\n  \ntwo"), ("b", "three\r\n")):
        Path(name).write_text(content, "utf-8")
    assert sentences_of(prepare("b", "a", "b").train) == [["three"], ["one"], ["two"], ["three"]]


@settings(max_examples=15)  # each waits for the disk
@given(st.lists(st.lists(st.text(max_size=5), max_size=5), max_size=5))
def test_any_text_is_what_python_splits_it_into(tmp_path_factory, lines):
    folder = tmp_path_factory.mktemp("any")
    content = "\n".join(" ".join(words) for words in lines).encode("utf-8", "ignore") + b"\nlast"
    (folder / "text").write_bytes(content)
    corpus = prepare_corpora(CorpusConfig(train=[str(folder / "text")]), folder / "corpus").train
    with (folder / "text").open(encoding="utf-8-sig") as file:
        expected = [line.split() for line in file]
    assert sentences_of(corpus) == [sentence for sentence in expected if sentence]


def test_more_than_one_block_of_everything(text, monkeypatch):
    monkeypatch.setattr(sentence_file, "TOKENS_PER_BLOCK", 4)
    monkeypatch.setattr(reading, "TOKENS_PER_BLOCK", 4)
    monkeypatch.setattr(reading, "_WORDS_PER_BLOCK", 4)
    corpus, expected = prepare("text.txt").train, Corpus.from_sentences(SENTENCES)
    assert sentences_of(corpus) == SENTENCES
    np.testing.assert_array_equal(corpus.counts, expected.counts)
    np.testing.assert_array_equal(corpus.characters, expected.characters)


def test_numbers_stay_on_the_disk(text):
    corpus = prepare("text.txt").train
    for numbers in (corpus.characters, corpus.tokens, corpus.offsets):
        assert not numbers.flags.owndata
        assert not numbers.flags.writeable


def test_memory_does_not_grow_with_the_text(text, monkeypatch):
    """Ten times as much text of the same words; the offsets of its sentences alone would take 360 kB more."""
    for module_of_blocks in (sentence_file, reading):
        monkeypatch.setattr(module_of_blocks, "TOKENS_PER_BLOCK", 1 << 10)
    monkeypatch.setattr("pytorch_elmo.files._HASH_BLOCK", 1 << 12)
    peaks = []
    for lines in (5_000, 5_000, 50_000):  # the first one imports what is needed
        text.write_text("the boat left\n" * lines, "utf-8")
        tracemalloc.start()
        assert prepare("text.txt").train.num_sentences == lines
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] - peaks[1] < 100_000


def test_every_byte_is_reported(text):
    Path("more.gz").write_bytes(gzip.compress(TEXT.encode()))
    listener, size = Listener(), text.stat().st_size + Path("more.gz").stat().st_size
    prepare("text.txt", "more.gz", listener=listener)
    assert (listener.totals, sum(listener.amounts), listener.finished) == ([size, size], 2 * size, 2)


class TestAgain:
    """What an earlier run left is taken where nothing has changed."""

    def test_the_same_text_is_not_read_again(self, text, monkeypatch):
        prepare("text.txt", validation_share=0.5, validation_seed=3, documents="line")
        monkeypatch.setattr("pytorch_elmo.pretraining.corpus.description.sha256_of", None)  # not even compared
        listener = Listener()
        corpora = prepare("text.txt", validation_share=0.5, validation_seed=3, documents="line", listener=listener)
        assert listener.totals == []
        assert corpora.train.num_sentences + corpora.validation.num_sentences == len(SENTENCES)

    def test_a_file_that_was_only_touched_is_compared_once(self, text):
        prepare("text.txt")
        os.utime(text, ns=(1, 1))
        listener = Listener()
        assert sentences_of(prepare("text.txt", listener=listener).train) == SENTENCES
        assert listener.totals == [text.stat().st_size]
        listener = Listener()
        prepare("text.txt", listener=listener)
        assert listener.totals == []

    @pytest.mark.parametrize(
        "settings",
        [
            {"tokenizer": "moses"},
            {"validation_share": 0.5, "validation_seed": 3, "documents": "line"},
            {"documents": "line"},
            {"validation": ["text.txt"]},
            {"train": ["text.txt", "text.txt"]},
            {"train": ["other.txt"]},
        ],
        ids=str,
    )
    def test_other_settings_read_it_anew(self, text, settings):
        prepare("text.txt")
        Path("other.txt").write_text(TEXT, "utf-8")
        listener = Listener()
        prepare(*settings.pop("train", ["text.txt"]), listener=listener, **settings)
        assert len(listener.totals) >= 1

    @pytest.mark.parametrize("same_time", [True, False])
    def test_a_changed_file_is_read_anew(self, text, same_time):
        prepare("text.txt")
        before = text.stat()
        text.write_text(TEXT.replace("boat", "ships"), "utf-8")
        if same_time:
            os.utime(text, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert "ships" in prepare("text.txt").train.words

    @pytest.mark.parametrize("name", ["train.tokens", "train.offsets", "characters", "words.txt", "train.counts.npy"])
    @pytest.mark.parametrize("cut", [True, False])
    def test_a_damaged_corpus_is_made_anew(self, text, name, cut):
        prepare("text.txt")
        path = Path("corpus", name)
        if cut:
            path.write_bytes(path.read_bytes()[:-1])
        else:
            path.unlink()
        with pytest.raises(TextError, match=r"^there is no whole corpus in corpus; prepare it again$"):
            load_corpora(Path("corpus"))
        assert sentences_of(prepare("text.txt").train) == SENTENCES

    @pytest.mark.parametrize("content", ["", "{", "[]", '{"format_version": 1, "files": []}'])
    def test_an_unreadable_description(self, text, content):
        prepare("text.txt")
        Path("corpus", "corpus.json").write_text(content)
        assert sentences_of(prepare("text.txt").train) == SENTENCES


class TestStopped:
    """Whatever fails on the way, the folder holds no corpus."""

    @pytest.mark.parametrize("again", [False, True], ids=["first", "again"])
    def test_a_reading_that_was_killed(self, text, again):
        if again:
            prepare("text.txt")
            text.write_text(TEXT.replace("boat", "ship"), "utf-8")

        class Killed(Listener):
            def advance(self, amount) -> None:
                if len(self.totals) == 2:
                    raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            prepare("text.txt", listener=Killed())
        with pytest.raises(TextError, match="there is no whole corpus"):
            load_corpora(Path("corpus"))
        assert ("ship" in prepare("text.txt").train.words) == again

    @pytest.mark.parametrize("place", ["write_corpora", "refuse_changes", "count_overlap"])
    def test_the_description_is_written_last(self, text, monkeypatch, place):
        monkeypatch.setattr(corpora, place, lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(OSError, match=r"No space left on device: 'corpus'$"):
            prepare("text.txt", validation=["text.txt"])
        assert not Path("corpus", "corpus.json").exists()

    def test_a_file_that_grows_while_it_is_read(self, text):
        class Growing(Listener):
            def finish(self) -> None:
                if len(self.totals) == 2:
                    with text.open("a", encoding="utf-8") as file:
                        file.write("more\n")

        with pytest.raises(TextError, match=r"^text.txt was changed while it was read; start again when nothing"):
            prepare("text.txt", listener=Growing())
        assert not Path("corpus", "corpus.json").exists()


class TestValidation:
    """Held-out text: other files, or a share of the documents."""

    def test_files_of_its_own(self, text):
        Path("held_out.txt").write_text("the sea\nthe storm\nnoon\nnoon\n", "utf-8")
        corpora = prepare("text.txt", validation=["held_*"])
        assert sentences_of(corpora.train) == SENTENCES
        assert sentences_of(corpora.validation) == [["the", "sea"], ["the", "storm"], ["noon"], ["noon"]]
        assert corpora.num_shared_sentences == 2
        assert corpora.train.words is corpora.validation.words
        assert corpora.validation.counts[corpora.train.words.index("noon")] == 2
        np.testing.assert_array_equal(corpora.train.counts, prepare("text.txt").train.counts)

    def test_words_of_the_validation_text_alone_are_not_training_words(self, text):
        Path("held_out.txt").write_text("zebra\n", "utf-8")
        train = prepare("text.txt", validation=["held_out.txt"]).train
        assert train.counts[train.words.index("zebra")] == 0

    def test_a_share_of_the_documents(self, text):
        text.write_text("".join(f"a{n} b\nc{n}\n\n" for n in range(400)), "utf-8")
        corpora = prepare("text.txt", validation_share=0.25, documents="blank_line")
        parts = [sentences_of(corpora.train), sentences_of(corpora.validation)]
        whole = [[[f"a{n}", "b"], [f"c{n}"]] for n in range(400)]
        assert sorted(map(len, whole)) == [2] * 400
        for part in parts:
            assert part == [sentence for document in whole if document[0] in part for sentence in document]
        assert sum(map(len, parts)) == 800
        assert 60 <= len(parts[1]) / 2 <= 140  # 100, within 5 standard deviations
        assert corpora.train.counts.sum() + corpora.validation.counts.sum() == 1200

    def test_the_choice_depends_on_content_and_seed_alone(self, text):
        lines = [f"line {n}\n" for n in range(60)]
        chosen = []
        for content, seed in ((lines, 0), (lines[::-1] + ["new\n"] * 3, 0), (lines, 1)):
            text.write_text("".join(content), "utf-8")
            corpora = prepare("text.txt", validation_share=0.3, validation_seed=seed, documents="line")
            chosen.append({tuple(sentence) for sentence in sentences_of(corpora.validation)} - {("new",)})
        assert chosen[0] == chosen[1] != chosen[2]

    def test_files_are_documents(self, text):
        Path("texts").mkdir()
        for n in range(30):
            Path("texts", f"{n}").write_text(f"first {n}\n\nsecond {n}\n", "utf-8")
        corpora = prepare("texts", validation_share=0.4)
        held_out = sentences_of(corpora.validation)
        assert [sentence[0] for sentence in held_out] == ["first", "second"] * (len(held_out) // 2)
        assert 0 < len(held_out) < 60

    def test_equal_documents_stay_together(self, text):
        text.write_text("".join(f"line {n % 20}\n" for n in range(100)), "utf-8")
        assert prepare("text.txt", validation_share=0.5, documents="line").num_shared_sentences == 0

    def test_files_and_a_share(self, text):
        Path("held_out.txt").write_text("held out\n", "utf-8")
        text.write_text("".join(f"line {n}\n" for n in range(50)), "utf-8")
        settings = {"validation_share": 0.5, "documents": "line"}
        alone = sentences_of(prepare("text.txt", **settings).validation)
        assert sentences_of(prepare("text.txt", validation=["held_out.txt"], **settings).validation) == [
            *alone,
            ["held", "out"],
        ]

    @pytest.mark.parametrize(("share", "part"), [(1e-9, "validation"), (1 - 1e-9, "train")])
    def test_a_share_that_leaves_nothing(self, text, share, part):
        with pytest.raises(
            TextError,
            match=rf"^a validation_share of {share} of 5 document\(s\) leaves none for {part}; change it",
        ):
            prepare("text.txt", validation_share=share, documents="line")
        assert not Path("corpus", "corpus.json").exists()


@pytest.mark.parametrize("tokenizer", ["whitespace", "moses"])
def test_not_utf8(text, tokenizer):
    Path("latin.txt").write_bytes("fine\nalso fine\nthe café\n".encode("latin-1"))
    with pytest.raises(TextError, match=r"^latin.txt, line 3: not UTF-8 at byte 8; convert the file to UTF-8$"):
        prepare("text.txt", "latin.txt", tokenizer=tokenizer)
    assert not Path("corpus", "corpus.json").exists()


@pytest.mark.parametrize("content", ["", "\n\n  \n"])
@pytest.mark.parametrize("role", ["train", "validation"])
def test_no_sentence(text, content, role):
    Path("blank.txt").write_text(content, "utf-8")
    inputs = {"train": ["text.txt"], role: ["blank.txt", "blank.txt"]}
    with pytest.raises(TextError, match=r"^no sentence in blank.txt and 1 more file\(s\); is the text elsewhere\?$"):
        prepare(*inputs.pop("train"), **inputs)
    assert not Path("corpus", "corpus.json").exists()


def test_a_field_without_a_table(text):
    with pytest.raises(TextError, match=r"^text.txt is plain text and has no fields, got the field 'body'; leave it"):
        prepare("text.txt", field="body")
