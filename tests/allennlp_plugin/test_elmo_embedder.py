"""`from allennlp.commands.elmo import ElmoEmbedder`: 0.9's class, against 0.9's numbers."""

import inspect
import io
import json
import tarfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

pytest.importorskip("allennlp")

from allennlp.commands.elmo import (
    DEFAULT_BATCH_SIZE,
    DEFAULT_OPTIONS_FILE,
    DEFAULT_WEIGHT_FILE,
    ElmoEmbedder,
)

from originals import COMMITTED, TOLERANCE, model_files, original_sentences, read_committed
from pytorch_elmo import LayerFileReader
from pytorch_elmo.allennlp_plugin import model_files as addresses
from pytorch_elmo.allennlp_plugin.model_files import local_files, published_name
from pytorch_elmo.errors import ConfigurationError, DownloadError, TextError, WeightsError

MODELS = ("fixture", "syn1", "syn2", "syn3")
FILES = (COMMITTED / "clipped" / "options.json", COMMITTED / "clipped" / "weights.hdf5")
SENTENCES = [["The", "sea"], ["Hello"], ["at", "night", "."], ["Hello"]]
TEXT = "".join(" ".join(sentence) + "\n" for sentence in SENTENCES)


@pytest.fixture
def embedder() -> ElmoEmbedder:
    return ElmoEmbedder(*FILES)


def assert_near(ours, theirs) -> None:
    """Equal shapes and values; a sentence without tokens is float32 (num_layers, 0, dim), in 0.9 (3, 0, 1024)."""
    assert len(ours) == len(theirs)
    for mine, expected in zip(ours, theirs, strict=True):
        assert mine.dtype == np.float32
        if expected.shape == (3, 0, 1024):
            assert mine.shape[1] == 0
        else:
            assert (mine.dtype, mine.shape) == (expected.dtype, expected.shape)
            np.testing.assert_allclose(mine, expected, rtol=0, atol=TOLERANCE)


class Goldens:
    """The calls of one model, and embedders to repeat them with."""

    def __init__(self, folder: Path, model: str) -> None:
        self.folder, self.files = folder, model_files(folder, model)
        with np.load(folder / "goldens_0.9.0" / model / "embedder.npz") as arrays:
            self.arrays = dict(arrays)

    def results(self, name: str) -> list[np.ndarray]:
        found = [key for key in self.arrays if key.startswith(f"{name}__")]
        return [self.arrays[f"{name}__{index}"] for index in range(len(found))]

    def sentences(self, batch: str) -> list[list[str]]:
        return original_sentences(self.folder, batch)

    def embedder(self) -> ElmoEmbedder:
        return ElmoEmbedder(*self.files)


@pytest.fixture(params=MODELS)
def goldens(request, golden_folder) -> Goldens:
    return Goldens(golden_folder, request.param)


def test_batches(goldens):
    batches = {key.split("__")[1] for key in goldens.arrays if key.startswith("batch__")}
    assert len(batches) >= 10
    for batch in batches:
        ours = goldens.embedder().embed_batch(goldens.sentences(batch))
        assert_near(ours, goldens.results(f"batch__{batch}"))


def test_the_state_is_carried_from_call_to_call(goldens):
    embedder, first = goldens.embedder(), goldens.sentences("ascii")[0]
    assert_near([embedder.embed_sentence(first) for _ in range(2)], goldens.results("sentence_twice"))


@pytest.mark.parametrize("size", [1, 2, 3, 64])
def test_sentences_by_batch_size(goldens, size):
    ours = goldens.embedder().embed_sentences(goldens.sentences("embed_sentences_list"), size)
    assert_near(list(ours), goldens.results(f"sentences_size{size}"))


def test_sentences_without_tokens(goldens):
    assert_near([goldens.embedder().embed_sentence([])], goldens.results("sentence_empty"))
    embedder = goldens.embedder()
    assert_near([embedder.embed_sentence(s) for s in ([], ["a", "b"])], goldens.results("empty_then_full"))


def test_a_padded_batch(goldens):
    activations, mask = goldens.embedder().batch_to_embeddings(goldens.sentences("mixed_lengths"))
    theirs = goldens.arrays["batch_to_embeddings__activations"]
    np.testing.assert_allclose(activations.numpy(), theirs, rtol=0, atol=TOLERANCE)
    assert mask.dtype == torch.bool
    np.testing.assert_array_equal(mask.numpy(), goldens.arrays["batch_to_embeddings__mask"])
    assert not activations.requires_grad


def test_the_arguments_and_their_order_are_0_9s():
    def names(function):
        parameters = inspect.signature(function).parameters.values()
        return [parameter.name for parameter in parameters if parameter.kind is parameter.POSITIONAL_OR_KEYWORD][1:]

    assert names(ElmoEmbedder.__init__) == ["options_file", "weight_file", "cuda_device"]
    assert names(ElmoEmbedder.embed_sentence) == ["sentence"]
    assert names(ElmoEmbedder.embed_batch) == ["batch"]
    assert names(ElmoEmbedder.batch_to_embeddings) == ["batch"]
    assert names(ElmoEmbedder.embed_sentences) == ["sentences", "batch_size"]
    assert names(ElmoEmbedder.embed_file) == [
        *("input_file", "output_file_path", "output_format", "batch_size", "forget_sentences", "use_sentence_keys")
    ]
    assert inspect.signature(ElmoEmbedder).parameters["cuda_device"].default == -1
    assert DEFAULT_BATCH_SIZE == 64


def test_sentences_are_embedded_as_they_are_asked_for(embedder):
    def endless():
        while True:
            yield ["sea"]

    assert next(embedder.embed_sentences(endless())).shape == (3, 1, 10)
    assert list(embedder.embed_sentences([])) == []


def test_64_sentences_are_a_batch(embedder):
    sentences = [["sea"]] * 65
    by_default = list(embedder.embed_sentences(sentences))
    np.testing.assert_array_equal(by_default, list(ElmoEmbedder(*FILES).embed_sentences(sentences, 64)))
    assert not np.array_equal(by_default[0], by_default[64])  # row 0 goes on
    np.testing.assert_array_equal(by_default[0], by_default[63])


def test_without_the_state_if_asked():
    embedder = ElmoEmbedder(*FILES, stateful=False)
    first, second = (embedder.embed_sentence(["sea"]) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("given", ["an open file", "a path", "text in memory", "another encoding"])
def test_a_file(tmp_path, embedder, given):
    text, output = tmp_path / "text.txt", tmp_path / "new" / "out.hdf5"
    content = TEXT.replace("night", "nuît")
    text.write_text(content, encoding="latin-1" if given == "another encoding" else "utf-8")
    source = {
        "an open file": lambda: text.open(encoding="utf-8"),
        "a path": lambda: text,
        "text in memory": lambda: io.StringIO(content),
        "another encoding": lambda: text.open(encoding="latin-1"),
    }[given]()
    assert embedder.embed_file(source, str(output), batch_size=2) is None
    assert given == "a path" or source.closed
    sentences = [line.split() for line in content.splitlines()]
    with LayerFileReader(output) as reader:
        assert_near([reader[index] for index in range(4)], list(ElmoEmbedder(*FILES).embed_sentences(sentences, 2)))


def test_positional_arguments_of_embed_file(tmp_path, embedder):
    output = tmp_path / "out.hdf5"
    output.write_bytes(b"what is overwritten")
    embedder.embed_file(io.StringIO("the sea\n a / b \n"), output, "average", 1, True, True)
    again = ElmoEmbedder(*FILES)
    with LayerFileReader(output) as reader:
        assert reader.manifest.keys == "sentence"
        means = [again.embed_sentence(words).mean(axis=0) for words in (["the", "sea"], ["a", "/", "b"])]
        assert_near([reader[0], reader[1]], means)
    with h5py.File(output) as file:
        assert set(file) == {"the sea", "a "}


@pytest.mark.parametrize(
    ("text", "arguments", "error", "message"),
    [
        ("a\n\n b\n \n", {}, TextError, r"the input: a line must hold a sentence, line\(s\) 2, 4 are blank; remove"),
        ("a\n", {"output_format": "middle"}, ConfigurationError, "is one of all, top, average, got 'middle'"),
        ("a\n", {"batch_size": 0}, ConfigurationError, "batch_size is at least 1, got 0"),
        ("a\na\n", {"use_sentence_keys": True}, TextError, "lines 1 and 2 are the same: 'a' and 'a'"),
    ],
)
def test_what_embed_file_refuses(tmp_path, embedder, text, arguments, error, message):
    with pytest.raises(error, match=message):
        embedder.embed_file(io.StringIO(text), tmp_path / "out.hdf5", **arguments)
    assert list(tmp_path.iterdir()) == []


def test_an_open_file_in_the_wrong_encoding(tmp_path, embedder):
    path = tmp_path / "text.txt"
    path.write_bytes("nuît\n".encode("latin-1"))
    with path.open(encoding="utf-8") as file, pytest.raises(TextError, match="must be text in the encoding that it"):
        embedder.embed_file(file, tmp_path / "out.hdf5")


@pytest.fixture
def offline(tmp_path, monkeypatch) -> Path:
    """No model in the cache, and no network."""
    monkeypatch.delenv("PYTORCH_ELMO_DEFAULT", raising=False)
    monkeypatch.setenv("PYTORCH_ELMO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTORCH_ELMO_MIRROR", (tmp_path / "nothing").as_uri())
    return tmp_path


@pytest.mark.parametrize("files", [(), (DEFAULT_OPTIONS_FILE, DEFAULT_WEIGHT_FILE)])
def test_the_original_model_by_default(offline, files):
    with pytest.raises(DownloadError, match=r"^original could not be fetched: .*use the model in the package") as met:
        ElmoEmbedder(*files)
    assert "\n" not in str(met.value)


def test_the_environment_names_another_default(offline, monkeypatch):
    monkeypatch.setenv("PYTORCH_ELMO_DEFAULT", str(COMMITTED / "clipped"))
    np.testing.assert_array_equal(
        ElmoEmbedder().embed_sentence(["sea"]), ElmoEmbedder(*FILES).embed_sentence(["sea"])
    )
    with pytest.raises(DownloadError, match="original could not be fetched"):  # named by its addresses
        ElmoEmbedder(DEFAULT_OPTIONS_FILE, DEFAULT_WEIGHT_FILE)
    monkeypatch.setenv("PYTORCH_ELMO_DEFAULT", "smal")
    with pytest.raises(DownloadError, match=r"^PYTORCH_ELMO_DEFAULT names the model here: .*did you mean small"):
        ElmoEmbedder()


def test_the_packaged_model_as_the_default(offline, monkeypatch):
    monkeypatch.setenv("PYTORCH_ELMO_DEFAULT", "default")
    embedder = ElmoEmbedder()
    assert embedder.name == "default"
    assert embedder.embed_sentence(["sea"]).shape == (embedder.num_layers, 1, embedder.dim)


def test_a_model_by_its_name_or_folder():
    folder = COMMITTED / "clipped"
    models = (
        ElmoEmbedder(model=folder),
        ElmoEmbedder.from_pretrained(folder),
        ElmoEmbedder(model=read_committed("clipped")),
    )
    for embedder in models:
        np.testing.assert_array_equal(embedder.embed_sentence(["sea"]), ElmoEmbedder(*FILES).embed_sentence(["sea"]))


def test_what_the_constructor_refuses(tmp_path):
    with pytest.raises(ConfigurationError, match="go together, got options_file alone; give both, or neither"):
        ElmoEmbedder(FILES[0])
    with pytest.raises(ConfigurationError, match="go together, got weight_file alone"):
        ElmoEmbedder(weight_file=FILES[1])
    with pytest.raises(ConfigurationError, match="a model replaces options_file and weight_file"):
        ElmoEmbedder(*FILES, model="small")
    with pytest.raises(WeightsError, match="no weight file"):
        ElmoEmbedder(FILES[0], tmp_path / "weights.hdf5")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there():
    with pytest.raises(ConfigurationError, match="cuda:0 was asked for, but PyTorch sees no GPU here; use cpu"):
        ElmoEmbedder(*FILES, 0)


def test_a_string_is_no_sentence(embedder):
    with pytest.raises(TextError, match=r"split it first"):
        embedder.embed_sentence("the sea")


@pytest.mark.parametrize(
    "folder",
    [
        "https://allennlp.s3.amazonaws.com/models/elmo/",
        "https://s3-us-west-2.amazonaws.com/allennlp/models/elmo/",
        "s3://allennlp/models/elmo/",
    ],
)
def test_addresses_of_published_models(folder):
    small = f"{folder}2x1024_128_2048cnn_1xhighway/elmo_2x1024_128_2048cnn_1xhighway_"
    large = f"{folder}2x4096_512_2048cnn_2xhighway_5.5B/elmo_2x4096_512_2048cnn_2xhighway_5.5B_"
    assert published_name(f"{small}options.json", f"{small}weights.hdf5") == "small"
    assert published_name(f"{large}options.json", f"{large}weights.hdf5") == "original-5.5b"
    assert published_name(f"{small}options.json", f"{large}weights.hdf5") is None
    assert published_name("options.json", f"{small}weights.hdf5") is None


def test_a_published_model_comes_from_the_cache_of_this_package(monkeypatch):
    asked = []

    class Files:
        options, weights = FILES

    monkeypatch.setattr(addresses, "resolve", lambda name, **how: asked.append(name) or Files)
    assert local_files(DEFAULT_OPTIONS_FILE, DEFAULT_WEIGHT_FILE) == FILES
    assert asked == ["original"]


def test_files_inside_an_archive(tmp_path, monkeypatch):
    monkeypatch.setattr("allennlp.common.file_utils.CACHE_DIRECTORY", str(tmp_path / "cache"))
    archive = tmp_path / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for file in FILES:
            tar.add(file, f"elmo/{file.name}")
    embedder = ElmoEmbedder(*(f"{archive}!elmo/{file.name}" for file in FILES))
    assert embedder.embed_sentence(["sea"]).shape == (3, 1, 10)
    with pytest.raises(DownloadError, match=r"could not be fetched: .*; download it by hand"):
        ElmoEmbedder(f"{archive}!elmo/options.json", f"{archive}!elmo/nothing.hdf5")


def test_an_address_that_does_not_answer(tmp_path, monkeypatch):
    monkeypatch.setattr("allennlp.common.file_utils.CACHE_DIRECTORY", str(tmp_path / "cache"))
    with pytest.raises(DownloadError, match=r"^ftp://nowhere/options.json could not be fetched: [^\n]*$"):
        ElmoEmbedder("ftp://nowhere/options.json", FILES[1])


def test_the_name_in_the_file_is_the_models(tmp_path, monkeypatch, embedder):
    monkeypatch.setenv("PYTORCH_ELMO_DEFAULT", str(COMMITTED / "clipped"))
    ElmoEmbedder().embed_file(io.StringIO("a\n"), tmp_path / "out.hdf5")
    with LayerFileReader(tmp_path / "out.hdf5") as reader:
        assert reader.manifest.model == str(COMMITTED / "clipped")
        assert json.loads(reader.manifest.to_json())["state_mode"] == "stateful"
