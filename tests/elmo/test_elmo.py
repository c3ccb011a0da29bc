"""`Elmo`: its numbers, its names, and what it does with unusual input."""

import copy
import logging
import pickle
import re

import numpy as np
import pytest
import torch
from torch import nn

from originals import COMMITTED, COMMITTED_MODELS, close, committed_texts
from pytorch_elmo import batch_to_ids
from pytorch_elmo.elmo import Elmo
from pytorch_elmo.errors import ConfigurationError
from random_models import random_ids

L2_PATTERN = re.compile(r".*scalar_parameters.*")
L2_ALPHA = 0.001
SENTENCES = committed_texts()["batches"]["mixed"]


class TwoLayers(nn.Module):
    """A stand-in for a biLM: layers of ones and of threes over the tokens and two boundaries."""

    num_layers = 2

    def get_output_dim(self):
        return 4

    def forward(self, inputs, word_inputs=None):
        self.word_inputs = word_inputs
        mask = nn.functional.pad((inputs > 0).any(dim=-1), (2, 0), value=True)
        ones = torch.ones(*mask.shape, 4) * mask.unsqueeze(-1)
        return {"activations": [ones, 3 * ones], "mask": mask}


def representations(elmo: Elmo, ids: torch.Tensor) -> torch.Tensor:
    return torch.stack(elmo(ids)["elmo_representations"]).detach()


@pytest.mark.parametrize(
    "check",
    [pytest.param("check_representations", marks=pytest.mark.slow), "check_other_shapes", "check_state_dicts"],
)
def test_original_numbers_and_names(assert_parity, check):
    assert_parity(f"checks.elmo.{check}")


def test_errors_where_the_original_has_them(assert_parity):
    assert_parity("checks.errors.check_errors")


@pytest.mark.parametrize("requires_grad", [False, True])
@pytest.mark.parametrize("name", COMMITTED_MODELS)
def test_committed_representations(name, requires_grad):
    """Frozen and fine-tuned run through different code, and give the same."""
    files, checked = (COMMITTED / name / "options.json", COMMITTED / name / "weights.hdf5"), 0
    with np.load(COMMITTED / name / "elmo.npz") as theirs:
        for norm, end in (("plain", "keep"), ("plain", "remove"), ("layer_norm", "keep"), ("layer_norm", "remove")):
            elmo = Elmo(
                *files, 2, requires_grad, norm == "layer_norm", dropout=0.0, keep_sentence_boundaries=end == "keep"
            )
            mixes = zip(elmo._scalar_mixes, theirs["scalar_parameters"], theirs["gamma"], strict=True)
            for mix, scalars, gamma in mixes:
                nn.init.constant_(mix.gamma, float(gamma))
                for parameter, scalar in zip(mix.scalar_parameters, scalars, strict=True):
                    nn.init.constant_(parameter, float(scalar))
            for batch in ("mixed", "special"):
                output = elmo(batch_to_ids(committed_texts()["batches"][batch]))
                np.testing.assert_array_equal(output["mask"], theirs[f"{batch}__mask__{end}"])
                for k, representation in enumerate(output["elmo_representations"]):
                    close(representation, theirs[f"{batch}__mix{k}__{norm}__{end}"])
                    checked += 1
    assert checked == 16


def test_documented_shapes_dtypes_and_zeros_where_padded(make_elmo):
    output = make_elmo(2)(batch_to_ids(SENTENCES))
    assert [tuple(values.shape) for values in output["elmo_representations"]] == [(4, 9, 10)] * 2
    assert output["mask"].dtype == torch.bool
    assert output["mask"].sum(dim=1).tolist() == [len(sentence) for sentence in SENTENCES]
    for values in output["elmo_representations"]:
        assert values.dtype == torch.float32
        assert not values[~output["mask"]].any()
    assert make_elmo().get_output_dim() == 10


@pytest.mark.parametrize("requires_grad", [False, True])
def test_boundaries_are_the_two_positions_more(make_elmo, requires_grad):
    ids = batch_to_ids(SENTENCES)
    inner, kept = (
        make_elmo(requires_grad=requires_grad, keep_sentence_boundaries=keep)(ids) for keep in (False, True)
    )
    assert kept["mask"].sum(dim=1).tolist() == [len(sentence) + 2 for sentence in SENTENCES]
    for row, sentence in enumerate(SENTENCES):
        expected = kept["elmo_representations"][0][row, 1 : len(sentence) + 1]
        assert torch.equal(inner["elmo_representations"][0][row, : len(sentence)], expected)


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("leading", [(2, 3), (3, 1, 2)])
def test_inner_axes_are_rows_of_the_batch(make_elmo, leading, keep):
    elmo, ids = make_elmo(2, keep_sentence_boundaries=keep), random_ids([3, 0, 5, 1, 2, 5])
    flat, nested = elmo(ids), elmo(ids.unflatten(0, leading))
    assert nested["mask"].shape == (*leading, 5 + 2 * keep)
    assert torch.equal(nested["mask"].flatten(0, -2), flat["mask"])
    for values, expected in zip(nested["elmo_representations"], flat["elmo_representations"], strict=True):
        assert values.shape == (*leading, 5 + 2 * keep, 10)
        assert torch.equal(values.flatten(0, -3), expected)


@pytest.mark.parametrize("arguments", [{}, {"requires_grad": True}, {"stateful": True}])
@pytest.mark.parametrize("batch", [[], [[]], [[], []]])
def test_batches_without_tokens(make_elmo, batch, arguments):
    output = make_elmo(2, **arguments)(batch_to_ids(batch))
    assert output["mask"].shape == (len(batch), 0)
    assert [tuple(values.shape) for values in output["elmo_representations"]] == [(len(batch), 0, 10)] * 2


def test_rows_of_padding_alone(make_elmo):
    output = make_elmo()(torch.zeros(2, 3, 50, dtype=torch.int64))
    assert not output["mask"].any()
    assert torch.equal(output["elmo_representations"][0], torch.zeros(2, 3, 10))
    assert make_elmo()(torch.zeros(0, 3, 50, dtype=torch.int64))["elmo_representations"][0].shape == (0, 3, 10)


def test_a_call_does_not_depend_on_the_calls_before_it(make_elmo):
    elmo, ids = make_elmo(), batch_to_ids(SENTENCES)
    first = representations(elmo, ids)
    elmo(batch_to_ids([["something", "else"]] * 9))
    assert torch.equal(representations(elmo, ids), first)


def test_the_carried_state_changes_the_second_call_and_a_reset_brings_the_first_back(make_elmo):
    elmo, ids = make_elmo(stateful=True), batch_to_ids(SENTENCES)
    first, second = representations(elmo, ids), representations(elmo, ids)
    assert (second - first).abs().max() > 1e-2
    elmo.reset_states()
    assert torch.equal(representations(elmo, ids), first)
    torch.testing.assert_close(first, representations(make_elmo(), ids), rtol=0, atol=1e-6)


def test_a_reset_of_one_row_leaves_the_others(make_elmo):
    elmo, ids = make_elmo(stateful=True), batch_to_ids([["a", "storm"], ["the", "sea"]])
    first, second = representations(elmo, ids), representations(elmo, ids)
    elmo.reset_states()
    elmo(ids)
    elmo.reset_states(torch.tensor([True, False]))
    mixed = representations(elmo, ids)
    torch.testing.assert_close(mixed[:, 0], first[:, 0], rtol=0, atol=1e-6)
    torch.testing.assert_close(mixed[:, 1], second[:, 1], rtol=0, atol=1e-6)


def test_names_that_a_regularizer_matches_and_its_penalty(make_elmo):
    """AllenNLP's L2 regularizer: alpha times the sum of squares of what its pattern matches, nothing halved."""
    elmo = make_elmo(2, requires_grad=True)
    matched = {name: parameter for name, parameter in elmo.named_parameters() if L2_PATTERN.match(name)}
    assert sorted(matched) == [
        f"scalar_mix_{mix}.scalar_parameters.{layer}" for mix in range(2) for layer in range(3)
    ]
    for number, parameter in enumerate(matched.values(), start=1):
        nn.init.constant_(parameter, number)
    penalty = L2_ALPHA * sum((parameter**2).sum() for parameter in matched.values())
    assert penalty.item() == pytest.approx(0.091)  # 1 + 4 + 9 + 16 + 25 + 36 = 91
    penalty.backward()
    assert [parameter.grad.item() for parameter in matched.values()] == pytest.approx(
        [0.002 * number for number in range(1, 7)]
    )


@pytest.mark.parametrize(("requires_grad", "count"), [(False, 4), (True, 4 + 27)])
def test_what_is_trained(make_elmo, requires_grad, count):
    elmo = make_elmo(requires_grad=requires_grad)
    trained = [name for name, parameter in elmo.named_parameters() if parameter.requires_grad]
    assert len(trained) == count
    fixed = make_elmo(requires_grad=requires_grad, scalar_mix_parameters=[0.1, 0.2, 0.3])
    assert not any(parameter.requires_grad for parameter in fixed._scalar_mixes[0].parameters())


def test_dropout_in_training_alone_and_for_each_representation_anew(make_elmo):
    elmo, ids = make_elmo(2, dropout=0.25), batch_to_ids([["sea"] * 40] * 20)
    kept = representations(elmo.eval(), ids)
    assert torch.equal(kept[0], kept[1])
    torch.manual_seed(0)
    dropped = representations(elmo.train(), ids)
    torch.testing.assert_close(dropped[dropped != 0], (kept / 0.75)[dropped != 0])
    shares = (dropped == 0).float().mean(dim=(1, 2, 3))
    assert ((shares > 0.22) & (shares < 0.28)).all()
    assert not torch.equal(dropped[0] == 0, dropped[1] == 0)
    assert make_elmo(dropout=0.5)._dropout.p == 0.5


def test_a_copy_is_independent(make_elmo):
    elmo, ids = make_elmo(2), batch_to_ids(SENTENCES)
    expected = representations(elmo, ids)
    twin = copy.deepcopy(elmo)
    assert torch.equal(representations(twin, ids), expected)
    with torch.no_grad():
        twin._elmo_lstm._token_embedder._projection.bias += 1.0
    assert not torch.equal(representations(twin, ids), expected)
    assert torch.equal(representations(elmo, ids), expected)


def test_it_travels_to_another_process(make_elmo):
    elmo, ids = make_elmo(2), batch_to_ids(SENTENCES)
    expected = representations(elmo, ids)
    assert torch.equal(representations(pickle.loads(pickle.dumps(elmo)), ids), expected)


@pytest.mark.parametrize(
    "arguments", [{}, {"requires_grad": True}, {"stateful": True}, {"vocab_to_cache": ["", "sea"]}]
)
def test_other_precisions_and_devices(make_elmo, arguments):
    ids = batch_to_ids(SENTENCES)
    expected = representations(make_elmo(**arguments), ids)
    assert torch.equal(representations(make_elmo(**arguments).to("cpu"), ids), expected)
    double = representations(make_elmo(**arguments).double(), ids)
    assert double.dtype == torch.float64
    torch.testing.assert_close(double.float(), expected, rtol=0, atol=1e-5)


def test_a_state_dict_of_another_model_of_this_shape(make_elmo):
    elmo, ids = make_elmo(2), batch_to_ids(SENTENCES)
    other = make_elmo(2)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.mul_(0.5)
    before, expected = representations(elmo, ids), representations(other, ids)
    assert elmo.load_state_dict(other.state_dict()) == ([], [])
    assert not torch.equal(before, expected)
    torch.testing.assert_close(representations(elmo, ids), expected, rtol=0, atol=1e-6)


def test_a_replaced_network():
    elmo, ids = Elmo(None, None, 2, dropout=0.0, module=TwoLayers()), batch_to_ids([["a", "b"], ["c"]])
    output = elmo(ids, torch.tensor([[1, 2], [3, 0]]))
    assert torch.equal(output["elmo_representations"][1], 2.0 * output["mask"].unsqueeze(-1).expand(2, 2, 4))
    assert output["mask"].tolist() == [[True, True], [True, False]]
    assert elmo._elmo_lstm.word_inputs.tolist() == [[1, 2], [3, 0]]
    assert elmo.get_output_dim() == 4
    assert not any(name.startswith("_elmo_lstm") for name, _ in elmo.named_parameters())


def test_it_is_saved_and_found_again(make_elmo, tmp_path, small_model_folder):
    ids = batch_to_ids(SENTENCES)
    expected = representations(make_elmo(), ids)
    make_elmo().save_pretrained(tmp_path / "model")
    for folder in (tmp_path / "model", small_model_folder):
        found = Elmo.from_pretrained(folder, dropout=0.0)
        assert torch.equal(representations(found, ids), expected)
    tuned = Elmo.from_pretrained(tmp_path / "model", 2, requires_grad=True)
    assert all(parameter.requires_grad for parameter in tuned.parameters())
    with pytest.raises(ConfigurationError, match=r"only a biLM of this package is saved, this one is .*TwoLayers"):
        Elmo(None, None, 1, module=TwoLayers()).save_pretrained(tmp_path / "other")


def test_word_ids_without_a_cache_are_ignored_and_said_so(make_elmo, caplog):
    elmo, ids = make_elmo(), batch_to_ids([["a", "sea"]])
    with caplog.at_level(logging.WARNING):
        output = elmo(ids, torch.tensor([[1, 2]]))
    assert "no vocabulary is cached (vocab_to_cache); they are ignored" in caplog.text
    assert torch.equal(output["elmo_representations"][0], elmo(ids)["elmo_representations"][0])


def test_arguments_that_contradict_each_other(small_model_files, small_model):
    options_file, weight_file = small_model_files
    with pytest.raises(ConfigurationError, match="module replaces options_file and weight_file; pass None for both"):
        Elmo(options_file, weight_file, 1, module=small_model)
    for files in ((options_file, None), (None, weight_file), (None, None)):
        with pytest.raises(ConfigurationError, match="are both needed, or a module; one is None"):
            Elmo(*files, 1)


@pytest.mark.parametrize("count", [0, -1])
def test_at_least_one_representation(make_elmo, count):
    with pytest.raises(ConfigurationError, match=f"num_output_representations is at least 1, got {count}"):
        make_elmo(count)


def test_one_scalar_per_layer(make_elmo):
    with pytest.raises(ConfigurationError, match=r"one number per layer \(3\), got 2"):
        make_elmo(scalar_mix_parameters=[0.0, 1.0])


def test_neither_ids_nor_words(make_elmo):
    with pytest.raises(ConfigurationError, match="needs character ids, or word ids and vocab_to_cache, got neither"):
        make_elmo()(None)
    with pytest.raises(ConfigurationError, match="word ids alone need vocab_to_cache; pass character ids"):
        make_elmo()(None, torch.tensor([[1]]))


@pytest.mark.parametrize("shape", [(3, 50), (50,), (1, 0)])
def test_ids_with_too_few_axes(make_elmo, shape):
    rule = r"at least three axes \(batch_size, num_tokens, num_characters\), got "
    with pytest.raises(ConfigurationError, match=rf"{rule}{re.escape(str(shape))}; make them with batch_to_ids"):
        make_elmo()(torch.zeros(shape, dtype=torch.int64))
