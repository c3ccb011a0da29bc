"""The package from outside: its names, its errors, its silence."""

import inspect
from importlib.metadata import version

import pytest

import pytorch_elmo
from pytorch_elmo import errors
from pytorch_elmo.progress import Progress, SilentProgress


@pytest.mark.parametrize("name", pytorch_elmo.__all__)
def test_every_public_name_is_there(name):
    thing = getattr(pytorch_elmo, name)
    assert thing.__name__ == name
    assert thing.__module__.startswith("pytorch_elmo.")
    assert inspect.getdoc(thing)


def test_public_names_are_listed_for_completion():
    assert set(pytorch_elmo.__all__) <= set(dir(pytorch_elmo))
    assert pytorch_elmo.__all__ == sorted(pytorch_elmo.__all__)


def test_an_unknown_name():
    with pytest.raises(AttributeError, match=r"^module 'pytorch_elmo' has no attribute 'Elmos'$"):
        pytorch_elmo.Elmos  # noqa: B018


def test_the_version_is_the_installed_one():
    assert pytorch_elmo.__version__ == version("pytorch-elmo")


def test_one_tree_of_errors():
    kinds = {name: kind for name, kind in vars(errors).items() if inspect.isclass(kind)}
    assert {"ConfigurationError", "WeightsError", "LayerFileError", "TextError", "DownloadError"} < kinds.keys()
    assert all(issubclass(kind, errors.PytorchElmoError) and kind.__doc__ for kind in kinds.values())
    assert not issubclass(errors.PytorchElmoError, OSError | ValueError)


def test_silence_hears_everything_and_says_nothing(capfd):
    progress: Progress = SilentProgress()
    progress.start(total=None, unit="B", done=3, label="reading")
    progress.advance(5)
    progress.note("a line")
    progress.finish()
    assert capfd.readouterr() == ("", "")


def test_silence_has_the_whole_interface():
    for name, method in inspect.getmembers(Progress, inspect.isfunction):
        if not name.startswith("_"):
            assert inspect.signature(getattr(SilentProgress, name)) == inspect.signature(method)
