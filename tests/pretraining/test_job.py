"""From a configuration and text to a model folder."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from pytorch_elmo.errors import TextError
from pytorch_elmo.pretraining.config import CorpusConfig, parse_config
from pytorch_elmo.pretraining.job import prepare_run, prepare_text, save_model
from pytorch_elmo.pretraining.trainer import Trainer
from pytorch_elmo.progress import SilentProgress
from pytorch_elmo.weights.own_format import read_bilm, read_softmax
from small_runs import SENTENCES, Listener, Reports, small_config


@pytest.fixture
def config(tmp_path, monkeypatch):
    """A small run over a text in the working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text("".join(f"{' '.join(sentence)}\n" for sentence in SENTENCES), "utf-8")
    return small_config()


def prepare(config, tmp_path) -> Trainer:
    return prepare_run(config, tmp_path / "run", SilentProgress())


def test_the_folder_says_what_the_run_is(config, tmp_path):
    trainer = prepare(config, tmp_path)
    assert parse_config(json.loads((tmp_path / "run" / "config.json").read_text("utf-8"))) == config
    tokens = (tmp_path / "run" / "vocabulary.txt").read_text("utf-8").split()
    assert tokens == trainer.vocabulary.tokens
    assert tokens[:4] == ["<S>", "</S>", "<UNK>", "the"]
    assert len(tokens) == 3 + len({word for sentence in SENTENCES for word in sentence})


def test_the_text_is_read_once(config, tmp_path):
    prepare(config, tmp_path)
    listener = Listener()
    prepare_run(config, tmp_path / "run", listener)
    assert listener.totals == []


def test_the_vocabulary_is_cut(config, tmp_path):
    corpus = dataclasses.replace(config.corpus, vocabulary_size=6)
    assert len(prepare(dataclasses.replace(config, corpus=corpus), tmp_path).vocabulary) == 6
    corpus = dataclasses.replace(config.corpus, vocabulary_min_count=2)
    vocabulary = prepare(dataclasses.replace(config, corpus=corpus), tmp_path / "other").vocabulary
    assert vocabulary.tokens[3:] == ["the", ".", "a", "at", "boat", "noon", "sea"]


def test_the_vocabulary_can_be_given(config, tmp_path):
    (tmp_path / "words.txt").write_text("<UNK>\n<S>\n</S>\nsea\n", "utf-8")
    corpus = dataclasses.replace(config.corpus, vocabulary_file="words.txt")
    trainer = prepare(dataclasses.replace(config, corpus=corpus, num_negatives=2), tmp_path)
    assert trainer.vocabulary.tokens == ["<UNK>", "<S>", "</S>", "sea"]
    assert trainer.softmax.weight.shape == (4, 4)
    assert np.isfinite(trainer.train_step().forward_loss)


def test_no_text(config, tmp_path):
    nothing = dataclasses.replace(config, corpus=CorpusConfig(train=["*.text"]))
    with pytest.raises(TextError, match=r"^no text file matches '\*.text'; "):
        prepare(nothing, tmp_path)


def notes_of(config, folder) -> list[str]:
    class Notes(SilentProgress):
        def note(self, line) -> None:
            lines.append(line)

    lines: list[str] = []
    prepare_text(config, folder, Notes())
    return lines


def test_validation_text_reaches_the_trainer(config, tmp_path):
    (tmp_path / "held_out.txt").write_text("the sea\na zebra\n", "utf-8")
    config = dataclasses.replace(config, corpus=CorpusConfig(train=["text.txt"], validation=["held_out.txt"]))
    text = prepare_text(config, tmp_path / "run", SilentProgress())
    assert (text.train.num_sentences, text.validation.num_sentences) == (len(SENTENCES), 2)
    assert "zebra" not in text.vocabulary
    trainer = prepare(config, tmp_path)
    np.testing.assert_array_equal(trainer.validation.tokens, text.validation.tokens)
    np.testing.assert_array_equal(trainer.corpus.tokens, text.train.tokens)
    assert notes_of(config, tmp_path / "run") == []


def test_validation_text_that_is_training_text(config, tmp_path):
    (tmp_path / "held_out.txt").write_text("noon\na storm at sea\na zebra\n", "utf-8")
    config = dataclasses.replace(config, corpus=CorpusConfig(train=["text.txt"], validation=["held_out.txt"]))
    expected = (
        "warning: 2 of 3 validation sentences (66.7%) are training text too, word for word; "
        "the perplexity on them is too good"
    )
    for _ in range(2):  # also where the corpus is taken as it is
        assert notes_of(config, tmp_path / "run") == [expected]


def test_an_odd_vocabulary(config, tmp_path):
    (tmp_path / "words.txt").write_text("<S>\n</S>\n<UNK>\nnoon\nsea\nthe\nnoon\n", "utf-8")
    config = dataclasses.replace(config, corpus=CorpusConfig(train=["text.txt"], vocabulary_file="words.txt"))
    repeated, order = notes_of(config, tmp_path / "run")
    assert repeated.startswith("warning: words.txt: the vocabulary holds 1 token(s) more than once, 'noon'; the last")
    assert order.startswith("warning: words.txt: the vocabulary is not in descending frequency of this text")


def test_a_vocabulary_without_specials(config, tmp_path):
    (tmp_path / "words.txt").write_text("<S>\nnoon\n", "utf-8")
    config = dataclasses.replace(config, corpus=CorpusConfig(train=["text.txt"], vocabulary_file="words.txt"))
    with pytest.raises(TextError, match=r"^words.txt: a vocabulary holds .*, this one misses </S>, <UNK>; add them$"):
        prepare(config, tmp_path)


def test_a_trained_model_is_saved_and_read(config, tmp_path):
    trainer = prepare(config, tmp_path)
    assert trainer.run(tmp_path / "run", Reports())
    folder = save_model(trainer, tmp_path / "run")
    assert folder == tmp_path / "run" / "model"
    assert sorted(path.name for path in folder.iterdir()) == ["bilm.safetensors", "softmax.safetensors"]
    bilm, (softmax, vocabulary) = read_bilm(folder / "bilm.safetensors"), read_softmax(folder / "softmax.safetensors")
    assert vocabulary.tokens == trainer.vocabulary.tokens
    read = {**dict(bilm.named_parameters()), "softmax.weight": softmax.weight, "softmax.bias": softmax.bias}
    assert read.keys() == trainer.parameters.keys()
    assert all(torch.equal(parameter, read[name]) for name, parameter in trainer.parameters.items())


def test_a_run_that_was_stopped_goes_on(config, tmp_path):
    first = prepare(config, tmp_path)
    assert not first.run(tmp_path / "run", Reports(), stop=lambda: first.step == 2)
    second = prepare(config, tmp_path)
    second.resume(tmp_path / "run")
    reports = Reports()
    assert second.run(tmp_path / "run", reports)
    assert [report.step for report in reports.steps] == [3, 4, 5, 6]
