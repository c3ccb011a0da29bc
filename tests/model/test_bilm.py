"""The whole network against the originals and the slow reference, and what must not change a sentence's vectors."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from originals import (
    COMMITTED,
    COMMITTED_MODELS,
    MODELS,
    STATEFUL_MODELS,
    close,
    committed_texts,
    original_ids,
    read_committed,
    read_original,
    state_close,
)
from pytorch_elmo.model.bidirectional_lstm import LstmState
from pytorch_elmo.model.bilm import BiLM, BiLMOutput, boundary_rows
from pytorch_elmo.text import batch_to_ids
from pytorch_elmo.text.characters import token_to_ids
from random_models import CONFIGS, bilm_config, random_bilm, random_ids

FOLDER = "goldens_2.10.1"
LENGTHS = st.lists(st.integers(0, 5), min_size=1, max_size=4)
# Scenarios in which no call has more or fewer rows than the call before it, up to the step where one has.
SCENARIO_STEPS = {"same3": 3, "reset": 4, "reset_rows": 3, "padding_rows": 3}


def reset(state: LstmState, rows: str) -> LstmState:
    """Zero the rows marked with 1 in, say, `1,0,1`."""
    keep = torch.tensor([row == "0" for row in rows.split(",")])[None, :, None]
    return LstmState(state.hidden * keep, state.cell * keep)


def sentence_of(output: BiLMOutput, row: int, num_tokens: int) -> Tensor:
    """All layers of one sentence with its boundaries: (num_layers, num_tokens + 2, dim)."""
    return torch.stack([layer[row, : num_tokens + 2] for layer in output.layer_activations])


@pytest.mark.parametrize("name", MODELS)
def test_original_layers_masks_and_states(golden_folder, name):
    bilm = read_original(golden_folder, name)
    with np.load(golden_folder / FOLDER / name / "bilm.npz") as theirs:
        batches = sorted({key.split("__")[0] for key in theirs.files})
        assert len(batches) == 11
        for batch in batches:
            output = bilm(original_ids(golden_folder, batch))
            close(output.layer_activations, theirs[f"{batch}__layers"])
            np.testing.assert_array_equal(output.mask, theirs[f"{batch}__mask"])
            state_close(output.state, theirs[f"{batch}__state_h"], theirs[f"{batch}__state_c"])


def test_original_cells_without_skip_connections(golden_folder):
    bilm = read_original(golden_folder, "noskip")
    assert not bilm.config.lstm.use_skip_connections
    with np.load(golden_folder / FOLDER / "noskip" / "not_allennlp.npz") as theirs:
        batches = sorted({key.split("__")[0] for key in theirs.files})
        assert len(batches) == 3
        for batch in batches:
            close(bilm(original_ids(golden_folder, batch)).layer_activations, theirs[f"{batch}__layers"])


@pytest.mark.parametrize("scenario", SCENARIO_STEPS)
@pytest.mark.parametrize("name", STATEFUL_MODELS)
def test_original_calls_that_carry_the_state(golden_folder, name, scenario):
    bilm, state = read_original(golden_folder, name), None
    steps = json.loads((golden_folder / FOLDER / "stateful_scenarios.json").read_text("utf-8"))[scenario]
    assert len(steps) >= SCENARIO_STEPS[scenario]
    with np.load(golden_folder / FOLDER / name / "stateful.npz") as theirs:
        for number, step in enumerate(steps[: SCENARIO_STEPS[scenario]]):
            if step.startswith("RESET"):
                state = None if step == "RESET" else reset(state, step.removeprefix("RESET:"))
                continue
            output = bilm(original_ids(golden_folder, step), state)
            state, key = output.state, f"{scenario}__{number}"
            close(output.layer_activations, theirs[f"{key}__layers"])
            state_close(state, theirs[f"{key}__state_h"], theirs[f"{key}__state_c"])


@pytest.mark.parametrize("name", COMMITTED_MODELS)
def test_committed_layers_masks_and_states(name):
    bilm, batches = read_committed(name), committed_texts()["batches"]
    assert len(batches) == 5
    with np.load(COMMITTED / name / "bilm.npz") as theirs:
        for batch, sentences in batches.items():
            output = bilm(batch_to_ids(sentences))
            close(output.layer_activations, theirs[f"{batch}__layer_activations"])
            np.testing.assert_array_equal(output.mask, theirs[f"{batch}__mask"])
            state_close(output.state, theirs[f"{batch}__state_hidden"], theirs[f"{batch}__state_cell"])


@pytest.mark.parametrize("name", COMMITTED_MODELS)
def test_committed_calls_in_double_precision(name):
    """In float64 the reference is met to rounding: nothing but the precision separates the two."""
    bilm, texts = read_committed(name).double(), committed_texts()
    first, second = (batch_to_ids(texts["batches"][batch]) for batch in texts["stateful_calls"][:2])
    with np.load(COMMITTED / name / "stateful.npz") as theirs:
        state = bilm(first).state
        state_close(state, theirs["call0__state_hidden"], theirs["call0__state_cell"], tolerance=1e-12)
        fresh = bilm.lstm.zero_state(2)
        grown = LstmState(torch.cat([state.hidden, fresh.hidden], 1), torch.cat([state.cell, fresh.cell], 1))
        close(bilm(second, grown).layer_activations, theirs["call1__layer_activations"], tolerance=1e-12)


@given(CONFIGS, LENGTHS)
def test_documented_shapes_and_zeros_where_padded(config, lengths):
    output = random_bilm(config)(random_ids(lengths))
    shape = (len(lengths), max(lengths) + 2, config.dim)
    assert [tuple(layer.shape) for layer in output.layer_activations] == [shape] * config.num_layers
    assert output.mask.dtype == torch.bool
    assert output.mask.sum(dim=1).tolist() == [length + 2 for length in lengths]
    for layer in output.layer_activations:
        assert not layer[~output.mask].any()
    doubled = output.layer_activations[0]
    assert torch.equal(doubled[..., : config.dim // 2], doubled[..., config.dim // 2 :])


@settings(max_examples=40)
@given(CONFIGS, LENGTHS, st.randoms(use_true_random=False))
def test_neither_the_batch_nor_the_order_changes_a_sentence(config, lengths, random):
    bilm, ids = random_bilm(config), random_ids(lengths)
    order = random.sample(range(len(lengths)), len(lengths))
    together, permuted = bilm(ids), bilm(ids[order])
    for row, length in enumerate(lengths):
        alone = sentence_of(bilm(ids[row : row + 1, :length]), 0, length)
        torch.testing.assert_close(sentence_of(together, row, length), alone, rtol=0, atol=1e-12)
        torch.testing.assert_close(sentence_of(permuted, order.index(row), length), alone, rtol=0, atol=1e-12)


def test_a_second_call_equals_the_first():
    bilm, ids = random_bilm(bilm_config()), random_ids([3, 1])
    first, second = bilm(ids), bilm(ids)
    assert all(map(torch.equal, first.layer_activations, second.layer_activations))


def test_the_state_carries_over_to_the_next_call_of_a_row():
    bilm, ids = random_bilm(bilm_config(cell_clip=None, projection_clip=None)), random_ids([4])
    cold = bilm(ids)
    warm = bilm(ids, cold.state)
    difference = (warm.layer_activations[-1] - cold.layer_activations[-1]).abs()
    assert difference.max() > 1e-3
    assert torch.equal(warm.layer_activations[0], cold.layer_activations[0])


@pytest.mark.parametrize("length", [0, 1, 49, 50, 51, 130])
def test_sentences_of_any_length(length):
    bilm = random_bilm(bilm_config())
    together = bilm(random_ids([length, 2]))
    alone = bilm(random_ids([length]))
    torch.testing.assert_close(sentence_of(together, 0, length), sentence_of(alone, 0, length), rtol=0, atol=1e-12)
    assert alone.mask.all()


@pytest.mark.parametrize("shape", [(0, 0, 50), (0, 3, 50)])
def test_no_sentence(shape):
    output = random_bilm(bilm_config())(torch.zeros(shape, dtype=torch.int64))
    assert [tuple(layer.shape) for layer in output.layer_activations] == [(0, shape[1] + 2, 8)] * 3
    assert output.state.hidden.shape == (2, 0, 8)


def test_tokens_that_were_encoded_before_give_the_same_layers():
    bilm, ids = random_bilm(bilm_config()), random_ids([3, 1])
    output = bilm(ids)
    again = bilm.run_tokens(output.layer_activations[0][..., :4], output.mask)
    for layer, other in zip(again.layer_activations, output.layer_activations, strict=True):
        torch.testing.assert_close(layer, other, rtol=0, atol=1e-13)


def test_boundary_rows_are_those_of_the_boundary_tokens():
    assert boundary_rows(262, 50).tolist() == [token_to_ids("<S>"), token_to_ids("</S>")]


def test_boundaries_are_no_part_of_a_state_dict():
    """An archive of AllenNLP has no buffers, and would be refused."""
    bilm = BiLM(bilm_config())
    assert bilm.state_dict().keys() == dict(bilm.named_parameters()).keys()


@pytest.mark.parametrize("trained", ["_token_embedder.", "_elmo_lstm."])
def test_every_parameter_gets_a_gradient(trained):
    bilm = random_bilm(bilm_config())
    output = bilm(random_ids([3, 5]))
    sum((layer**2).sum() for layer in output.layer_activations).backward()
    gradients = {name: p.grad for name, p in bilm.named_parameters() if name.startswith(trained)}
    assert len(gradients) > 5
    assert all(gradient is not None and gradient.any() for gradient in gradients.values())


def test_an_unfilled_network_has_the_places_of_another():
    """Names, shapes, boundaries and the padding row; no random number is drawn for it."""
    before = torch.get_rng_state()
    unfilled = BiLM.unfilled(bilm_config())
    assert torch.equal(torch.get_rng_state(), before)
    other = BiLM(bilm_config())
    assert {n: p.shape for n, p in unfilled.named_parameters()} == {n: p.shape for n, p in other.named_parameters()}
    assert torch.equal(unfilled.boundaries, other.boundaries)
    assert not unfilled.character_encoder._char_embedding_weights[0].any()
    unfilled.load_state_dict(other.state_dict())
    ids = torch.randint(1, 200, (2, 4, 50))
    for mine, theirs in zip(unfilled(ids).layer_activations, other(ids).layer_activations, strict=True):
        assert torch.equal(mine, theirs)
