"""AllenNLP on today's packages: each mend does what it is there for, and importing is silent and offline."""

import json
import logging
import os
import subprocess
import sys
import warnings
from types import ModuleType, SimpleNamespace

import pytest
import torch

pytest.importorskip("allennlp")

import allennlp.commands.find_learning_rate
import allennlp.common.util
import allennlp.training.gradient_descent_trainer
from allennlp.common import Params
from allennlp.training.learning_rate_schedulers import LearningRateScheduler
from allennlp.training.optimizers import Optimizer

from pytorch_elmo.allennlp_plugin import compat
from pytorch_elmo.allennlp_plugin.import_hooks import MendingFinder
from pytorch_elmo.allennlp_plugin.trainer_keys import nearest, warn_of_ignored

OFFLINE = """
import socket

def refuse(*arguments, **options):
    raise AssertionError(f"network: {arguments}")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.gethostbyname = refuse
"""


def run(program: str, *options: str, **variables: str) -> str:
    """What a program prints, in a Python of its own with an empty environment."""
    ended = subprocess.run(
        [sys.executable, *options, "-c", program], env=variables, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    return ended.stdout


@pytest.fixture
def parameters() -> list:
    return [("weight", torch.nn.Parameter(torch.zeros(2)))]


# -- Importing ---------------------------------------------------------------------------------------------------


def test_importing_everything_is_silent_offline_and_without_warnings():
    walk = "from allennlp.common.plugins import import_plugins\nimport_plugins()\n"
    names = "import sys\nprint(*[n for n, m in sys.modules.items() if type(m).__name__ == 'StandIn'])"
    assert run(OFFLINE + walk + names, "-W", "error") == "\n"


def test_the_plug_in_has_all_of_allennlp_models():
    program = """
from allennlp.common.plugins import import_plugins
import_plugins()
from allennlp.models import Model
from allennlp.data import DatasetReader
from allennlp.modules import TokenEmbedder
print(*Model.list_available(), *DatasetReader.list_available())
print(TokenEmbedder.by_name("elmo_token_embedder").__module__)
"""
    names, embedder = run(program).splitlines()
    needed = {"srl", "crf_tagger", "bcn", "esim", "bidaf", "coref", "constituency_parser", "sst_tokens", "ptb_trees"}
    assert needed <= set(names.split())
    assert embedder == "pytorch_elmo.allennlp_plugin.token_embedder"


def test_slow_packages_are_not_loaded_by_importing():
    program = "import sys, allennlp.commands\nprint(*{'nltk', 'scipy'} & set(sys.modules))"
    assert run(program) == "\n"


def test_other_libraries_see_what_is_installed():
    """`datasets` looks for optional packages as it is imported; here after AllenNLP's stand-ins."""
    program = """
from allennlp.common.plugins import import_plugins
import_plugins()
import importlib.util, importlib.machinery
for name in ("transformers", "spacy", "torchvision", "boto3", "nltk", "scipy"):
    found = importlib.util.find_spec(name)
    assert found == None if importlib.machinery.PathFinder.find_spec(name) is None else found.origin, name
import datasets, scipy.stats
print(datasets.Dataset.from_dict({"a": [1]}).with_format("torch")[0]["a"].item())
"""
    assert run(program, HOME=os.environ.get("HOME", "/")) == "1\n"


def test_the_package_itself_is_mended_too():
    """Arming happens while Python goes through its list of finders; it must not pass over those that this adds."""
    program = "from allennlp.common import Params\nprint(Params.from_file.__func__.__module__)"
    assert run(program) == "pytorch_elmo.allennlp_plugin.legacy_loading\n"


def test_old_module_of_the_commands():
    program = "from allennlp.commands.elmo import ElmoEmbedder\nprint(ElmoEmbedder.__module__)"
    assert run(program) == "pytorch_elmo.allennlp_plugin.elmo_embedder\n"


@pytest.mark.parametrize(("value", "home"), [(None, "allennlp"), ("0", "allennlp"), ("1", "pytorch_elmo")])
def test_the_opt_in_of_the_old_module_of_layers(value, home):
    program = "from allennlp.modules.elmo import Elmo, batch_to_ids\nprint(Elmo.__module__, batch_to_ids.__module__)"
    variables = {} if value is None else {"PYTORCH_ELMO_USE_FAST_ELMO": value}
    assert {name.partition(".")[0] for name in run(program, **variables).split()} == {home}


def test_the_script_that_downloads_at_its_import_is_left_out():
    from allennlp_models.rc.tools import orb_utils  # which imports it

    with pytest.raises(ImportError, match=r"narrativeqa downloads data at its import and is left out"):
        orb_utils.get_metric_narrativeqa("a", ["b"])


def test_arming_twice_is_arming_once():
    before = list(sys.meta_path)
    compat.arm()
    assert sys.meta_path == before
    assert sum(isinstance(finder, MendingFinder) for finder in before) == 1


def test_sources_and_tracebacks_are_as_ever():
    import inspect

    assert "class GradientDescentTrainer" in inspect.getsource(allennlp.training.gradient_descent_trainer)


# -- Mends -------------------------------------------------------------------------------------------------------


def test_reduce_on_plateau(parameters):
    optimizer = Optimizer.from_params(Params({"type": "sgd", "lr": 1.0}), model_parameters=parameters)
    section = {"type": "reduce_on_plateau", "factor": 0.5, "patience": 0, "verbose": True, "mode": "max"}
    scheduler = LearningRateScheduler.from_params(Params(section), optimizer=optimizer)
    assert isinstance(scheduler.lr_scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau)
    for metric in (0.5, 0.4):
        scheduler.step(metric)
    assert optimizer.param_groups[0]["lr"] == 0.5


def test_a_misspelt_key_of_the_scheduler_is_still_refused(parameters):
    optimizer = Optimizer.from_params(Params({"type": "sgd", "lr": 1.0}), model_parameters=parameters)
    with pytest.raises(Exception, match="Extra parameters passed to ReduceOnPlateauLearningRateScheduler"):
        LearningRateScheduler.from_params(Params({"type": "reduce_on_plateau", "facctor": 1}), optimizer=optimizer)


def test_mixed_precision_does_not_warn():
    amp = allennlp.training.gradient_descent_trainer.amp
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with amp.autocast(False):
            assert not torch.is_autocast_enabled("cuda")
        with amp.autocast(torch.cuda.is_available()):
            assert torch.is_autocast_enabled("cuda") == torch.cuda.is_available()


def test_find_lr_without_matplotlib_writes_a_table(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(compat.importlib.util, "find_spec", lambda name: None)
    path = tmp_path / "lr-losses.png"
    allennlp.commands.find_learning_rate._save_plot([0.1, 1.0], [2.0, 3.0], str(path))
    assert (tmp_path / "lr-losses.tsv").read_text("utf-8") == "learning_rate\tloss\n0.1\t2.0\n1.0\t3.0\n"
    assert "no plot without matplotlib, the figures are in" in caplog.text


def test_names_that_left_the_hub(monkeypatch):
    hub = ModuleType("huggingface_hub")
    hub.HfFolder = kept = object()
    hub.__spec__ = SimpleNamespace()
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    compat._old_names_of_the_hub()
    assert hub.HfFolder is kept
    assert "push-to-hf needs it below 1.0" in hub.Repository.__doc__


def test_the_optimizer_that_left_transformers(monkeypatch, parameters):
    class Lazy(ModuleType):
        """As transformers' own module object, which replaces itself."""

    module = Lazy("transformers")
    module.__spec__ = SimpleNamespace()
    monkeypatch.setitem(sys.modules, "transformers", module)
    compat._old_optimizer_of_transformers()
    optimizer = module.AdamW([parameter for _, parameter in parameters], lr=0.1, correct_bias=False)
    assert isinstance(optimizer, torch.optim.AdamW)
    assert Lazy("transformers").AdamW is module.AdamW


def test_a_spacy_pipeline_that_is_not_installed_is_not_downloaded(caplog):
    pytest.importorskip("spacy")
    with caplog.at_level(logging.WARNING):
        pipeline = allennlp.common.util.get_spacy_model("en_no_such_pipeline")
    assert [token.text for token in pipeline("It can't be.")] == ["It", "ca", "n't", "be", "."]
    assert len(list(pipeline("One. Two.").sents)) == 2
    assert "python -m spacy download en_no_such_pipeline brings it" in caplog.text
    assert allennlp.common.util.get_spacy_model("en_no_such_pipeline") is pipeline


# -- Keys of the trainer -----------------------------------------------------------------------------------------

KNOWN = {"model", "num_epochs", "patience", "grad_norm", "checkpointer", "kwargs", "serialization_dir", "callbacks"}


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("num_epoch", "num_epochs"),
        ("gradnorm", "grad_norm"),
        ("patients", "patience"),
        ("num_serialized_models_to_keep", "checkpointer.keep_most_recent_by_count"),
        ("num_serialised_models_to_keep", "checkpointer.keep_most_recent_by_count"),
        ("shufle", "data_loader.shuffle"),
        ("summary_interval", "summary_interval of the tensorboard callback"),
    ],
)
def test_the_nearest_name_of_a_key(key, name):
    assert nearest(key, KNOWN) == name


def test_every_ignored_key_is_named_and_no_other(caplog):
    warn_of_ignored({"zzz", "num_epoch", "run_sanity_checks"}, KNOWN)
    first, second = caplog.messages
    assert "has the key num_epoch, which AllenNLP ignores; the nearest valid name is num_epochs" in first
    assert "has the key zzz, which AllenNLP ignores; the nearest valid name is " in second


def test_places_that_keys_moved_to_exist():
    import inspect

    from allennlp.training.checkpointer import Checkpointer

    from pytorch_elmo.allennlp_plugin.trainer_keys import _MOVED

    trainer = allennlp.training.gradient_descent_trainer.GradientDescentTrainer.from_partial_objects
    parameters = set(inspect.signature(trainer).parameters)
    for place in _MOVED.values():
        section, _, key = place.partition(".")
        if section == "checkpointer":
            assert key in inspect.signature(Checkpointer).parameters
        elif "callback" not in place and section != "data_loader":
            assert section in parameters


def test_a_misspelt_type_has_allennlps_own_message():
    with pytest.raises(Exception, match=r"did you mean 'sgd'\?"):
        Optimizer.by_name("sgdd")


def test_a_script_that_loads_an_archive_has_our_embedder(tmp_path):
    """`load_archive` alone loads no plug-in in AllenNLP; the embedder is this project's all the same."""
    program = f"""
from allennlp.models.archival import load_archive
try:
    load_archive({str(tmp_path / "none.tar.gz")!r})
except Exception as error:
    print(type(error).__name__)
from allennlp.modules import TokenEmbedder
print(json.dumps(TokenEmbedder.by_name("elmo_token_embedder").__module__))
"""
    printed = run("import json, logging\nlogging.disable()" + program).splitlines()
    assert json.loads(printed[-1]) == "pytorch_elmo.allennlp_plugin.token_embedder"
