"""Write the golden arrays of tests/golden, computed by the slow reference in tests/reference.

    python scripts/make_golden.py OUT

OUT gets three tiny random models and what the reference computes with them; tests/golden/README.md names every array.
Weights come from seeds and from uniform draws alone, so they are the same bits on every machine.
"""

import json
import sys
from itertools import product
from pathlib import Path
from typing import Any

import h5py
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.reference.bilm import read  # noqa: E402
from tests.reference.characters import batch_ids  # noqa: E402
from tests.reference.elmo import Mix, representation  # noqa: E402
from tests.reference.lstm import State, join_directions, row_of, zero_state  # noqa: E402
from tests.reference.model import BACKWARD, FORWARD, Array, Ids, Model, read_model  # noqa: E402
from tests.reference.softmax import inputs_and_targets, predict, sampled_softmax_losses  # noqa: E402
from tests.reference.training import Batch, begin, stream, train_step  # noqa: E402

Options = dict[str, Any]
Arrays = dict[str, Any]


def words(line: str) -> list[str]:
    return line.split()


VOCABULARY = words("<S> </S> <UNK> the . , boat sea at storm a left noon harbour café old")
BATCHES: dict[str, list[list[str]]] = {
    "mixed": [words("The old boat left the harbour at noon ."), [], ["storm"], ["a", "c" * 60, "."]],
    "unicode": [["café", "naïve", "Zoë"], ["日本語", "😀", "€" * 20], ["word", "\ud83d", "x\udc00y"]],
    "special": [["<S>", "inside", "</S>"], ["", "<s>", "<UNK>"], [" ", "a b", "\x00"]],
    "one_token": [["sea"]],
    "pair": [words("a storm left"), words("the sea , the old sea .")],
}
MIXED_BATCHES = ["mixed", "special"]
STATEFUL_CALLS = ["pair", "mixed", "one_token", "pair", "mixed"]  # rows appear, wait, go on; one is empty
LINES = ["the old boat left .", "a seagull at sea", "noon"]
TRAINING_LINES = [
    "the boat left the harbour .",
    "a storm at sea .",
    "noon",
    "the sea , the old café .",
    "at noon the seagull left",
    "a boat",
    "storm , storm , storm !",
    "the old harbour café at noon .",
    "the sea .",
]
NUM_STEPS = 5
NUM_NEGATIVES, NUM_TRIES = 6, 9


def options_of(
    lstm: Options, activation: str, filters: list[list[int]], n_highway: int, n_characters: int = 262
) -> Options:
    char_cnn = {
        "activation": activation,
        "embedding": {"dim": 3},
        "filters": filters,
        "max_characters_per_token": 50,
        "n_characters": n_characters,
        "n_highway": n_highway,
    }
    return {"lstm": {"use_skip_connections": True, **lstm}, "char_cnn": char_cnn}


CLIPPED = options_of(
    {"n_layers": 2, "dim": 8, "projection_dim": 5, "cell_clip": 0.6, "proj_clip": 0.4},
    activation="relu",
    filters=[[1, 3], [2, 4], [3, 4]],
    n_highway=1,
)
DEEP = options_of(
    {"n_layers": 3, "dim": 6, "projection_dim": 4, "cell_clip": None, "proj_clip": 0},
    activation="tanh",
    filters=[[1, 3], [4, 5]],
    n_highway=2,
)
TRAINED = options_of(
    {"n_layers": 2, "dim": 3, "projection_dim": 2, "cell_clip": 1.0, "proj_clip": 0.5},
    activation="relu",
    filters=[[1, 2], [2, 3]],
    n_highway=1,
    n_characters=261,  # the number that bilm-tf wants in training, 262 when the model is run
) | {
    "bidirectional": True,
    "dropout": 0.0,
    "batch_size": 2,
    "unroll_steps": 4,
    "n_tokens_vocab": len(VOCABULARY),
    "sample_softmax": False,
    "learning_rate": 0.2,
    "all_clip_norm_val": 10.0,
}


def shapes_of(options: Options) -> dict[str, tuple[int, ...]]:
    """Every dataset of a weight file and of its softmax file."""
    lstm, char_cnn = options["lstm"], options["char_cnn"]
    projection_size, cell_size = lstm["projection_dim"], lstm["dim"]
    num_filters, character_size = sum(n for _, n in char_cnn["filters"]), char_cnn["embedding"]["dim"]
    shapes: dict[str, tuple[int, ...]] = {"char_embed": (261, character_size)}
    for i, (width, n) in enumerate(char_cnn["filters"]):
        shapes |= {f"CNN/W_cnn_{i}": (1, width, character_size, n), f"CNN/b_cnn_{i}": (n,)}
    for k in range(char_cnn["n_highway"]):
        for part in ("carry", "transform"):
            shapes |= {f"CNN_high_{k}/W_{part}": (num_filters, num_filters), f"CNN_high_{k}/b_{part}": (num_filters,)}
    shapes |= {"CNN_proj/W_proj": (num_filters, projection_size), "CNN_proj/b_proj": (projection_size,)}
    for direction in (FORWARD, BACKWARD):
        for layer in range(lstm["n_layers"]):
            cell = f"RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell"
            shapes |= {f"{cell}/W_0": (2 * projection_size, 4 * cell_size), f"{cell}/B": (4 * cell_size,)}
            shapes |= {f"{cell}/W_P_0": (cell_size, projection_size)}
    return shapes | {"softmax/W": (len(VOCABULARY), projection_size), "softmax/b": (len(VOCABULARY),)}


def bound_of(name: str, shape: tuple[int, ...]) -> float:
    """Weights are uniform between minus and plus this: values of order one after every layer."""
    if name in ("char_embed", "softmax/W"):
        return 1.5
    return 0.5 if len(shape) == 1 else float(np.sqrt(6 / np.prod(shape[:-1])))


def write_model(folder: Path, options: Options, *, seed: int, spread: float) -> Model:
    """Draw a model, its weights `spread` times wider than usual; write its three files and read them back."""
    folder.mkdir(parents=True)
    write_json(folder / "options.json", options)
    random = np.random.RandomState(seed)
    weight_file, softmax_file = folder / "weights.hdf5", folder / "softmax_weights.hdf5"
    with h5py.File(weight_file, "w") as weights, h5py.File(softmax_file, "w") as softmax:
        for name, shape in shapes_of(options).items():
            bound = spread * bound_of(name, shape)
            values = random.uniform(-bound, bound, size=shape).astype(np.float32)
            (softmax if name.startswith("softmax") else weights).create_dataset(name, data=values)
    return read_model(folder / "options.json", weight_file, softmax_file)


def write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def bilm_arrays(model: Model) -> Arrays:
    """Every batch from zero states."""
    arrays: Arrays = {}
    for batch, sentences in BATCHES.items():
        reading = read(model, batch_ids(sentences))
        arrays[f"{batch}__token_embeddings"] = reading.token_embeddings
        arrays[f"{batch}__layer_activations"] = reading.layer_activations
        arrays[f"{batch}__mask"] = reading.mask
        arrays[f"{batch}__state_hidden"], arrays[f"{batch}__state_cell"] = reading.state
    return arrays


def stateful_arrays(model: Model) -> Arrays:
    """The batches of `STATEFUL_CALLS`, each from the state that the one before left."""
    arrays: Arrays = {}
    state = None
    for call, batch in enumerate(STATEFUL_CALLS):
        reading = read(model, batch_ids(BATCHES[batch]), state)
        state = reading.state
        arrays[f"call{call}__layer_activations"] = reading.layer_activations
        arrays[f"call{call}__state_hidden"], arrays[f"call{call}__state_cell"] = state
    return arrays


def elmo_arrays(model: Model) -> Arrays:
    """Two mixes of two batches, with and without layer norm and sentence boundaries."""
    num_layers = model.options["lstm"]["n_layers"] + 1
    mixes = [Mix(np.zeros(num_layers), 1.0), Mix(np.array([0.6, -0.9, 0.3, 0.1])[:num_layers], -1.25)]
    arrays: Arrays = {
        "scalar_parameters": np.stack([mix.w for mix in mixes]),
        "gamma": np.array([mix.gamma for mix in mixes]),
    }
    for batch in MIXED_BATCHES:
        reading = read(model, batch_ids(BATCHES[batch]))
        for norm, keep, k in product((False, True), (False, True), range(len(mixes))):
            vectors, mask = representation(reading, mixes[k], layer_norm=norm, keep_sentence_boundaries=keep)
            end = "keep" if keep else "remove"
            arrays[f"{batch}__mask__{end}"] = mask
            arrays[f"{batch}__mix{k}__{'layer_norm' if norm else 'plain'}__{end}"] = vectors
    return arrays


def direction_arrays(model: Model, line: str, direction: int, state: State, negatives: Ids) -> tuple[Arrays, State]:
    """Predictions of one direction, rows in reading order, and its state after the line."""
    inputs, targets = inputs_and_targets(words(line), VOCABULARY, direction)
    predictions = predict(model, direction, inputs, row_of(state, 0, direction))
    arrays: Arrays = {
        "target": targets,
        "log_softmax": predictions.log_softmax,
        "log_probability": predictions.log_softmax[np.arange(len(targets)), targets],
        "sampled_loss": sampled_softmax_losses(model, predictions.top, targets, negatives, NUM_TRIES),
    }
    if direction == BACKWARD:
        arrays = {name: array[::-1] for name, array in arrays.items()}
    return arrays, predictions.state


def softmax_arrays(model: Model) -> Arrays:
    """Log-probabilities and sampled losses of `LINES`: `fresh` from zeros each, `stream` with the state carried."""
    random = np.random.RandomState(5)
    negatives = [random.permutation(len(VOCABULARY))[:NUM_NEGATIVES] for _ in (FORWARD, BACKWARD)]
    arrays: Arrays = {"num_tries": np.array(NUM_TRIES)}
    arrays["negatives_forward"], arrays["negatives_backward"] = negatives
    for start in ("fresh", "stream"):
        state = zero_state(model, 1)
        for number, line in enumerate(LINES):
            after = []
            for direction, name in ((FORWARD, "forward"), (BACKWARD, "backward")):
                found, state_after = direction_arrays(model, line, direction, state, negatives[direction])
                arrays |= {f"{start}__{number}__{key}_{name}": array for key, array in found.items()}
                after.append(state_after)
            if start == "stream":
                state = State(*(half[:, None] for half in join_directions(*after)))
    return arrays


def training_batches(options: Options) -> list[Batch]:
    """The first windows; the backward direction meets the sentences in another order, as it does in training."""
    sentences = [words(line) for line in TRAINING_LINES]
    size = options["batch_size"], options["unroll_steps"]
    forward = stream(sentences, VOCABULARY, FORWARD, *size)
    backward = stream(sentences[::-1], VOCABULARY, BACKWARD, *size)
    return [
        Batch(*(np.stack(both) for both in zip(ahead, back, strict=True)))
        for _, ahead, back in zip(range(NUM_STEPS), forward, backward, strict=False)
    ]


def training_arrays(model: Model) -> Arrays:
    """`NUM_STEPS` steps of Adagrad with the state carried: the first axis of most arrays is the step."""
    batches = training_batches(model.options)
    training = begin(model, zero_state(model, model.options["batch_size"]))
    by_step: dict[str, list[Array]] = {}
    for batch in batches:
        step, training = train_step(training, batch)
        found = batch._asdict() | {"losses": step.losses, "gradient_norm": np.array(step.norm)}
        found |= {f"state_{part}": array for part, array in training.state._asdict().items()}
        found |= named("gradient", step.gradients)
        for name, array in found.items():
            by_step.setdefault(name, []).append(array)
    arrays: Arrays = {name: np.stack(values) for name, values in by_step.items()}
    return arrays | named("final", training.model.weights) | named("accumulator", training.accumulators)


def named(prefix: str, weights: dict[str, Array]) -> dict[str, Array]:
    return {f"{prefix}__{name.replace('/', '__')}": array for name, array in weights.items()}


def main(out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    texts = {"batches": BATCHES, "stateful_calls": STATEFUL_CALLS, "lines": LINES, "training_lines": TRAINING_LINES}
    write_json(out / "texts.json", texts)
    (out / "vocabulary.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    ids = {batch: batch_ids(sentences) for batch, sentences in BATCHES.items()}
    np.savez_compressed(out / "character_ids.npz", **ids)  # type: ignore[arg-type]
    for name, options, seed in (("clipped", CLIPPED, 1), ("deep", DEEP, 2)):
        model = write_model(out / name, options, seed=seed, spread=1.5)
        for part in (bilm_arrays, stateful_arrays, elmo_arrays, softmax_arrays):
            np.savez_compressed(out / name / f"{part.__name__.removesuffix('_arrays')}.npz", **part(model))
    trained = write_model(out / "trained", TRAINED, seed=5, spread=1.5)
    np.savez_compressed(out / "trained" / "steps.npz", **training_arrays(trained))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
