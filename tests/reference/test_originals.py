"""The slow reference against what AllenNLP and bilm-tf really computed."""

import json
from pathlib import Path

import numpy as np
import pytest

from reference.bilm import read
from reference.characters import batch_ids
from reference.elmo import Mix, remove_boundaries, representation
from reference.lstm import State, bilstm, join_directions, row_of, zero_state
from reference.model import BACKWARD, FORWARD, Model, read_model, read_weights
from reference.scalar_mix import scalar_mix, scalar_mix_with_layer_norm
from reference.softmax import inputs_and_targets, predict

pytestmark = pytest.mark.golden

TOLERANCE = 1e-5  # theirs are float32; about 2e-6 is met
MODELS = ("fixture", "syn1", "syn2", "syn3", "syn4", "syn5", "syn6", "syn7")
STATEFUL = ("fixture", "syn1", "syn2", "syn3", "syn5")
DIRECTIONS = ("forward", "backward")


def model_of(golden_folder: Path, name: str) -> Model:
    if name == "fixture":
        folder = golden_folder / "fixtures"
        return read_model(folder / "options.json", folder / "lm_weights.hdf5")
    folder = golden_folder / "models" / name
    return read_model(folder / "options.json", folder / "weights.hdf5")


def sentences_of(golden_folder: Path, batch: str) -> list[list[str]]:
    return json.loads((golden_folder / "inputs" / f"{batch}.json").read_text("utf-8"))["sentences"]


def close(ours: np.ndarray, theirs: np.ndarray) -> None:
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=TOLERANCE)


def numbered_mix(k: int, num_layers: int) -> Mix:
    w = np.round(0.7 * np.sin(1.3 * (k + 1) + 0.9 * np.arange(num_layers)), 6)
    return Mix(w, (1.0, 1.5, -0.75)[k])


def mixes(tag: str, num_layers: int) -> list[Mix]:
    fresh = Mix(np.zeros(num_layers), 1.0)
    top = np.where(np.arange(num_layers) == num_layers - 1, 1.0, -9e10)
    numbered = [numbered_mix(k, num_layers) for k in range(3)]
    return {
        "n1_default": [fresh],
        "n1_default_ln": [fresh],
        "n2": numbered[:2],
        "n3_ln": numbered,
        "keep": numbered[:1],
        "keep_ln": [fresh],
        "fixed": [Mix(0.5 - 0.4 * np.arange(num_layers), 1.0)],
        "fixed_top": [Mix(top, 1.0)],
    }[tag]


def test_character_ids(golden_folder):
    with np.load(golden_folder / "inputs" / "ids.npz") as theirs:
        assert len(theirs.files) == 15
        for batch in theirs.files:
            np.testing.assert_array_equal(batch_ids(sentences_of(golden_folder, batch)), theirs[batch])


@pytest.mark.parametrize("name", MODELS)
def test_bilm_and_representations(golden_folder, name):
    model = model_of(golden_folder, name)
    folder = golden_folder / "goldens_2.10.1" / name
    with np.load(folder / "bilm.npz") as layers, np.load(folder / "elmo.npz") as elmo:
        batches = {key.split("__")[0] for key in layers.files}
        tags = {key.split("__")[1] for key in elmo.files}
        assert (len(batches), len(tags)) == (11, 8)
        for batch in batches:
            reading = read(model, batch_ids(sentences_of(golden_folder, batch)))
            close(reading.token_embeddings, layers[f"{batch}__encoder"])
            close(reading.layer_activations, layers[f"{batch}__layers"])
            np.testing.assert_array_equal(reading.mask, layers[f"{batch}__mask"])
            close(reading.state.hidden, layers[f"{batch}__state_h"])
            close(reading.state.cell, layers[f"{batch}__state_c"])
            for tag in tags:
                for k, mix in enumerate(mixes(tag, len(reading.layer_activations))):
                    vectors, mask = representation(
                        reading,
                        mix,
                        layer_norm=tag.endswith("_ln"),
                        keep_sentence_boundaries=tag.startswith("keep"),
                    )
                    close(vectors, elmo[f"{batch}__{tag}__rep{k}"])
                    np.testing.assert_array_equal(mask, elmo[f"{batch}__{tag}__mask"])


@pytest.mark.parametrize("name", ["fixture", "syn2"])
def test_wide_and_four_dimensional_ids(golden_folder, name):
    model = model_of(golden_folder, name)
    with np.load(golden_folder / "goldens_2.10.1" / name / "other_shapes.npz") as theirs:
        for shape, keeps in (("wide", (False, True)), ("four", (False,))):
            ids = theirs[f"{shape}__ids"]
            reading = read(model, ids.reshape(-1, *ids.shape[-2:]))
            for keep in keeps:
                for norm in (False, True):
                    key = f"{shape}__keep{keep:d}_ln{norm:d}"
                    for k in range(2):
                        mix = numbered_mix(k, len(reading.layer_activations))
                        vectors, mask = representation(reading, mix, layer_norm=norm, keep_sentence_boundaries=keep)
                        expected = theirs[f"{key}__rep{k}"]
                        close(vectors.reshape(expected.shape), expected)
                        np.testing.assert_array_equal(mask.reshape(expected.shape[:-1]), theirs[f"{key}__mask"])


def test_scalar_mix_alone(golden_folder):
    with np.load(golden_folder / "goldens_2.10.1" / "scalar_mix.npz") as theirs:
        layers, w, gamma = theirs["tensors"], theirs["scalars"], theirs["gamma"][0]
        close(scalar_mix(layers, w, gamma), theirs["ln0__output"])
        close(scalar_mix_with_layer_norm(layers, w, gamma, theirs["mask"]), theirs["ln1__output"])


@pytest.mark.parametrize("name", STATEFUL)
def test_stateful_scenarios(golden_folder, name):
    model = model_of(golden_folder, name)
    folder = golden_folder / "goldens_2.10.1"
    scenarios = json.loads((folder / "stateful_scenarios.json").read_text("utf-8"))
    assert len(scenarios) == 7
    with np.load(folder / name / "stateful.npz") as theirs:
        for scenario, steps in scenarios.items():
            state = None
            for number, step in enumerate(steps):
                if step == "RESET":
                    state = None
                elif step.startswith("RESET:"):
                    keep = np.array([1 - int(row) for row in step[6:].split(",")])[None, :, None]
                    state = State(state.hidden * keep, state.cell * keep)
                else:
                    reading = read(model, batch_ids(sentences_of(golden_folder, step)), state)
                    close(reading.layer_activations, theirs[f"{scenario}__{number}__layers"])
                    state = reading.state
                if state is not None:
                    close(state.hidden, theirs[f"{scenario}__{number}__state_h"])
                    close(state.cell, theirs[f"{scenario}__{number}__state_c"])


def test_rows_without_tokens_keep_their_state(golden_folder):
    model = model_of(golden_folder, "syn3")
    state = None
    with np.load(golden_folder / "goldens_2.10.1" / "syn3" / "lstm_masked_rows.npz") as theirs:
        for call in ("call0", "call1", "call2"):
            outputs, state = bilstm(model, theirs[f"{call}__inputs"], theirs[f"{call}__mask"], state)
            close(outputs, theirs[f"{call}__outputs"])
            close(state.hidden, theirs[f"{call}__state_h"])
            close(state.cell, theirs[f"{call}__state_c"])


def test_without_skip_connections(golden_folder):
    model = model_of(golden_folder, "noskip")
    with np.load(golden_folder / "goldens_2.10.1" / "noskip" / "not_allennlp.npz") as theirs:
        batches = {key.split("__")[0] for key in theirs.files}
        assert len(batches) == 3
        for batch in batches:
            reading = read(model, batch_ids(sentences_of(golden_folder, batch)))
            close(reading.token_embeddings, theirs[f"{batch}__encoder"])
            close(reading.layer_activations, theirs[f"{batch}__layers"])
            np.testing.assert_array_equal(reading.mask, theirs[f"{batch}__mask"])


def test_tensorflow_embeddings_of_the_authors(golden_folder):
    """Row k of ten batches of three, states carried: the published top layers of AllenNLP's fixture."""
    model = model_of(golden_folder, "fixture")
    columns = json.loads((golden_folder / "fixtures" / "sentences.json").read_text("utf-8"))
    theirs = [read_weights(golden_folder / "fixtures" / f"lm_embeddings_{k}.hdf5") for k in range(3)]
    state = None
    for i in range(10):
        reading = read(model, batch_ids([column[i].split() for column in columns]), state)
        state = reading.state
        top, mask = remove_boundaries(reading.layer_activations[-1], reading.mask)
        for k in range(3):
            n = int(mask[k].sum())
            forward, backward = np.split(top[k, :n], 2, axis=-1)
            close(np.stack([forward, backward]), theirs[k][str(i)])


def bilm_tf_model(folder: Path) -> Model:
    options, weights = read_model(folder / "options.json", folder / "weights.hdf5")
    with np.load(folder / "tensorflow.npz") as variables:
        softmax = {f"softmax/{k}": variables[f"variable__lm__softmax__{k}"].astype(np.float64) for k in "Wb"}
    return Model(options, {**weights, **softmax})


@pytest.mark.parametrize("carries", [False, True], ids=["fresh", "stream"])
def test_bilm_tf_log_probabilities(golden_folder, carries):
    folder = golden_folder / "bilm_tf_checkpoint"
    model = bilm_tf_model(folder)
    vocabulary = (folder / "vocab.txt").read_text("utf-8").splitlines()
    sentences = [line.split() for line in (folder / "sentences.txt").read_text("utf-8").splitlines()]
    assert len(sentences) == 3
    state = zero_state(model, 1)
    with np.load(folder / "expected.npz") as expected, np.load(folder / "tensorflow.npz") as tensorflow:
        for number, sentence in enumerate(sentences):
            key = f"{'stream' if carries else 'fresh'}__{number}"
            after = []
            for direction, name in zip((FORWARD, BACKWARD), DIRECTIONS, strict=True):
                inputs, targets = inputs_and_targets(sentence, vocabulary, direction)
                predictions = predict(model, direction, inputs, row_of(state, 0, direction))
                after.append(predictions.state)
                in_reading_order = slice(None) if direction == FORWARD else slice(None, None, -1)
                log_p, targets = predictions.log_softmax[in_reading_order], targets[in_reading_order]
                close(predictions.top[in_reading_order], expected[f"{key}__top_{name}"])
                close(log_p, expected[f"{key}__log_softmax_{name}"])
                np.testing.assert_array_equal(targets, expected[f"{key}__target_{name}"])
                of_targets = log_p[np.arange(len(targets)), targets]
                close(of_targets, expected[f"{key}__logprob_{name}"])
                close(of_targets, tensorflow[f"{key}__tf_logprob_{name}"])
            if carries:
                joined = join_directions(*after)
                state = State(joined.hidden[:, None], joined.cell[:, None])
