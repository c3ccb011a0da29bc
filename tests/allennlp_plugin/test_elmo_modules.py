"""The opt-in: `allennlp.modules.elmo` with this package's classes, for code that builds `Elmo` itself."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("allennlp")

from allennlp.common import FromParams, Params
from allennlp.common.checks import ConfigurationError
from allennlp.modules import elmo as allennlps

from originals import COMMITTED, TOLERANCE, close
from pytorch_elmo import elmo as core
from pytorch_elmo.allennlp_plugin import elmo_modules
from pytorch_elmo.allennlp_plugin.elmo_modules import Elmo, batch_to_ids
from pytorch_elmo.errors import WeightsError

FILES = tuple(str(COMMITTED / "clipped" / name) for name in ("options.json", "weights.hdf5"))
BATCH = [["The", "sea", "at", "night"], ["Hello"], ["a", "b"]]
OPT_IN = elmo_modules.OPT_IN_VARIABLE

# What a program sees: before the opt-in, after it, and in a model that was imported before.
PROGRAM = """
import json, sys
from pytorch_elmo import batch_to_ids as our_ids
from pytorch_elmo.elmo import Elmo as core

import allennlp.modules
import allennlp.modules.elmo
if "models first" in sys.argv:
    import allennlp_models.classification.models.biattentive_classification_network
seen = {"before": issubclass(allennlp.modules.elmo.Elmo, core)}
from pytorch_elmo.allennlp_plugin import elmo_modules
if "variable" not in sys.argv:
    elmo_modules.use_fast_elmo()

from allennlp.modules.elmo import Elmo, batch_to_ids
from allennlp.modules.token_embedders.elmo_token_embedder import ElmoTokenEmbedder
from allennlp_models.classification.models.biattentive_classification_network import BiattentiveClassificationNetwork
import inspect, torch
from allennlp.common import FromParams, Params
from allennlp.data import Vocabulary
from allennlp.models import Model

seen["after"] = issubclass(Elmo, core) and issubclass(Elmo, FromParams) and batch_to_ids is our_ids
seen["in the package"] = allennlp.modules.Elmo is Elmo
options, weights = json.loads(sys.argv[1])
seen["token embedder"] = isinstance(ElmoTokenEmbedder(options, weights)._elmo, core)
vocab = Vocabulary({"labels": {"a": 2, "b": 2}, "tokens": {"sea": 2}})
lstm = lambda size: {"type": "lstm", "input_size": size, "hidden_size": 3, "bidirectional": True}
relu = lambda size, out: {"input_dim": size, "num_layers": 1, "hidden_dims": out, "activations": "relu"}
bcn = Model.from_params(vocab=vocab, params=Params({
    "type": "bcn",
    "text_field_embedder": {"token_embedders": {"tokens": {"type": "embedding", "embedding_dim": 4}}},
    "embedding_dropout": 0.1,
    "elmo": {"options_file": options, "weight_file": weights, "do_layer_norm": False, "dropout": 0,
             "num_output_representations": 2},
    "use_input_elmo": True, "use_integrator_output_elmo": True,
    "pre_encode_feedforward": relu(14, [6]),
    "encoder": lstm(6),
    "integrator": lstm(18),
    "integrator_dropout": 0.1,
    "output_layer": {"input_dim": 64, "num_layers": 1, "output_dims": 2, "pool_sizes": 2, "dropout": 0.0},
}))
seen["bcn"] = isinstance(bcn._elmo, core)
words = [["sea", "sky"], ["sea"]]
tokens = {"tokens": {"tokens": torch.tensor([[1, 2], [1, 0]])}, "elmo": {"elmo_tokens": batch_to_ids(words)}}
loss = bcn(tokens, torch.tensor([0, 1]))["loss"]
loss.backward()
seen["learned"] = all(mix.gamma.grad is not None for mix in bcn._elmo._scalar_mixes)
print(json.dumps(seen))
"""


@pytest.fixture
def ids():
    return batch_to_ids(BATCH)


def test_built_from_a_configuration(ids):
    keys = {"options_file": FILES[0], "weight_file": FILES[1], "num_output_representations": 2, "dropout": 0}
    elmo = Elmo.from_params(Params(keys | {"scalar_mix_parameters": [0.5, 0.1, -0.3], "vocab_to_cache": None}))
    expected = core.Elmo(*FILES, 2, dropout=0.0, scalar_mix_parameters=[0.5, 0.1, -0.3])
    assert isinstance(elmo, FromParams)
    assert len(elmo._scalar_mixes) == 2
    assert elmo.get_output_dim() == 10
    for ours, theirs in zip(elmo(ids)["elmo_representations"], expected(ids)["elmo_representations"], strict=True):
        assert torch.equal(ours, theirs)


def test_a_misspelt_key_is_allennlps_own_error():
    with pytest.raises(ConfigurationError, match=r"Extra parameters passed to Elmo: \{'drop_out': 0\}"):
        Elmo.from_params(
            Params(
                {"options_file": FILES[0], "weight_file": FILES[1], "num_output_representations": 1, "drop_out": 0}
            )
        )


def test_a_missing_weight_file_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"no weight file .*weights.hdf5"):
        Elmo(FILES[0], str(tmp_path / "weights.hdf5"), 1)


@pytest.mark.parametrize("arguments", [{}, {"do_layer_norm": True}, {"keep_sentence_boundaries": True}], ids=str)
def test_the_numbers_and_names_of_allennlps_class(ids, arguments):
    theirs, ours = (kind(*FILES, 2, dropout=0.0, **arguments) for kind in (allennlps.Elmo, Elmo))
    with torch.no_grad():
        for number, mix in enumerate(theirs._scalar_mixes):
            mix.gamma.fill_(1.5 - number)
            mix.scalar_parameters[1].fill_(0.7)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    found, expected = ours(ids), theirs(ids)
    np.testing.assert_array_equal(found["mask"], expected["mask"])
    for mine, other in zip(found["elmo_representations"], expected["elmo_representations"], strict=True):
        close(mine, other.detach().numpy(), TOLERANCE)


def test_stateful_calls_follow_allennlps(ids):
    theirs, ours = allennlps.Elmo(*FILES, 1, dropout=0.0), Elmo(*FILES, 1, dropout=0.0, stateful=True)
    for rows in (3, 2, 3):
        expected = theirs(ids[:rows])["elmo_representations"][0].detach().numpy()
        close(ours(ids[:rows])["elmo_representations"][0], expected, TOLERANCE)


def test_another_module_in_place_of_the_files(ids):
    theirs = allennlps._ElmoBiLm(*FILES)
    found = Elmo(None, None, 1, dropout=0.0, module=theirs)(ids)["elmo_representations"][0]
    close(found, Elmo(*FILES, 1, dropout=0.0)(ids)["elmo_representations"][0].detach().numpy(), TOLERANCE)


def test_ids_are_allennlps(ids):
    assert torch.equal(ids, allennlps.batch_to_ids(BATCH))
    assert batch_to_ids([[]]).shape == (1, 0, 50)


def test_nothing_changes_without_the_opt_in(monkeypatch):
    for value in (None, "", "0"):
        monkeypatch.delenv(OPT_IN, raising=False)
        if value is not None:
            monkeypatch.setenv(OPT_IN, value)
        elmo_modules.install()
    assert allennlps.Elmo is elmo_modules._REPLACED["Elmo"]
    assert not issubclass(allennlps.Elmo, core.Elmo)


@pytest.mark.slow
@pytest.mark.parametrize("how", [(), ("models first",), ("variable",)], ids=str)
def test_the_opt_in(tmp_path, how):
    pytest.importorskip("allennlp_models")
    program = Path(tmp_path / "program.py")
    program.write_text(PROGRAM)
    ended = subprocess.run(
        [sys.executable, program, json.dumps(FILES), *how],
        env={OPT_IN: "1"} if "variable" in how else {},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    seen = json.loads(ended.stdout.splitlines()[-1])
    by_variable = "variable" in how  # then AllenNLP's module has them as soon as it is imported
    steps = ["after", "in the package", "token embedder", "bcn", "learned"]
    assert seen == {"before": by_variable} | dict.fromkeys(steps, True)
