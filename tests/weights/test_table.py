"""The table covers the network and the file exactly, and its rows lead there and back bit for bit."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from originals import MODELS, model_files
from pytorch_elmo.model import BiLM
from pytorch_elmo.weights.options import read_options
from pytorch_elmo.weights.table import WeightRule, checkpoint_variable, softmax_rules, weight_rules
from random_models import CONFIGS, bilm_config
from reference.model import read_weights

RULES = weight_rules(bilm_config(num_highway_layers=1, num_lstm_layers=1))
ANY_BITS = arrays.from_dtype(np.dtype(np.uint32))


def rule_name(rule: WeightRule) -> str:
    return f"{rule.dataset}-{rule.parameter}"


@given(CONFIGS)
def test_every_parameter_is_written_once_and_every_dataset_read_once(config):
    parameters = {name: np.zeros(p.shape, dtype=int) for name, p in BiLM(config).named_parameters()}
    datasets = {rule.dataset: np.zeros(rule.shape, dtype=int) for rule in weight_rules(config)}
    for rule in weight_rules(config):
        datasets[rule.dataset][rule.part] += 1
        parameters[rule.parameter][rule.place] += 1
        block = rule.decode(np.zeros(rule.shape, dtype=np.float32)[rule.part])
        assert block.shape == parameters[rule.parameter][rule.place].shape
    assert all((count == 1).all() for count in datasets.values())
    padding_row = parameters["_token_embedder._char_embedding_weights"][0]
    assert not padding_row.any()
    padding_row += 1
    assert all((count == 1).all() for count in parameters.values())


@pytest.mark.parametrize("rule", RULES, ids=rule_name)
@given(data=st.data())
def test_encode_undoes_decode_bit_for_bit(rule, data):
    """Any 32 bits at all: denormal numbers, minus zero, infinities and NaN with their payload."""
    shape = np.empty(rule.shape)[rule.part].shape
    bits = data.draw(arrays.arrays(np.uint32, shape, elements=ANY_BITS, fill=ANY_BITS))
    again = rule.encode(rule.decode(bits.view(np.float32)))
    np.testing.assert_array_equal(np.ascontiguousarray(again).view(np.uint32), bits, strict=True)


@pytest.mark.parametrize("rule", RULES, ids=rule_name)
def test_decode_moves_every_number(rule):
    """Numbers stay what they are but for their sign, and each stands in one place."""
    numbers = np.arange(1, 1 + np.empty(rule.shape)[rule.part].size, dtype=np.float32)
    block = rule.decode(numbers.reshape(np.empty(rule.shape)[rule.part].shape))
    np.testing.assert_array_equal(np.sort(np.abs(block), axis=None), numbers)
    assert len(np.unique(np.sign(block))) == 1


@pytest.mark.parametrize("name", MODELS)
def test_datasets_and_shapes_of_the_originals(golden_folder, name):
    options_file, weight_file = model_files(golden_folder, name)
    expected = {rule.dataset: rule.shape for rule in weight_rules(read_options(options_file))}
    assert {dataset: array.shape for dataset, array in read_weights(weight_file).items()} == expected


def test_names_in_a_checkpoint_of_bilm_tf(golden_folder):
    """Every dataset is a variable, and with the softmax they are all that is trained."""
    folder = golden_folder / "bilm_tf_checkpoint"
    config = read_options(folder / "options.json")
    described = json.loads((folder / "variables.json").read_text("utf-8"))["variables"]
    trained = {name: tuple(entry["shape"]) for name, entry in described.items() if f"{name}/Adagrad" in described}
    rules = [*weight_rules(config), *softmax_rules(23, 7)]
    assert {checkpoint_variable(rule.dataset, config): rule.shape for rule in rules} == trained
