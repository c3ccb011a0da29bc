"""This project's model files: exact in single precision, rounded in half, and strict about everything else."""

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from safetensors import safe_open
from safetensors.torch import save_file

from damage import refusal, with_a_changed_bit
from originals import COMMITTED, read_committed
from pytorch_elmo.errors import WeightsError
from pytorch_elmo.formats.tensor_file import VERSION
from pytorch_elmo.model.softmax import Softmax
from pytorch_elmo.text.vocabulary import Vocabulary
from pytorch_elmo.weights.hdf5 import read_arrays, write_hdf5
from pytorch_elmo.weights.own_format import (
    BILM_FORMAT,
    SOFTMAX_FORMAT,
    read_bilm,
    read_softmax,
    save_bilm,
    save_softmax,
)
from random_models import CONFIGS, random_bilm

WORDS = ["<S>", "</S>", "<UNK>", "the", "Zoë", "日本語"]


def random_softmax() -> Softmax:
    softmax = Softmax(len(WORDS), 4)
    with torch.no_grad():
        for parameter in softmax.parameters():
            parameter.normal_(generator=torch.Generator().manual_seed(0))
    return softmax


@pytest.fixture
def bilm_file(small_model, tmp_path) -> Path:
    save_bilm(small_model, tmp_path / "bilm.safetensors")
    return tmp_path / "bilm.safetensors"


@pytest.fixture
def softmax_file(tmp_path) -> Path:
    save_softmax(random_softmax(), Vocabulary(WORDS), tmp_path / "softmax.safetensors")
    return tmp_path / "softmax.safetensors"


def contents(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata())  # noqa: SIM118


def rewrite(path: Path, change) -> None:
    """Write the file again after `change(tensors, metadata)`."""
    tensors, metadata = contents(path)
    change(tensors, metadata)
    save_file(tensors, path, metadata=metadata)


def refused(read, path: Path, message: str) -> None:
    with pytest.raises(WeightsError, match=message) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@settings(max_examples=15)  # each waits for the disk
@given(CONFIGS)
def test_single_precision_is_exact(tmp_path_factory, config):
    path, bilm = tmp_path_factory.mktemp("model") / "bilm.safetensors", random_bilm(config, dtype=torch.float32)
    save_bilm(bilm, path)
    again = read_bilm(path)
    assert again.config == config
    assert not again.training
    for name, parameter in again.named_parameters():
        assert not parameter.requires_grad
        assert torch.equal(parameter.view(torch.int32), bilm.get_parameter(name).view(torch.int32))


def test_a_weight_file_survives_the_way_through_our_own(small_model, small_model_folder, bilm_file, tmp_path):
    write_hdf5(read_bilm(bilm_file), tmp_path / "again.hdf5")
    theirs = read_arrays(small_model_folder / "weights.hdf5")
    ours = read_arrays(tmp_path / "again.hdf5")
    assert ours.keys() == theirs.keys()
    assert all(ours[name].tobytes() == array.tobytes() for name, array in theirs.items())


@pytest.mark.parametrize(("dtype", "rounding"), [(torch.float16, 2**-11), (torch.bfloat16, 2**-8)])
def test_half_precision_rounds_and_halves(small_model, bilm_file, tmp_path, dtype, rounding):
    save_bilm(small_model, tmp_path / "half", dtype=dtype)
    again = read_bilm(tmp_path / "half")
    changed = 0
    for name, parameter in small_model.named_parameters():
        loaded = again.get_parameter(name)
        assert loaded.dtype == torch.float32
        torch.testing.assert_close(loaded, parameter, rtol=rounding, atol=1e-7)
        changed += (loaded != parameter).sum().item()
    assert changed > 100
    saved = sum(tensor.nbytes for tensor in contents(tmp_path / "half")[0].values())
    assert 2 * saved == sum(tensor.nbytes for tensor in contents(bilm_file)[0].values())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_a_softmax_comes_back_with_its_words(tmp_path, dtype):
    path, softmax = tmp_path / "softmax.safetensors", random_softmax()
    save_softmax(softmax, Vocabulary(WORDS), path, dtype=dtype)
    again, vocabulary = read_softmax(path)
    assert vocabulary.tokens == WORDS
    for name, parameter in softmax.named_parameters():
        loaded = again.get_parameter(name)
        assert loaded.dtype == torch.float32
        assert not loaded.requires_grad
        assert torch.equal(loaded, parameter.to(dtype).float())


def test_a_file_says_what_it_is(bilm_file, softmax_file):
    for path, kind in ((bilm_file, BILM_FORMAT), (softmax_file, SOFTMAX_FORMAT)):
        metadata = contents(path)[1]
        assert (metadata["format"], metadata["version"]) == (kind, VERSION)
    assert "options" in json.loads(contents(bilm_file)[1]["document"])


def test_nothing_is_left_beside_the_file(bilm_file):
    assert [path.name for path in bilm_file.parent.iterdir()] == ["bilm.safetensors"]


@pytest.mark.parametrize("read", [read_bilm, read_softmax])
def test_missing_file(read, tmp_path):
    refused(read, tmp_path / "none", r"^no model file .*none; give the folder of a model$")


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"\x08\0\0\0\0\0\0\0{}      "])
def test_not_a_model_file(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    refused(
        read_bilm, tmp_path / "file", r"is no whole safetensors file: .*; fetch it anew$|its format is None; give"
    )


def test_a_weight_file_of_allennlp():
    refused(read_bilm, COMMITTED / "clipped" / "weights.hdf5", r"is no whole safetensors file: ")


def test_the_other_kind_of_file(bilm_file, softmax_file):
    kind = r"is not a pytorch_elmo.bilm file, its format is 'pytorch_elmo.softmax'; give another file$"
    refused(read_bilm, softmax_file, kind)
    refused(read_softmax, bilm_file, r"is not a pytorch_elmo.softmax file, its format is 'pytorch_elmo.bilm'; give")


def test_another_version(bilm_file):
    rewrite(bilm_file, lambda _, metadata: metadata.update(version="2"))
    refused(read_bilm, bilm_file, r"has format version '2', this release reads 1$")


def test_a_description_that_is_no_json(bilm_file):
    rewrite(bilm_file, lambda _, metadata: metadata.update(document="{"))
    refused(read_bilm, bilm_file, r": its description is no JSON: .*; fetch the file anew$")


@pytest.mark.parametrize("document", ["{}", '{"options": 3}', '{"options": {"char_cnn": {}}}'])
def test_options_that_cannot_be_read(bilm_file, document):
    rewrite(bilm_file, lambda _, metadata: metadata.update(document=document))
    refused(read_bilm, bilm_file, r": its own options are damaged: .*; fetch the file anew$")


def test_a_missing_and_an_unknown_parameter(bilm_file):
    rewrite(bilm_file, lambda tensors, _: tensors.pop("_token_embedder._projection.bias"))
    message = r"parameter\(s\) missing or unknown, first _token_embedder._projection.bias; nothing was loaded$"
    refused(read_bilm, bilm_file, message)
    rewrite(bilm_file, lambda tensors, _: tensors.update({"_token_embedder._projection.bias": torch.zeros(5)}))
    read_bilm(bilm_file)
    rewrite(bilm_file, lambda tensors, _: tensors.update({"_another": torch.zeros(5)}))
    refused(read_bilm, bilm_file, r"parameter\(s\) missing or unknown, first _another; nothing was loaded$")


def test_another_shape(bilm_file):
    rewrite(bilm_file, lambda tensors, _: tensors.update({"_token_embedder._projection.bias": torch.zeros(1, 5)}))
    message = r"_token_embedder._projection.bias has shape \(1, 5\), its options promise \(5,\)$"
    refused(read_bilm, bilm_file, message)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_none(bilm_file, softmax_file, value):
    rewrite(bilm_file, lambda tensors, _: tensors["_token_embedder._projection.bias"].__setitem__(0, value))
    refused(read_bilm, bilm_file, r"_token_embedder._projection.bias holds NaN or infinity; the file is damaged")
    rewrite(softmax_file, lambda tensors, _: tensors["bias"].__setitem__(0, value))
    refused(read_softmax, softmax_file, r"bias holds NaN or infinity; the file is damaged, fetch it anew$")


@pytest.mark.parametrize("name", ["vocabulary", "weight"])
def test_a_softmax_without_words_or_weight(softmax_file, name):
    rewrite(softmax_file, lambda tensors, _: tensors.pop(name))
    refused(read_softmax, softmax_file, r"misses the vocabulary or the weight; fetch the file anew$")


def test_a_vocabulary_of_another_size(softmax_file):
    words = torch.frombuffer(bytearray("\n".join(WORDS[:-1]).encode()), dtype=torch.uint8)
    rewrite(softmax_file, lambda tensors, _: tensors.update(vocabulary=words))
    refused(read_softmax, softmax_file, r"(weight|bias) has shape \(6.*\), its options promise \(5.*\)$")


@pytest.mark.parametrize("words", [b"<S>\n</S>\nthe", b"<S>\n</S>\n<UNK>\n\xff"])
def test_a_damaged_vocabulary(softmax_file, words):
    tensor = torch.frombuffer(bytearray(words), dtype=torch.uint8)
    rewrite(softmax_file, lambda tensors, _: tensors.update(vocabulary=tensor))
    refused(read_softmax, softmax_file, r": its vocabulary is damaged: .*; fetch the file anew$")


@pytest.mark.parametrize("kind", ["bilm", "softmax"])
def test_files_cut_anywhere(bilm_file, softmax_file, kind):
    path, read = {"bilm": (bilm_file, read_bilm), "softmax": (softmax_file, read_softmax)}[kind]
    whole = path.read_bytes()
    for length in range(0, len(whole), len(whole) // 60):
        path.write_bytes(whole[:length])
        refused(read, path, r"is no whole safetensors file")


@pytest.mark.parametrize("kind", ["bilm", "softmax"])
def test_files_with_a_changed_bit_in_the_header(bilm_file, softmax_file, kind):
    """Beyond the header a bit in a number gives another number; in it, almost nothing may pass."""
    path, read = {"bilm": (bilm_file, read_bilm), "softmax": (softmax_file, read_softmax)}[kind]
    whole, messages = path.read_bytes(), []
    for damaged in with_a_changed_bit(whole, 300, length=8 + int.from_bytes(whole[:8], "little")):
        path.write_bytes(damaged)
        messages.append(refusal(read, path))
    refusals = list(filter(None, messages))
    assert len(refusals) > 290
    assert all(str(path) in message for message in refusals)


def test_a_bit_in_the_words(softmax_file):
    whole = softmax_file.read_bytes()
    start = whole.index(b"<S>\n")
    for place in range(start, start + len("\n".join(WORDS).encode())):
        damaged = bytearray(whole)
        damaged[place] ^= 0x80
        softmax_file.write_bytes(damaged)
        refused(read_softmax, softmax_file, r"its vocabulary is damaged: ")


def test_the_activations_are_those_of_the_weight_file(tmp_path):
    bilm = read_committed("deep")
    save_bilm(bilm, tmp_path / "bilm.safetensors")
    ids = torch.randint(1, 262, (2, 3, 50), generator=torch.Generator().manual_seed(0))
    ours, theirs = read_bilm(tmp_path / "bilm.safetensors")(ids), bilm(ids)
    assert all(map(torch.equal, ours.layer_activations, theirs.layer_activations))
