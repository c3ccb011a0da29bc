"""The fast form of a frozen biLM: when it runs, that it equals the network, and that it never lags behind."""

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from originals import COMMITTED_MODELS, committed_texts, read_committed
from pytorch_elmo import batch_to_ids
from pytorch_elmo.elmo.frozen import FrozenBiLM
from pytorch_elmo.elmo.token_table import TokenTable, distinct_tokens
from random_models import CONFIGS, random_bilm, random_ids

LENGTHS = st.lists(st.integers(0, 6), min_size=1, max_size=5)


def run(frozen: FrozenBiLM, bilm, ids) -> torch.Tensor:
    tokens = distinct_tokens(bilm, ids)
    table = TokenTable(frozen.engine(bilm).encode_words(tokens.rows), tokens.places, tokens.mask)
    return torch.stack(frozen.run(bilm, table))


def layers(bilm, ids) -> torch.Tensor:
    with torch.no_grad():
        return torch.stack(bilm(ids).layer_activations)


def near(ours: torch.Tensor, theirs: torch.Tensor) -> bool:
    assert ours.shape == theirs.shape
    return float((ours - theirs).abs().max()) <= 1e-5 * max(1.0, float(theirs.abs().max()))


@pytest.mark.parametrize("batch", committed_texts()["batches"])
@pytest.mark.parametrize("name", COMMITTED_MODELS)
def test_committed_models_give_the_network_s_layers(name, batch):
    bilm, ids = read_committed(name), batch_to_ids(committed_texts()["batches"][batch])
    assert near(run(FrozenBiLM(), bilm, ids), layers(bilm, ids))


@given(CONFIGS, LENGTHS)
def test_any_network_and_any_batch(config, lengths):
    bilm, ids = random_bilm(config, dtype=torch.float32), random_ids(lengths)
    assert near(run(FrozenBiLM(), bilm, ids), layers(bilm, ids))


def test_it_runs_where_no_gradient_is_wanted(small_model):
    frozen = FrozenBiLM()
    assert frozen.may_run(small_model)
    small_model._token_embedder._projection.bias.requires_grad_()
    assert not frozen.may_run(small_model)
    with torch.no_grad():
        assert frozen.may_run(small_model)
    assert not FrozenBiLM().may_run(small_model.requires_grad_(False).double())


def test_the_fast_form_is_made_once(small_model):
    frozen = FrozenBiLM()
    assert frozen.engine(small_model) is frozen.engine(small_model)


def by_an_optimizer(bilm):
    bilm.requires_grad_(True)
    optimizer = torch.optim.SGD(bilm.parameters(), lr=0.1)
    torch.stack(bilm(random_ids([3])).layer_activations).square().sum().backward()
    optimizer.step()
    bilm.requires_grad_(False)


def by_a_fused_optimizer(bilm):
    """It does not count as a change of the parameters for PyTorch."""
    optimizer = torch.optim.Adam(bilm.parameters(), lr=0.1, fused=True)
    torch.stack(bilm(random_ids([3])).layer_activations).square().sum().backward()
    optimizer.step()


def by_a_state_dict(bilm):
    bilm.load_state_dict(read_committed("clipped").apply(halve).state_dict())


def by_assigned_tensors(bilm):
    bilm.load_state_dict(read_committed("clipped").apply(halve).state_dict(), assign=True)
    bilm.requires_grad_(False)


def by_hand(bilm):
    with torch.no_grad():
        bilm.lstm.layers(1)[1].state_projection.weight[0, 0] += 0.5


@torch.no_grad()
def halve(module):
    for parameter in module.parameters(recurse=False):
        parameter.mul_(0.5)


@pytest.mark.parametrize("change", [by_an_optimizer, by_a_state_dict, by_assigned_tensors, by_hand])
def test_changed_parameters_are_noticed(small_model, change):
    frozen, ids = FrozenBiLM(), random_ids([3, 5])
    before = run(frozen, small_model, ids)
    change(small_model)
    after = run(frozen, small_model, ids)
    assert not near(after, before)
    assert near(after, layers(small_model, ids))


def test_a_fused_step_is_noticed_while_it_may_be_trained(small_model):
    frozen, ids = FrozenBiLM(), random_ids([3, 5])
    small_model.requires_grad_(True)
    with torch.no_grad():
        before = run(frozen, small_model, ids)
        assert frozen.engine(small_model) is frozen.engine(small_model)
    by_a_fused_optimizer(small_model)
    with torch.no_grad():
        after = run(frozen, small_model, ids)
    assert not near(after, before)
    assert near(after, layers(small_model, ids))


def test_training_between_two_times_of_being_frozen_is_noticed(make_elmo):
    elmo, ids = make_elmo(), random_ids([3, 5])
    before = elmo(ids)["elmo_representations"][0].detach()
    elmo.requires_grad_(True)
    optimizer = torch.optim.Adam(elmo.parameters(), lr=0.1, fused=True)
    elmo(ids)["elmo_representations"][0].square().sum().backward()
    optimizer.step()
    elmo.requires_grad_(False)
    after = elmo(ids)["elmo_representations"][0].detach()
    assert not near(after, before)
    assert near(after, copy.deepcopy(elmo)(ids)["elmo_representations"][0].detach())


def test_a_copy_makes_its_own_fast_form(small_model):
    frozen = FrozenBiLM()
    frozen.engine(small_model)
    assert copy.deepcopy(frozen)._engine is None
    assert frozen.__getstate__() == {"_engine": None, "_made_from": []}
