"""Training that goes on with another vocabulary: what is kept, what begins anew, what is refused."""

import copy
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.optim import SGD, Adagrad, Adam, AdamW, RMSprop, Rprop, SparseAdam

from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.static_embeddings import warm_start

OLD = ["", "[UNK]", *"abcdefgh"]
SHUFFLED = ["h", "c", "[UNK]", "a", "g", "", "b", "e", "d", "f"]
NEW = [*"zhca", "[UNK]", *"yx", ""]
OPTIMIZERS = [
    partial(Adam, lr=0.01),
    partial(AdamW, lr=0.01, amsgrad=True),
    partial(SGD, lr=0.1, momentum=0.9),
    partial(Adagrad, lr=0.1),
    partial(RMSprop, lr=0.01, centered=True, momentum=0.5),
]


class Classifier(nn.Module):
    """Mean over embeddings, then a linear layer."""

    def __init__(self, num_words=10, **settings):
        super().__init__()
        self.embedding = nn.Embedding(num_words, 4, **settings)
        self.head = nn.Linear(4, 1)

    def forward(self, ids):
        return self.head(self.embedding(ids).mean(1)).squeeze(1)


def train(model, optimizer, vocabulary, steps):
    """Steps on the same sentences, whatever the vocabulary's order."""
    for step in steps:
        random = np.random.default_rng(step)
        sentences = random.choice(OLD, (6, 5))
        ids = torch.tensor([[vocabulary.index(word) for word in sentence] for sentence in sentences])
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(model(ids), torch.tensor([0.0, 1.0] * 3)).backward()
        optimizer.step()


def trained(optimizer_of, **settings):
    torch.manual_seed(0)
    model = Classifier(**settings)
    optimizer = optimizer_of(model.parameters())
    train(model, optimizer, OLD, range(5))
    return model, optimizer


@pytest.mark.parametrize("optimizer_of", OPTIMIZERS, ids=lambda optimizer_of: optimizer_of.func.__name__)
def test_training_goes_on_as_if_never_interrupted(optimizer_of, tmp_path):
    """Saved, loaded, given a vocabulary in another order, trained: bit for bit what training alone gives."""
    model, optimizer = trained(optimizer_of)
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, tmp_path / "checkpoint.pt")
    train(model, optimizer, OLD, range(5, 10))

    loaded = Classifier()
    continued = optimizer_of(loaded.parameters())
    checkpoint = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    loaded.load_state_dict(checkpoint["model"])
    continued.load_state_dict(checkpoint["optimizer"])
    warm_start(loaded, OLD, SHUFFLED, optimizer=continued)
    train(loaded, continued, SHUFFLED, range(5, 10))

    rows = [OLD.index(word) for word in SHUFFLED]
    assert torch.equal(loaded.embedding.weight, model.embedding.weight[rows])
    assert torch.equal(loaded.head.weight, model.head.weight)
    ours, theirs = continued.state[loaded.embedding.weight], optimizer.state[model.embedding.weight]
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        assert torch.equal(ours[name], value[rows] if value.dim() else value)
    again = Classifier(len(SHUFFLED))  # and so does a checkpoint of what was warm started
    again.load_state_dict(loaded.state_dict())
    optimizer_of(again.parameters()).load_state_dict(continued.state_dict())


def test_new_words_begin_with_an_initial_row_and_zeros():
    model, optimizer = trained(OPTIMIZERS[0])
    old = copy.deepcopy(optimizer.state[model.embedding.weight])
    old_weight, given = model.embedding.weight, torch.rand(len(NEW), 4, dtype=torch.float64)
    embedding = warm_start(model, OLD, NEW, optimizer=optimizer, initializer=given)
    assert embedding is model.embedding
    assert embedding.num_embeddings == len(NEW)
    assert old_weight not in optimizer.state
    assert sum(parameter is embedding.weight for parameter in optimizer.param_groups[0]["params"]) == 1
    state = optimizer.state[embedding.weight]
    assert state["step"] == old["step"] == 5
    for row, word in enumerate(NEW):
        if word in OLD:
            assert torch.equal(embedding.weight[row], old_weight[OLD.index(word)])
            assert torch.equal(state["exp_avg"][row], old["exp_avg"][OLD.index(word)])
            assert torch.equal(state["exp_avg_sq"][row], old["exp_avg_sq"][OLD.index(word)])
        else:
            assert torch.equal(embedding.weight[row], given[row].float())
            assert not state["exp_avg"][row].any()
            assert not state["exp_avg_sq"][row].any()
    before = embedding.weight.detach().clone()
    model(torch.tensor([[0, 1]])).sum().backward()
    optimizer.step()
    assert not torch.equal(embedding.weight[0], before[0])  # the new row learns


@pytest.mark.parametrize(
    ("optimizer_of", "state", "first"),
    [
        (partial(Adagrad, lr=0.1, initial_accumulator_value=0.25), "sum", 0.25),
        (partial(Rprop, lr=0.5), "step_size", 0.5),
    ],
)
def test_new_words_begin_as_the_optimizer_does(optimizer_of, state, first):
    model, optimizer = trained(optimizer_of)
    old = optimizer.state[model.embedding.weight][state].clone()
    embedding = warm_start(model, OLD, NEW, optimizer=optimizer)
    carried = optimizer.state[embedding.weight][state]
    for row, word in enumerate(NEW):
        expected = old[OLD.index(word)] if word in OLD else torch.full((4,), first)
        assert torch.equal(carried[row], expected)


def test_sparse_gradients():
    torch.manual_seed(0)
    embedding = nn.Embedding(3, 2, sparse=True)
    optimizer = SparseAdam(embedding.parameters(), lr=0.1)
    embedding(torch.tensor([0, 2])).sum().backward()
    optimizer.step()
    moments = optimizer.state[embedding.weight]["exp_avg"].clone()
    warm_start(embedding, ["a", "b", "c"], ["x", "c"], optimizer=optimizer)
    assert optimizer.state[embedding.weight]["exp_avg"].tolist() == [[0, 0], moments[2].tolist()]
    embedding(torch.tensor([0, 1])).sum().backward()
    optimizer.step()


def test_padding_is_the_same_word():
    model, _ = trained(OPTIMIZERS[0], padding_idx=0)
    warm_start(model, OLD, NEW)
    assert model.embedding.padding_idx == NEW.index("") == 7
    model(torch.tensor([[7, 0]])).sum().backward()
    assert not model.embedding.weight.grad[7].any()
    with pytest.raises(ConfigurationError, match=r"the new vocabulary must hold '', whose row is the padding.*; add"):
        warm_start(model, NEW, ["a", "b"])


def test_one_of_several_embeddings():
    model = nn.ModuleDict({"words": nn.EmbeddingBag(3, 2), "tags": nn.Embedding(3, 2)})
    words = model["words"].weight.detach().clone()
    tags = model["tags"].weight
    assert warm_start(model, ["a", "b", "c"], ["c"], embedding="words") is model["words"]
    assert model["words"](torch.tensor([[0]])).tolist() == [words[2].tolist()]
    assert model["tags"].weight is tags
    for named, got in ((None, "None; name it"), ("word", "'word'")):
        with pytest.raises(ConfigurationError, match=rf"one of .* embeddings \('words', 'tags'\), got {got}"):
            warm_start(model, ["a"], ["b"], embedding=named)
    with pytest.raises(ConfigurationError, match=r"embeddings \(none\), got None"):
        warm_start(nn.Linear(2, 2), ["a"], ["b"])


def test_frozen_rows_stay_frozen():
    model = Classifier()
    model.embedding.requires_grad_(False)
    optimizer = Adam(model.head.parameters())
    warm_start(model, OLD, NEW, optimizer=optimizer)
    assert not model.embedding.weight.requires_grad
    assert optimizer.param_groups[0]["params"] == list(model.head.parameters())


@pytest.mark.parametrize(
    ("old", "new", "initializer", "message"),
    [
        (OLD[:-1], NEW, "zeros", "old vocabulary must have a word for each of the 10 rows, got 9; give the one"),
        ([*OLD, "i"], NEW, "zeros", "old vocabulary must have a word for each of the 10 rows, got 11"),
        ([*OLD[:-1], "a"], NEW, "zeros", r"the old vocabulary must hold a word once, got \['a'\] repeated; remove"),
        (OLD, [*NEW, "z"], "zeros", r"the new vocabulary must hold a word once, got \['z'\] repeated; remove"),
        (OLD, NEW, torch.zeros(8, 5), r"must have the shape \(8, 4\) of the new weight, got \(8, 5\); give a row"),
        (OLD, NEW, np.zeros((4, 8)), r"must have the shape \(8, 4\) of the new weight, got \(4, 8\); give a row"),
        (OLD, NEW, lambda shape, dtype: torch.zeros(3), r"must have the shape \(8, 4\), or as many numbers, got"),
        (OLD, "none.txt", "zeros", r"the vocabulary file none\.txt does not exist; name one"),
    ],
)
def test_what_cannot_be_changes_nothing(old, new, initializer, message):
    model, optimizer = trained(OPTIMIZERS[0])
    weight = model.embedding.weight
    with pytest.raises(ConfigurationError, match=message):
        warm_start(model, old, new, optimizer=optimizer, initializer=initializer)
    assert model.embedding.weight is weight
    assert optimizer.param_groups[0]["params"][0] is weight
    train(model, optimizer, OLD, range(1))


def test_weights_and_optimizers_of_others():
    model = Classifier()
    with pytest.raises(ConfigurationError, match=r"must train the embedding's weight, it does not hold it; make"):
        warm_start(model, OLD, NEW, optimizer=Adam(model.head.parameters()))
    assert model.embedding.num_embeddings == len(OLD)
    model.output = nn.Linear(4, len(OLD), bias=False)
    model.output.weight = model.embedding.weight
    with pytest.raises(ConfigurationError, match="weight must be its own, 'output' has the same one; separate them"):
        warm_start(model, OLD, NEW)
