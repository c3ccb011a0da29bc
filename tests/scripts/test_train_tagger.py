"""The tagger, its training, and the command: a folder of tagged sentences in, a table and a JSON file out."""

import json
import math
import sys
from collections import Counter

import pytest
import torch

import train_tagger
from pytorch_elmo.static_embeddings import WordVectors
from tagger import data as tagger_data
from tagger import model as tagger_model
from tagger import spans as tagger_spans
from tagger import training as tagger_training

TaggerConfig = tagger_training.TaggerConfig

TAGS = ["B-X", "I-X", "O"]


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def small_tagger(*, elmo_shape=None, num_words=6, dropout=0.0):
    words = WordVectors([str(index) for index in range(num_words)], torch.randn(num_words, 4), trainable=True)
    return tagger_model.BiLstmTagger(
        word_vectors=words, elmo_shape=elmo_shape, num_tags=len(TAGS), hidden_size=5, dropout=dropout
    )


def numbered(rows, *, layers=False):
    """Sentences whose tag follows from the word: 2 begins a span, 3 goes on with it, others are outside."""
    return [
        tagger_data.NumberedSentence(
            word_ids=torch.tensor(row),
            tag_ids=torch.tensor([{2: 0, 3: 1}.get(word, 2) for word in row]),
            layers=torch.randn(3, len(row), 7).half() if layers else None,
        )
        for row in rows
    ]


ROWS = [[2, 3, 4], [5], [4, 2, 5, 2, 3, 3], [6, 2]]


@pytest.mark.parametrize("layers", [False, True])
def test_a_score_for_each_tag_does_not_depend_on_the_batch(layers):
    model = small_tagger(elmo_shape=(3, 7) if layers else None).eval()
    sentences = numbered(ROWS, layers=layers)
    together = model(tagger_data.pad(sentences))
    assert together.shape == (4, 6, 3)
    for row, sentence in zip(together, sentences, strict=True):
        alone = model(tagger_data.pad([sentence]))[0]
        torch.testing.assert_close(row[: len(alone)], alone)


def test_layers_are_mixed_by_learned_weights():
    model = small_tagger(elmo_shape=(3, 7)).eval()
    batch = tagger_data.pad(numbered(ROWS, layers=True))
    with torch.no_grad():
        model.mix.scalar_parameters[1].fill_(50.0)
        one = model(batch)
        only = batch.layers[1].expand_as(batch.layers)
        torch.testing.assert_close(model(batch._replace(layers=only)), one)
        assert not torch.allclose(model(batch._replace(layers=batch.layers.flip(0).roll(1, 0))), one)
    model(batch).sum().backward()
    assert model.mix.gamma.grad.abs() > 0


def test_frequent_training_words_get_rows_of_their_own():
    pretrained = WordVectors(["the", "of"], torch.tensor([[1.0, 2.0], [3.0, 4.0]]), lowercase=True)
    words = tagger_model.trainable_word_vectors(pretrained, Counter({"the": 5, "drug": 2, "once": 1}))
    assert words.words == ["the", "of", "drug"]
    assert words.embedding_matrix[2:4].tolist() == [[1, 2], [3, 4]]
    assert words.embedding_matrix[4].abs().min() > 0
    assert words.embedding_matrix.requires_grad
    assert words.words_to_ids([["The", "once", "DRUG"]]).tolist() == [[2, 1, 4]]


class SteppingClock:
    """Every look at it is `step` seconds later than the one before."""

    def __init__(self, step):
        self.now, self.step = 0.0, step

    def __call__(self):
        self.now += self.step
        return self.now


def train_small(*, config=None, max_seconds=math.inf, clock=None, seed=0, layers=False):
    torch.manual_seed(seed)
    model = small_tagger(elmo_shape=(3, 7) if layers else None)
    splits = {split: numbered(ROWS * 5, layers=layers) for split in tagger_data.SPLITS}
    config = config or TaggerConfig(learning_rate=0.03, batch_size=4, max_epochs=20, patience=3)
    clock = clock or SteppingClock(1.0)
    result = tagger_training.train(model, splits, TAGS, config, seed=seed, max_seconds=max_seconds, clock=clock)
    return model, splits, result


@pytest.mark.parametrize("layers", [False, True])
def test_the_tagger_learns_and_stops_when_dev_is_no_better(layers):
    model, splits, result = train_small(layers=layers)
    assert result.dev.f1 == result.test.f1 == 1.0
    assert result.stopped_by == "patience"
    assert result.num_epochs == result.best_epoch + 3
    assert tagger_training.evaluate(model, splits["dev"], TAGS) == result.dev  # the best epoch's parameters are back


def test_predictions_come_in_the_order_of_the_sentences():
    model, splits, _ = train_small()
    expected = [[TAGS[tag] for tag in sentence.tag_ids] for sentence in splits["test"]]
    assert tagger_training.predict(model, splits["test"], TAGS) == expected


def test_the_best_epoch_is_kept_not_the_last(monkeypatch):
    dev_scores = iter([3, 7, 5, 6])
    seen = []

    def evaluate(model, sentences, tags):
        seen.append({name: tensor.clone() for name, tensor in model.state_dict().items()})
        return tagger_spans.SpanScores(num_right=next(dev_scores, 0), num_predicted=10, num_gold=10)

    monkeypatch.setattr(tagger_training, "evaluate", evaluate)
    model, _, result = train_small(config=TaggerConfig(batch_size=4, max_epochs=9, patience=2))
    assert (result.best_epoch, result.num_epochs, result.stopped_by, result.dev.num_right) == (2, 4, "patience", 7)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, seen[1][name])
        assert torch.equal(tensor, seen[4][name])  # what test is scored with
    assert any(not torch.equal(seen[1][name], seen[3][name]) for name in seen[1])


def test_epochs_and_the_clock_end_training():
    config = TaggerConfig(batch_size=4, max_epochs=3, patience=99)
    assert train_small(config=config)[2].stopped_by == "epochs"
    assert train_small(config=config)[2].num_epochs == 3
    # An epoch is one look at the clock; after two, a third would end at 30 seconds.
    _, _, result = train_small(config=config, max_seconds=29.0, clock=SteppingClock(10.0))
    assert (result.stopped_by, result.num_epochs) == ("time", 2)
    _, _, result = train_small(config=config, max_seconds=0.0)
    assert (result.stopped_by, result.num_epochs) == ("time", 1)


def test_a_seed_gives_the_same_tagger_again():
    config = TaggerConfig(batch_size=4, max_epochs=2)
    first, again, other = (train_small(config=config, seed=seed)[0].state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_mean_and_sample_deviation():
    assert train_tagger.spread([1.0, 2.0, 6.0]) == {"mean": 3.0, "deviation": pytest.approx(math.sqrt(7.0))}
    assert train_tagger.spread([0.5]) == {"mean": 0.5, "deviation": None}


@pytest.fixture
def folder(tmp_path):
    """Spans are the two words after `take`; `small.txt` knows some of the words."""
    lines = ["take\tO", "New\tB-X", "drug\tI-X", ".\tO", "", "No\tO", "drug\tO", "", "Take\tO", "a\tB-X", "pill\tI-X"]
    for split, times in (("train", 20), ("dev", 2), ("test", 1)):
        (tmp_path / f"{split}.tsv").write_text("\n\n".join(["\n".join(lines)] * times) + "\n", encoding="utf-8")
    (tmp_path / "small.txt").write_text("take 1 0 1 0\ndrug 0 1 0 1\nunused 9 9 9 9\n", encoding="utf-8")
    return tmp_path


def run_main(folder, monkeypatch, *arguments):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["train_tagger.py", ".", "--word-vectors", "small.txt", *arguments])
    train_tagger.main()


def test_the_command_compares_both_configurations(folder, small_model_folder, monkeypatch, capsys):
    model = str(small_model_folder)
    config = TaggerConfig(hidden_size=20, dropout=0.1, batch_size=8, learning_rate=0.02, max_epochs=6)
    monkeypatch.setattr(train_tagger, "TaggerConfig", lambda: config)
    run_main(folder, monkeypatch, "--model", model, "--seeds", "2", "--json", "results.json")
    printed = capsys.readouterr().out.splitlines()
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))

    assert list(results["configurations"]) == ["word vectors", "word vectors + ELMo"]
    assert results["word_vectors"]["words"] == 2
    assert results["word_vectors"]["share_of_test_tokens"] == 4 / 9
    assert results["tagger"]["hidden_size"] == 20
    assert results["data"]["train"] == {"sentences": 60, "file": "train.tsv"}
    for result in results["configurations"].values():
        assert [seed["seed"] for seed in result["seeds"]] == [0, 1]
        assert [seed["test"]["num_gold"] for seed in result["seeds"]] == [2, 2]
        scores = [seed["test"]["f1"] for seed in result["seeds"]]
        assert result["test"]["f1"]["mean"] == pytest.approx(sum(scores) / 2)
        assert result["test"]["f1"]["mean"] > 0.4
    assert results["configurations"]["word vectors + ELMo"]["model"] == model

    assert printed[0].split() == ["seeds", "precision", "recall", "F1", "dev", "F1", "cut", "by", "time"]
    mean = 100 * results["configurations"]["word vectors + ELMo"]["test"]["f1"]["mean"]
    assert printed[2].startswith("word vectors + ELMo")
    assert printed[2].split()[4] == "2"
    assert printed[2].split()[11] == f"{mean:.2f}"
    assert [line.split()[-1] for line in printed[1:]] == ["0", "0"]


def test_word_vectors_alone_on_request(folder, monkeypatch, capsys):
    run_main(folder, monkeypatch, "--no-elmo", "--seeds", "1", "--max-minutes", "0.00001")
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 2
    assert "±" not in printed[1]
    assert printed[1].split()[-1] == "1"  # the seed that the clock ended after its one epoch


@pytest.mark.parametrize("arguments", [("--seeds", "0"), ("--max-minutes", "0")])
def test_arguments_out_of_range_are_refused(folder, monkeypatch, arguments):
    message = r"error: --seeds must be at least 1 and --max-minutes above 0, got \d+ and [\d.]+; leave them out"
    with pytest.raises(SystemExit, match=message):
        run_main(folder, monkeypatch, *arguments)


def test_a_broken_file_ends_the_command_in_one_line(folder, monkeypatch):
    (folder / "dev.tsv").write_text("a\n", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"error: dev\.tsv, line 1: a line must be a token, a tab and a tag"):
        run_main(folder, monkeypatch)
