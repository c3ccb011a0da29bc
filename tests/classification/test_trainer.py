"""The loop: rounds, histories, stopping early, and what it writes."""

import re
import sys

import pytest
import torch
from torch import nn

from pytorch_elmo.classification.classifier import MeanEmbedding, TextClassifier, dense_head
from pytorch_elmo.classification.evaluation import Task, evaluate
from pytorch_elmo.classification.examples import Examples
from pytorch_elmo.classification.history import History
from pytorch_elmo.classification.initialization import initialize_as_keras
from pytorch_elmo.classification.losses import binary_cross_entropy, softmax_cross_entropy
from pytorch_elmo.classification.metrics import accuracy, macro_f1
from pytorch_elmo.classification.optimizers import KerasAdam
from pytorch_elmo.classification.orders import EndlessShuffle, InOrder, ShuffledEpochs
from pytorch_elmo.classification.trainer import fit
from pytorch_elmo.errors import ConfigurationError

TASK = Task(loss=softmax_cross_entropy, metrics={"accuracy": accuracy, "f1": macro_f1}, batch_size=7)


def points(num_examples: int, seed: int) -> Examples:
    """Points of three classes around three centres."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 3, (num_examples,), generator=generator)
    centres = torch.tensor([[2.0, 0.0], [0.0, 2.0], [-2.0, -2.0]])
    return Examples(centres[labels] + 0.3 * torch.randn(num_examples, 2, generator=generator), labels)


def classifier(seed: int = 0) -> TextClassifier:
    model = TextClassifier(nn.Identity(), dense_head(2, 8, 3))
    initialize_as_keras(model, seed)
    return model


def run(model=None, *, rounds=4, **arguments) -> History:
    model = model or classifier()
    settings = {
        "task": TASK,
        "optimizer": KerasAdam(model.parameters(), lr=0.05),
        "order": ShuffledEpochs(batch_size=8, seed=1),
        "validation": points(20, seed=2),
    }
    return fit(model, points(50, seed=1), rounds=rounds, **settings | arguments)


class Listener:
    """Writes down what it hears."""

    def __init__(self):
        self.heard = []

    def start(self, *, total, unit, done=0, label=""):
        self.heard.append(f"{label}: {total} {unit}s")

    def advance(self, amount):
        self.heard.append(amount)

    def note(self, line):
        self.heard.append(line)

    def finish(self):
        self.heard.append("end")


def test_it_learns_and_says_how():
    model = classifier()
    history = run(model)
    assert [row["round"] for row in history.rows] == [1, 2, 3, 4]
    assert [row["step"] for row in history.rows] == [7, 14, 21, 28]
    assert len(history.step_losses) == 28
    assert list(history.rows[0]) == [
        "round", "step", "loss", "accuracy", "f1", "val_loss", "val_accuracy", "val_f1",
    ]  # fmt: skip
    assert history.column("val_accuracy")[-1] == 1.0
    assert history.rows[-1]["val_loss"] < 0.1 * history.rows[0]["loss"]
    figures = evaluate(model, points(20, seed=2), TASK)
    assert {f"val_{name}": value for name, value in figures.items()}.items() <= history.rows[-1].items()


def test_equal_seeds_give_equal_runs():
    assert run(classifier(seed=3)).rows == run(classifier(seed=3)).rows
    assert run(classifier(seed=3)).rows != run(classifier(seed=4)).rows


def test_figures_are_taken_before_each_step_and_weighted_by_size():
    model, training = classifier(), points(10, seed=1)
    frozen = torch.optim.SGD(model.parameters(), lr=0.0)
    history = fit(model, training, task=TASK, optimizer=frozen, order=InOrder(batch_size=8), rounds=1)
    row = history.rows[0]
    losses = history.step_losses
    assert row["loss"] == pytest.approx((8 * losses[0] + 2 * losses[1]) / 10)
    assert row["loss"] == pytest.approx(evaluate(model, training, TASK)["loss"], abs=1e-6)
    by_batches = evaluate(model, training, Task(loss=softmax_cross_entropy, batch_size=8, mean_of_batches=True))
    assert by_batches["loss"] == pytest.approx(sum(losses) / 2, abs=1e-6)
    assert abs(by_batches["loss"] - row["loss"]) > 1e-4


def test_rounds_may_be_steps():
    history = run(order=EndlessShuffle(batch_size=4, steps=3, seed=0), rounds=5)
    assert [row["step"] for row in history.rows] == [3, 6, 9, 12, 15]


def test_no_validation():
    assert list(run(validation=None).rows[0]) == ["round", "step", "loss", "accuracy", "f1"]


def test_early_stop_puts_the_best_parameters_back():
    model = classifier()
    kept = []

    def remember(logits, labels):
        kept.append([parameter.detach().clone() for parameter in model.parameters()])
        return 0.0

    task = Task(loss=softmax_cross_entropy, metrics={"kept": remember}, batch_size=100)
    ascent = torch.optim.SGD(model.parameters(), lr=0.3, maximize=True)
    history = run(model, task=task, optimizer=ascent, rounds=9, patience=2)
    losses = history.column("val_loss")
    assert len(losses) == 3
    assert losses[0] < losses[1] < losses[2]
    after_the_first_round = kept[1]  # the first call is for the training examples
    assert all(torch.equal(*pair) for pair in zip(after_the_first_round, model.parameters(), strict=True))


def test_progress_is_heard():
    listener = Listener()
    run(rounds=1, progress=listener)
    assert listener.heard[:8] == ["training: 7 steps", *[1] * 7]
    assert re.fullmatch(r"round 1, step 7: loss \d\.\d{4}, accuracy .*val_f1 \d\.\d{4}", listener.heard[8])
    assert listener.heard[9:] == ["end"]


def test_texts_and_ids_are_inputs():
    class Lengths(nn.Module):
        def forward(self, texts):
            return torch.tensor([[float(len(text))] for text in texts])

    texts = ["a", "bb", "cccccc", "dddddd"] * 3
    model = TextClassifier(Lengths(), dense_head(1, 1))
    task = Task(loss=binary_cross_entropy, metrics={"accuracy": accuracy})
    training = Examples(texts, torch.tensor([0, 0, 1, 1] * 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    history = fit(
        model, training, task=task, optimizer=optimizer, order=ShuffledEpochs(batch_size=4, seed=0), rounds=60
    )
    assert history.column("accuracy")[-1] == 1.0

    ids = torch.tensor([[1, 0], [2, 0], [1, 1], [2, 2]] * 3)
    model = TextClassifier(MeanEmbedding(3, 4), dense_head(4, 1))
    training = Examples(ids, torch.tensor([0, 1] * 6))
    adam = KerasAdam(model.parameters(), lr=0.05)
    history = fit(model, training, task=task, optimizer=adam, order=InOrder(batch_size=12), rounds=60)
    assert history.column("accuracy")[-1] == 1.0
    assert model.encoder(torch.tensor([[1, 0]])).tolist() == [model.encoder.embedding.weight[:2].mean(dim=0).tolist()]


def test_tensorboard_has_keras_tags(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    history = run(rounds=2, log_folder=tmp_path / "logs")
    for part, prefix in (("train", ""), ("validation", "val_")):
        events = accumulator.EventAccumulator(str(tmp_path / "logs" / part))
        events.Reload()
        assert events.Tags()["scalars"] == ["epoch_loss", "epoch_accuracy", "epoch_f1"]
        scalars = events.Scalars("epoch_loss")
        assert [scalar.step for scalar in scalars] == [0, 1]
        assert [scalar.value for scalar in scalars] == pytest.approx(history.column(f"{prefix}loss"), rel=1e-6)


def test_without_tensorboard_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ConfigurationError, match=r"needs TensorBoard.*pip install 'pytorch-elmo\[train\]'"):
        run(log_folder=tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rounds": 0}, "rounds is at least 1, got 0; give a positive number"),
        ({"patience": 2, "validation": None}, "patience .* needs validation examples, got 2 with none; give both"),
        ({"patience": 0}, "patience is at least 1 and needs validation examples, got 0 with 20"),
    ],
)
def test_settings_that_cannot_be(arguments, message):
    with pytest.raises(ConfigurationError, match=message):
        run(**arguments)


def test_a_loss_that_is_no_number_ends_the_run():
    model = classifier()
    with torch.no_grad():
        model.head[0].bias[0] = torch.inf
    with pytest.raises(ConfigurationError, match="the loss of step 1 is nan; lower the learning rate"):
        run(model)


def test_examples_have_one_label_each():
    with pytest.raises(ConfigurationError, match=r"one an example \(2\), got torch.int64 of shape \(3,\); give one"):
        Examples(torch.zeros(2, 4), torch.zeros(3, dtype=torch.int64))
    with pytest.raises(ConfigurationError, match=r"labels are whole numbers, .* got torch.float32"):
        Examples(["a"], torch.zeros(1))
    with pytest.raises(ConfigurationError, match="at least one example is needed, got 0; check how"):
        Examples([], torch.zeros(0, dtype=torch.int64))


def test_a_head_has_sizes():
    with pytest.raises(ConfigurationError, match=r"at least two sizes, all positive, got \[4\]; give more"):
        dense_head(4)
    with pytest.raises(ConfigurationError, match=r"got \[4, 0\]"):
        dense_head(4, 0)
