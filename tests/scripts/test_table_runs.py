"""The table's runs fit the configurations that they change, and both sides of a comparison differ in ELMo alone."""

import json
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path

import pytest

pytest.importorskip("allennlp")

import torch
from allennlp.commands.train import train_model
from allennlp.common import Params
from allennlp.common.plugins import import_plugins
from allennlp.modules.seq2seq_encoders import LstmSeq2SeqEncoder

from pytorch_elmo import ElmoEmbedder
from pytorch_elmo.errors import TextError
from tiny_tasks import sentences, write, write_vectors

ROOT = Path(__file__).parents[2]


@pytest.fixture
def read(tmp_path):
    """The whole configuration of a run."""
    features = import_module("table.variants").Features("layers.hdf5", 256, "folder")

    def read(run):
        path = ROOT / "configs" / f"{run.variant.base.format(run.task.name)}.jsonnet"
        variables = {"ELMO_LAYER_FILE": features.layer_file, "ELMO_DIM": "256"} | run.variables
        return Params.from_file(path, run.overrides(features), ext_vars=variables).as_dict(quiet=True)

    return read


def test_the_names_of_runs_are_their_own():
    runs = [run for group in import_module("table.runs").groups().values() for run in group]
    assert len(runs) > 90
    assert len({run.name for run in runs}) == len(runs)


def test_every_run_is_a_configuration_of_its_own(read):
    configs = []
    for run in (run for group in import_module("table.runs").groups().values() for run in group):
        if run.seed != 1 or run.share != 100:
            continue
        config = read(run)
        assert config["trainer"]["num_epochs"] == config["trainer"]["patience"] == run.task.epochs
        assert config["pytorch_seed"] == run.seed
        assert ("layers.hdf5" in str(config) or "folder" in str(config)) == run.variant.has_elmo
        if run.variant.name not in ("top", "carried", "warmed"):  # another file of vectors, the same settings
            configs.append(str(config))
    assert len(set(configs)) == len(configs) > 20


def test_what_serves_to_choose_does_not_see_test():
    runs = [run for group in import_module("table.runs").groups().values() for run in group]
    assert {run.variant.name for run in runs if run.part == "test"} == {"baseline", "elmo"}
    assert all(run.task.metric != "macro-f1" for run in runs if run.part == "validation")  # AllenNLP has none there


def test_both_sides_have_the_same_settings():
    features = import_module("table.variants").Features("layers.hdf5", 256, "folder")
    for task in import_module("table.runs").TASKS:
        sides = {}
        for run in import_module("table.runs").groups()[task.name]:
            sides.setdefault(run.variant.name, []).append((run.seed, run.variables, run.overrides(features)))
        assert sides["baseline"] == sides["elmo"]


def test_runs_fit_their_budgets():
    for task in import_module("table.runs").TASKS:
        assert max(task.minutes) <= task.budget


def test_a_share_of_the_data_has_as_many_updates(read):
    shares = import_module("table.runs").groups()["shares"]
    assert [run.share for run in shares[::2]] == [1, 2, 5, 10, 20, 50]
    config = read(shares[0])
    assert config["data_loader"]["batches_per_epoch"] == -(-4560 // config["data_loader"]["batch_size"])
    assert "batches_per_epoch" not in config["validation_data_loader"]


@pytest.mark.parametrize("at_input", [False, True])
def test_elmo_beside_the_output(at_input):
    encoder = LstmSeq2SeqEncoder(input_size=5 if at_input else 3, hidden_size=4, bidirectional=True)
    beside = import_module("table.elmo_beside_output").ElmoBesideOutput(encoder, begin=2 if at_input else 0, size=2)
    inputs, mask = torch.randn(2, 6, 7 if at_input else 5), torch.ones(2, 6, dtype=torch.bool)
    outputs = beside(inputs, mask)
    assert outputs.shape == (2, 6, beside.get_output_dim())
    assert (beside.get_input_dim(), beside.get_output_dim()) == (inputs.shape[-1], 10)
    assert beside.is_bidirectional()
    part = inputs[..., 2:4] if at_input else inputs[..., :2]
    rest = torch.cat([inputs[..., :2], inputs[..., 4:]], -1) if at_input else inputs[..., 2:]
    assert torch.equal(outputs[..., 8:], part)
    assert torch.equal(outputs[..., :8], encoder(rest, mask))


@pytest.fixture
def features(tmp_path, small_model_folder):
    """Vectors of the tiny tasks' sentences, with and without their full stops."""
    texts = dict.fromkeys([*sentences(), *(text.removesuffix(" .") for text in sentences())])
    (tmp_path / "sentences.txt").write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    embedder = ElmoEmbedder(model=small_model_folder)
    embedder.embed_file(tmp_path / "sentences.txt", tmp_path / "layers.hdf5")
    return import_module("table.variants").Features(
        str(tmp_path / "layers.hdf5"), embedder.dim, str(small_model_folder)
    )


def test_every_split_is_read_as_in_training(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("MAX_TOKENS", "1")  # what is set in a shell does not count
    module, run = import_module("table.features"), import_module("table.runs").groups()["scicite"][0]
    splits = import_module("table.data").Splits.below(tmp_path, ".jsonl")
    for path in splits:
        text = " ".join([path.stem, "non-kin", "U.S.", *["word"] * 300])
        path.write_text(json.dumps({"text": text, "label": "method"}) + "\n", encoding="utf-8")
    texts = list(module._texts(run, splits))
    assert texts == [" ".join([split, "non-kin", "U.S.", *["word"] * 197]) for split in ("train", "dev", "test")]


def test_a_token_with_a_blank_is_refused():
    message = r"dev.json: a token must have no blank in it, got 'a b c'; take another tokenizer"
    with pytest.raises(TextError, match=message):
        import_module("table.features")._joined(["a b", "c"], Path("dev.json"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ner-output-1", "ner-both-1", "sst5-output-1", "sst5-both-1", "sst5-norm-1"])
def test_what_is_compared_trains(features, tmp_path, monkeypatch, name):
    monkeypatch.setattr("allennlp.common.logging.prepare_global_logging", lambda *_, **__: nullcontext())
    monkeypatch.setenv("PYTORCH_ELMO_USE_FAST_ELMO", "1")
    import_plugins()
    import_module("table.elmo_beside_output")
    runs = {run.name: run for group in import_module("table.runs").groups().values() for run in group}
    run = runs[name]
    data = str(write(run.task.name, tmp_path))
    variables = {"TRAIN_DATA_PATH": data, "VALIDATION_DATA_PATH": data, "ELMO_LAYER_FILE": features.layer_file}
    variables |= run.variables | {"ELMO_DIM": str(features.dim), "EPOCHS": "1", "PATIENCE": "1"}
    variables["WORD_VECTORS"] = str(write_vectors(tmp_path / "vectors.txt", 100))
    path = ROOT / "configs" / f"{run.variant.base.format(run.task.name)}.jsonnet"
    config = Params.from_file(path, run.overrides(features), ext_vars=variables)
    model = train_model(config, tmp_path / "run", force=True)
    mixes = {key for key, _ in model.named_parameters() if key.endswith("scalar_parameters.0")}
    assert len(mixes) == (2 if run.variant.name == "both" else 1)
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())
