"""What the probes find in vectors made up to hold it, and the script from the columns to the picture."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import probe_layers
from probes import data as probe_data
from probes import senses as probe_senses
from probes import tags as probe_tags
from pytorch_elmo.errors import TextError
from tiny_tasks import NUM_SENTENCES, conll_2012

Predicate = probe_data.Predicate


@pytest.fixture
def source(tmp_path) -> Path:
    """Three parts; `see` has two senses, decided by the subject; one is written as its number alone."""
    for split in ("train", "development", "test"):
        folder = tmp_path / "data" / split
        folder.mkdir(parents=True)
        lines = conll_2012().splitlines(keepends=True)
        for number, line in enumerate(lines):
            if " see see.01 " in line:
                lines[number] = line.replace("see.01", "see.02" if "sailor" in lines[number - 1] else "01")
        (folder / "tiny.gold_conll").write_text("".join(lines), encoding="utf-8")
    return tmp_path / "data"


def test_words_tags_and_senses_are_read(source):
    splits = probe_data.read_splits(source)
    train = splits["train"]
    assert list(splits) == ["train", "dev", "test"]
    assert len(train.sentences) == len(train.predicates) == NUM_SENTENCES
    assert len(train.words) == len(train.tags) == sum(map(len, train.sentences))
    for predicate in train.predicates:
        assert train.tags[predicate.position] == "VBZ"
        assert train.words[predicate.position] == f"{predicate.lemma}s"
    assert {predicate.sense for predicate in train.predicates if predicate.lemma == "see"} == {"see.01", "see.02"}


def test_a_part_that_is_not_there(source):
    (source / "test" / "tiny.gold_conll").unlink()
    with pytest.raises(TextError, match=r"test must have a sentence with a predicate .* got 0 sentences; name the"):
        probe_data.read_splits(source)


def test_a_row_that_is_too_short(source):
    (source / "test" / "other.gold_conll").write_text("doc 0 0 word NN *\n", encoding="utf-8")
    with pytest.raises(TextError, match=r"other\.gold_conll, line 1: a row needs 8 columns or more, got 6; mend"):
        probe_data.read_splits(source)


def random_layers(num_tokens: int, seed: int) -> torch.Tensor:
    return torch.randn(3, num_tokens, 6, generator=torch.Generator().manual_seed(seed)).half()


@pytest.fixture
def tagged() -> tuple[dict, dict]:
    """Layers and targets of which layer 1 decides between four tags, linearly."""
    layers = {name: random_layers(count, seed) for seed, (name, count) in enumerate(SIZES.items())}
    return layers, {name: 2 * (found[1, :, 0] > 0) + (found[1, :, 3] > 0.2) for name, found in layers.items()}


SIZES = {"train": 3000, "dev": 400, "test": 500}
CONFIG = probe_tags.ProbeConfig(num_epochs=15, batch_size=64)


def test_a_linear_probe_finds_what_is_in_a_layer_and_nowhere_else(tagged):
    layers, targets = tagged
    found = [
        probe_tags.train_probe({name: some[k : k + 1] for name, some in layers.items()}, targets, CONFIG, label="")
        for k in range(3)
    ]
    test = [result.answers["test"].mean() for result in found]
    assert test[1] > 0.97
    assert max(test[0], test[2]) < 0.45
    assert found[1].losses == sorted(found[1].losses, reverse=True)
    assert found[1].mix is None
    for name, size in SIZES.items():
        assert found[1].answers[name].shape == (size,)


def test_the_mix_learns_which_layer_to_take(tagged):
    result = probe_tags.train_probe(*tagged, CONFIG, label="")
    assert result.mix[1] > 0.6
    assert sum(result.mix) == pytest.approx(1)
    assert result.answers["test"].mean() > 0.9


def test_the_epoch_that_is_best_on_dev_answers(tagged, monkeypatch):
    layers, targets = tagged
    accuracies, real = iter([0.1, 0.9, 0.3]), probe_tags.answer
    seen = []

    def answer(probe, some, targets):
        if (accuracy := next(accuracies, None)) is None:
            return real(probe, some, targets)
        seen.append(real(probe, some, targets))
        return np.array([accuracy])

    monkeypatch.setattr(probe_tags, "answer", answer)
    config = probe_tags.ProbeConfig(num_epochs=3)
    result = probe_tags.train_probe(layers, targets, config, label="")
    assert result.best_epoch == 2
    np.testing.assert_array_equal(result.answers["dev"], seen[1])
    assert (seen[1] != seen[2]).any()


def test_a_seed_gives_the_same_probe_again(tagged):
    first, again, other = (
        probe_tags.train_probe(*tagged, probe_tags.ProbeConfig(num_epochs=2, seed=seed), label="")
        for seed in (0, 0, 1)
    )
    assert first.losses == again.losses
    assert first.losses != other.losses


def test_tags_that_train_does_not_have_are_never_right():
    ids = probe_tags.tag_ids({"train": ["NN", "DT"], "test": ["DT", "XX", "NN"]})
    assert ids["train"].tolist() == [1, 0]
    assert ids["test"].tolist() == [0, probe_tags.UNSEEN_TAG_ID, 1]


def test_the_most_frequent_tag():
    words, tags = ["run", "run", "run", "a", "dog", "cat"], ["NN", "VB", "VB", "DT", "NN", "NN"]
    assert probe_tags.most_frequent_tags(words, tags, ["run", "a", "unheard"]) == ["VB", "DT", "NN"]


def predicates(*senses: str) -> list:
    return [Predicate(place, sense.partition(".")[0], sense) for place, sense in enumerate(senses)]


def test_the_nearest_sense_is_that_of_the_mean_vector():
    """Senses of `run` lie on two axes; one vector of run.02 strays, its mean does not."""
    train = predicates("run.01", "run.01", "run.01", "run.02", "run.02", "run.02", "eat.03")
    vectors = torch.tensor([[9.0, 0], [5, 1], [7, -1], [0, 1], [0, 2], [1, 0], [0, -1]])
    asked = predicates("run.01", "run.02", "eat.01", "sit.02", "sit.01")
    found = probe_senses.nearest_senses(
        probe_senses.SenseInventory(train),
        train,
        vectors,
        asked,
        torch.tensor([[0.3, 0], [0, 40], [1, 1], [1, 1], [0, 1]]),
    )
    assert found == ["run.01", "run.02", "eat.03", "sit.01", "sit.01"]
    assert probe_senses.right(found, asked).tolist() == [True, True, False, False, True]


def test_the_first_sense_is_the_most_frequent():
    inventory = probe_senses.SenseInventory(predicates("run.02", "run.01", "run.02", "go.03", "go.02"))
    assert [inventory.first(lemma) for lemma in ("run", "go", "sit")] == ["run.02", "go.02", "sit.01"]
    assert inventory.senses("sit") == []
    assert "sit" not in inventory


def test_a_share_and_its_interval():
    found = probe_layers.score(np.array([True] * 90 + [False] * 10))
    assert (found["score"], found["count"]) == (0.9, 100)
    assert found["half_width"] == pytest.approx(1.96 * 0.03)
    assert probe_layers.score(np.array([], dtype=bool))["count"] == 0


def run_main(monkeypatch, *arguments) -> None:
    monkeypatch.setattr(sys, "argv", ["probe_layers.py", *map(str, arguments)])
    probe_layers.main()


def test_from_columns_to_picture(source, small_model_folder, tmp_path, monkeypatch, capsys):
    run_main(monkeypatch, small_model_folder, "--tags", source, "--output", tmp_path / "out", "--epochs", "3")
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [" ".join(row).split(" ", 1)[0] for row in rows[2:7]] == ["baseline", "token", "LSTM", "LSTM", "mix"]
    assert (tmp_path / "out" / "probes.png").read_bytes()[1:4] == b"PNG"
    results = json.loads((tmp_path / "out" / "probes.json").read_text("utf-8"))
    assert list(results["tags"]) == list(results["senses"]) == ["baseline", "token layer", "LSTM 1", "LSTM 2", "mix"]
    assert results["tags"]["baseline"]["test"]["score"] == 1.0  # every word of the tiny task has one tag
    assert results["senses"]["baseline"]["test"]["count"] == NUM_SENTENCES
    assert results["senses"]["token layer"]["test"]["known_lemmas"] == NUM_SENTENCES
    several = results["senses"]["LSTM 1"]["test"]["several_senses"]
    assert 0 < several["count"] < NUM_SENTENCES
    assert len(results["tags"]["mix"]["mix"]) == 3
    assert len(results["tags"]["LSTM 1"]["training_losses"]) == 3
    assert rows[2][-4:-3] == [f"{100 * results['senses']['baseline']['dev']['several_senses']['score']:.2f}"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none", "--output", "out"), "error: no model or folder is called 'none'"),
        (("--output", "out", "--epochs", "0"), "error: --epochs must be at least 1, got 0; leave it out"),
        (("--output", "file"), "error: --output must be a folder, file is a file; name another"),
        (("--output", "out", "--tags", "file"), r"error: SOURCE must be a folder or a tar file .* got file"),
    ],
)
def test_what_is_refused_in_one_line(source, monkeypatch, tmp_path, arguments, message):
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("no tar", encoding="utf-8")
    given = arguments if "--tags" in arguments else (*arguments, "--tags", source)
    with pytest.raises(SystemExit) as ended:
        run_main(monkeypatch, *given)
    assert re.match(message, str(ended.value.code)), ended.value.code
    assert "\n" not in str(ended.value.code)
    assert not Path("out").exists()


def test_a_picture_needs_matplotlib(source, monkeypatch, tmp_path):
    monkeypatch.setattr(probe_layers.importlib.util, "find_spec", lambda name: None)
    message = r"error: the picture needs matplotlib, which is missing; pip install pytorch-elmo\[pictures\]"
    with pytest.raises(SystemExit, match=message):
        run_main(monkeypatch, "--tags", source, "--output", tmp_path / "out")
