"""What every option writes, and what is said on the way."""

import json
import re
from pathlib import Path

import h5py
import numpy as np
import pytest

from pytorch_elmo.embedder import ElmoEmbedder
from pytorch_elmo.storage import LayerFileReader, verify_layer_file

ROUNDING = 1e-6  # float32 products in batches of different sizes
LINES = Path("text.txt")


def read(path) -> list[np.ndarray]:
    with LayerFileReader(path) as reader:
        return list(reader)


def lines_of(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()


def assert_holds(path, sentences, embedder, layers="all") -> None:
    """The file is whole and has the vectors that the library gives for each sentence on its own."""
    assert verify_layer_file(Path(path)) == []
    vectors = read(path)
    assert len(vectors) == len(sentences)
    for ours, tokens in zip(vectors, sentences, strict=True):
        expected = embedder.embed_sentence(tokens, layers=layers)
        assert ours.shape == expected.shape
        np.testing.assert_allclose(ours, expected, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("layout", ["per-sentence", "packed"])
@pytest.mark.parametrize(
    ("option", "layers"), [([], "all"), (["--all"], "all"), (["--top"], "top"), (["--average"], "average")]
)
def test_layers_and_layouts(text, embed, embedder, option, layers, layout):
    ended = embed(text, "out.hdf5", "--layout", layout, *option)
    assert ended.code == 0, ended.err
    assert_holds("out.hdf5", [line.split() for line in lines_of(text)], embedder, layers)
    with h5py.File("out.hdf5") as file:
        names = {"vectors", "offsets"} if layout == "packed" else set("012345")
        assert set(file) == names | {"sentence_to_index"}
    assert sorted(path.name for path in Path().iterdir()) == ["out.hdf5", "text.txt"]


def test_half_precision_on_disk_is_the_rounded_file(text, embed):
    for dtype in ("float32", "float16"):
        assert embed(text, f"{dtype}.hdf5", "--dtype", dtype).code == 0
    for single, half in zip(read("float32.hdf5"), read("float16.hdf5"), strict=True):
        assert (single.dtype, half.dtype) == (np.float32, np.float16)
        np.testing.assert_array_equal(single.astype(np.float16), half)


def test_sentence_to_index_is_as_allennlps(text, embed):
    assert embed(text, "out.hdf5").code == 0
    with h5py.File("out.hdf5") as file:
        index = json.loads(file["sentence_to_index"][0])
        assert file["sentence_to_index"].shape == (1,)
    expected = {line: str(number) for number, line in enumerate(lines_of(text))}
    assert list(index.items()) == list(expected.items())
    assert index["Hello"] == "4"


def test_forget_sentences(text, embed):
    assert embed(text, "out.hdf5", "--forget-sentences").code == 0
    with h5py.File("out.hdf5") as file:
        assert set(file) == set("012345")


def test_include_sentence_indices(text, embed):
    assert embed(text, "out.hdf5", "--include-sentence-indices").code == 0
    with h5py.File("out.hdf5") as file:
        assert file["sentence_indices"][0] == file["sentence_to_index"][0]
        assert json.loads(file["sentence_indices"][0])["Hello"] == "4"


@pytest.mark.parametrize("more", [[], ["--forget-sentences"]])
def test_use_sentence_keys(folder, embed, embedder, more):
    sentences = ["The cat sat .", "and/or a slash", "a : colon", "café 東京"]
    Path("text.txt").write_text("\n".join(sentences), encoding="utf-8")
    assert embed("text.txt", "out.hdf5", "--use-sentence-keys", *more).code == 0
    with h5py.File("out.hdf5") as file:
        assert set(file) == {"The cat sat .", "and", "a : colon", "café 東京"}
        assert file["and/or a slash"].shape == (3, 3, 10)
    assert_holds("out.hdf5", [sentence.split() for sentence in sentences], embedder)


@pytest.mark.parametrize("option", [["--batch-tokens", 1], ["--batch-tokens", 9], ["--batch-size", 2], []])
def test_batches_do_not_change_vectors(text, embed, embedder, option):
    assert embed(text, "out.hdf5", *option).code == 0
    assert_holds("out.hdf5", [line.split() for line in lines_of(text)], embedder)


def test_stateful_carries_the_state_of_each_row(text, embed, small_model_folder):
    assert embed(text, "out.hdf5", "--stateful", "--batch-size", 2).code == 0
    embedder = ElmoEmbedder.from_pretrained(small_model_folder, stateful=True)
    sentences = [line.split() for line in lines_of(text)]
    expected = [vectors for first in (0, 2, 4) for vectors in embedder.embed_batch(sentences[first : first + 2])]
    found = read("out.hdf5")
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=ROUNDING)
    assert np.abs(found[1] - found[4]).max() > 1e-3  # the same sentence, in another row with another past


def test_the_two_files_instead_of_a_folder(text, embed, embedder, small_model_folder):
    files = (
        "--options-file",
        small_model_folder / "options.json",
        "--weight-file",
        small_model_folder / "weights.hdf5",
    )
    assert embed(text, "out.hdf5", *files).code == 0
    assert_holds("out.hdf5", [line.split() for line in lines_of(text)], embedder)


@pytest.mark.parametrize("option", [["--device", "cpu"], ["--cuda-device", -1], ["--precision", "fp32"]])
def test_the_processor_named_outright(text, embed, embedder, option):
    assert embed(text, "out.hdf5", *option).code == 0
    assert_holds("out.hdf5", [line.split() for line in lines_of(text)], embedder)


def test_a_folder_on_the_way_to_the_output(text, embed):
    Path("results").mkdir()
    assert embed(text, "results/out.hdf5").code == 0
    assert verify_layer_file(Path("results/out.hdf5")) == []


def test_quiet_says_nothing(text, embed):
    ended = embed(text, "out.hdf5", "-q")
    assert (ended.code, ended.out, ended.err) == (0, "", "")


def test_size_and_counts_are_said_before_the_start(text, embed, small_model_folder):
    ended = embed(text, "out.hdf5")
    model, counts, written = ended.err.splitlines()
    assert model == f"ElmoEmbedder({small_model_folder}: 3 layers of 10 dimensions, fp32 on cpu)"
    said = re.fullmatch(r"6 sentences, 29 tokens; out\.hdf5 will have (\S+) MB", counts)
    assert float(said[1]) * 1e6 > 29 * 3 * 10 * 4
    assert re.fullmatch(r"wrote out\.hdf5: 6 sentences, 29 tokens in \S+ s, \S+ tokens a second", written)


def test_the_promised_size_is_about_right(folder, embed):
    Path("text.txt").write_text("one two three four five\n" * 2000, encoding="utf-8")
    promised = embed("text.txt", "out.hdf5", "--forget-sentences").err.splitlines()[1]
    megabytes = float(re.search(r"will have (\S+) MB", promised)[1])
    assert Path("out.hdf5").stat().st_size / 1e6 == pytest.approx(megabytes, rel=0.5)


def test_file_friendly_logging_prints_lines(text, embed, monkeypatch):
    monkeypatch.setattr("pytorch_elmo.commands.progress_bar._SECONDS_BETWEEN_LINES", 0.0)
    ended = embed(text, "out.hdf5", "--file-friendly-logging", "--batch-size", 2)
    assert ended.code == 0
    lines = [line for line in ended.err.splitlines() if line.startswith("embedding: ")]
    assert len(lines) >= 3
    assert re.fullmatch(r"embedding: 8 token, \S+ a second, 28%, \S+ minutes left", lines[0])
    assert re.fullmatch(r"embedding: 29 token, \S+ a second, 100%, 0\.0 minutes left", lines[-1])
    assert "\r" not in ended.err
