"""Wrong and odd options, weights, ids and arguments, against AllenNLP 2.10.1."""

import json
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from torch import Tensor

from checks.bilm import layer_by_layer
from checks.ledger import FROM_2, Golden
from checks.outcomes import Call, compare_outcomes
from pytorch_elmo.elmo import Elmo
from pytorch_elmo.text import batch_to_ids
from pytorch_elmo.weights.load import load_bilm

MODEL, BATCH = "syn1", "ascii"
PURPOSES = {
    "use_skip_connections false: _ElmoBiLm": "wider",
    "reset_states with a mask before any call": "wider",
    "4-dimensional ids with keep_sentence_boundaries": "wider",
    "n_characters 5": "stricter",
    "fewer layers than in the file (syn3 has 3; n_layers 2)": "stricter",
    "batch_to_ids(['ab', 'c'] (strings, not lists)): shape": "stricter",
    "ids of shape (0, 5, 50)": "empty batch",
    "batch_to_ids([]): shape": "empty batch",
    "batch_to_ids([[]]): shape": "three axes",
    "batch_to_ids([[], []]): shape": "three axes",
}
Change = Callable[[dict[str, Any]], Any]


class Trial:
    """A model whose options or weights are changed before it is loaded and run."""

    def __init__(self, golden: Golden, folder: Path) -> None:
        self._golden, self._folder = golden, folder
        self.ids = golden.ids(BATCH)

    def options(self, change: Change, model: str = MODEL) -> Call:
        """Load and run with changed options."""

        def call() -> tuple[int, ...]:
            options_file, weight_file = self._golden.model_files(model)
            options = json.loads(options_file.read_text("utf-8"))
            change(options)
            path = self._folder / "options.json"
            path.write_text(json.dumps(options), encoding="utf-8")
            return self._run(path, weight_file)

        return call

    def weights(self, change: Callable[[h5py.File], Any]) -> Call:
        """Load and run with changed weights."""

        def call() -> tuple[int, ...]:
            options_file, weight_file = self._golden.model_files(MODEL)
            path = self._folder / "weights.hdf5"
            shutil.copy(weight_file, path)
            with h5py.File(path, "r+") as file:
                change(file)
            return self._run(options_file, path)

        return call

    def files(self, *, options: str = "", weights: str = "") -> Call:
        """Load with a file that is missing, or is another kind of file."""
        options_file, weight_file = self._golden.model_files(MODEL)
        named = {"options": options_file, "missing": self._folder / "none"}
        return lambda: self._run(named[options or "options"], named[weights] if weights else weight_file)

    def _run(self, options_file: Path, weight_file: Path) -> tuple[int, ...]:
        return tuple(load_bilm(options_file, weight_file)(self.ids).layer_activations[-1].shape)


def check_errors(golden: Golden) -> None:
    """Every case of the report."""
    report = golden.entries(f"{FROM_2}/errors.json")
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(golden, Path(folder))
        calls = {**_options(trial), **_weights(trial), **_arguments(golden), **_ids(golden), **_batch_to_ids()}
        compare_outcomes(report, calls, PURPOSES)


def _options(trial: Trial) -> dict[str, Call]:
    return {
        "no error: options as they are": trial.options(lambda o: None),
        "use_skip_connections false: _ElmoBiLm": trial.options(lambda o: None, "noskip"),
        "activation gelu": trial.options(lambda o: o["char_cnn"].update(activation="gelu")),
        "use_skip_connections missing": trial.options(lambda o: o["lstm"].pop("use_skip_connections")),
        "cell_clip missing": trial.options(lambda o: o["lstm"].pop("cell_clip")),
        "cell_clip and proj_clip null": trial.options(lambda o: o["lstm"].update(cell_clip=None, proj_clip=None)),
        "lstm section missing": trial.options(lambda o: o.pop("lstm")),
        "n_characters 5": trial.options(lambda o: o["char_cnn"].update(n_characters=5)),
        "n_characters missing": trial.options(lambda o: o["char_cnn"].pop("n_characters")),
        "max_characters_per_token 25 (ids have 50)": trial.options(
            lambda o: o["char_cnn"].update(max_characters_per_token=25)
        ),
        "max_characters_per_token 30 (ids have 50)": trial.options(
            lambda o: o["char_cnn"].update(max_characters_per_token=30)
        ),
        "filter count differs from the file": trial.options(lambda o: o["char_cnn"].update(filters=[[1, 4], [2, 7]])),
        "filter width differs from the file": trial.options(lambda o: o["char_cnn"].update(filters=[[1, 4], [3, 6]])),
        "more filters than in the file": trial.options(lambda o: o["char_cnn"]["filters"].append([3, 2])),
        "more highways than in the file": trial.options(lambda o: o["char_cnn"].update(n_highway=2)),
        "more layers than in the file": trial.options(lambda o: o["lstm"].update(n_layers=2)),
        "fewer layers than in the file (syn3 has 3; n_layers 2)": trial.options(
            lambda o: o["lstm"].update(n_layers=2), "syn3"
        ),
        "projection_dim differs from the file": trial.options(lambda o: o["lstm"].update(projection_dim=6)),
        "lstm dim differs from the file": trial.options(lambda o: o["lstm"].update(dim=9)),
        "embedding dim differs from the file": trial.options(lambda o: o["char_cnn"]["embedding"].update(dim=5)),
    }


def _weights(trial: Trial) -> dict[str, Call]:
    def doubled(*names: str) -> Call:
        def change(file: h5py.File) -> None:
            for name in names:
                values = file[name][()].astype(np.float64)
                del file[name]
                file[name] = values

        return trial.weights(change)

    return {
        "weights float64 (char_embed only)": doubled("char_embed"),
        "weights float64 (char_embed and W_cnn_0)": doubled("char_embed", "CNN/W_cnn_0"),
        "char_embed missing": trial.weights(lambda file: file.pop("char_embed")),
        "weight file is not HDF5": trial.files(weights="options"),
        "options file missing": trial.files(options="missing"),
        "weight file missing": trial.files(weights="missing"),
    }


def _arguments(golden: Golden) -> dict[str, Call]:
    files, bilm, ids = golden.model_files(MODEL), golden.bilm(MODEL), golden.ids(BATCH)

    def reset(*, after_a_call: bool) -> None:
        elmo = Elmo(*files, 1, stateful=True)
        if after_a_call:
            elmo(ids)
        elmo.reset_states(torch.tensor([1, 0]))

    return {
        "module given with files": lambda: Elmo(*files, 1, module=bilm),
        "module given without files: output shape": lambda: _shape(Elmo(None, None, 1, module=bilm), ids),
        "scalar_mix_parameters of the wrong length": lambda: Elmo(*files, 1, scalar_mix_parameters=[1.0]),
        "num_output_representations 0": lambda: Elmo(*files, 0),
        "reset_states with a mask of the wrong size": lambda: reset(after_a_call=True),
        "reset_states with a mask before any call": lambda: reset(after_a_call=False),
    }


def _ids(golden: Golden) -> dict[str, Call]:
    files, ids = golden.model_files(MODEL), golden.ids(BATCH)
    layers, elmo = layer_by_layer(golden, MODEL), Elmo(*files, 1)
    beyond = ids.clone()
    beyond[0, 0, 2] = 262
    keeping = Elmo(*files, 1, keep_sentence_boundaries=True)
    return {
        "character id 262": lambda: layers(beyond),
        "ids with 40 characters a word": lambda: layers(ids[..., :40]),
        "ids int32": lambda: layers(ids.int())["mask"].shape,
        "ids float32": lambda: layers(ids.float()),
        "ids of shape (0, 5, 50)": lambda: elmo(ids[:0, :5])["mask"].shape,
        "ids of shape (2, 0, 50)": lambda: elmo(ids[:2, :0])["elmo_representations"][0].shape,
        "Elmo: ids of shape (1, 3, 50), all zero": lambda: elmo(torch.zeros_like(ids[:1, :3]))["mask"].tolist(),
        "4-dimensional ids with keep_sentence_boundaries": lambda: _shape(keeping, ids[None]),
    }


def _batch_to_ids() -> dict[str, Call]:
    batches: dict[str, Any] = {
        "batch_to_ids([]): shape": [],
        "batch_to_ids([[]]): shape": [[]],
        "batch_to_ids([[], []]): shape": [[], []],
        "batch_to_ids([[], ['a']]): shape": [[], ["a"]],
        "batch_to_ids(['ab', 'c'] (strings, not lists)): shape": ["ab", "c"],
        "batch_to_ids([['a', 1]]): shape": [["a", 1]],
        "batch_to_ids([['a', None]]): shape": [["a", None]],
        "batch_to_ids([('a', 'b')]): shape": [("a", "b")],
    }
    return {name: partial(_ids_shape, batch) for name, batch in batches.items()}


def _ids_shape(batch: Any) -> tuple[int, ...]:
    return tuple(batch_to_ids(batch).shape)


def _shape(elmo: Elmo, ids: Tensor) -> tuple[int, ...]:
    return tuple(elmo(ids)["elmo_representations"][0].shape)
