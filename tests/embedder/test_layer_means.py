"""Means of layers: computed once, kept, gone on with, and refused where they are of something else."""

import numpy as np
import pytest
import torch
from filelock import FileLock

from originals import read_committed
from pytorch_elmo import ElmoEmbedder
from pytorch_elmo.elmo.layer_means import read_layer_means
from pytorch_elmo.elmo.mix_of_means import MixOfMeans
from pytorch_elmo.elmo.scalar_mix import ScalarMix
from pytorch_elmo.elmo.sentence_layer import ElmoSentenceLayer
from pytorch_elmo.embedder.layer_means import embed_layer_means
from pytorch_elmo.errors import ConfigurationError, LayerFileError, TextError

SENTENCES = [["the", "sea"], [], ["x"], ["the", "night", "at", "sea"], ["café"]] * 3


class StopError(Exception):
    """Somebody pulled the plug."""


class Listener:
    """Counts sentences, and stops the run after some of them."""

    def __init__(self, most: int = 100):
        self.most, self.done, self.started = most, 0, None

    def start(self, *, total, unit, done=0, label=""):
        self.started = (total, unit, done)

    def advance(self, amount):
        self.done += amount
        if self.done >= self.most:
            raise StopError

    def note(self, line):
        raise AssertionError(line)

    def finish(self):
        pass


@pytest.fixture(scope="module")
def embedder():
    return ElmoEmbedder(model=read_committed("clipped"), batch_size=4)


def test_means_are_those_of_each_sentence(embedder, tmp_path):
    output = tmp_path / "means.safetensors"
    listener = Listener()
    stored = embed_layer_means(embedder, SENTENCES, output, progress=listener)
    assert stored.means.dtype == torch.float32
    assert stored.means.shape == (15, embedder.num_layers, embedder.dim)
    assert listener.started == (15, "sentence", 0)
    assert listener.done == 15
    for sentence, means in zip(SENTENCES, stored.means.numpy(), strict=True):
        vectors = embedder.embed_sentence(sentence)
        expected = vectors.mean(axis=1) if sentence else np.zeros_like(means)
        np.testing.assert_allclose(means, expected, rtol=0, atol=1e-6)
    assert [path.name for path in tmp_path.iterdir()] == ["means.safetensors"]
    assert torch.equal(read_layer_means(output).means, stored.means)
    assert read_layer_means(output).description["num_sentences"] == 15


def test_the_mix_of_stored_means_is_the_sentence_layers_vector(tmp_path):
    mix = ScalarMix(3, initial_scalar_parameters=[1.0, -0.5, 0.2])
    bilm = read_committed("clipped")
    layer = ElmoSentenceLayer(bilm, scalar_mix=mix)
    stored = embed_layer_means(ElmoEmbedder(model=bilm), SENTENCES, tmp_path / "means")
    expected = layer([" ".join(sentence) for sentence in SENTENCES])
    torch.testing.assert_close(MixOfMeans(3, mix)(stored.means), expected, rtol=0, atol=1e-6)


def test_a_finished_file_is_read_and_not_made_again(embedder, tmp_path):
    first = embed_layer_means(embedder, SENTENCES, tmp_path / "means", dtype="float16")
    listener = Listener(most=0)
    second = embed_layer_means(embedder, SENTENCES, tmp_path / "means", dtype="float16", progress=listener)
    assert listener.started is None
    assert first.means.dtype == torch.float16
    assert torch.equal(first.means, second.means)


@pytest.mark.parametrize("cut", [0, 1, 50])
def test_a_stopped_run_goes_on(embedder, tmp_path, cut):
    whole = embed_layer_means(embedder, SENTENCES, tmp_path / "whole")
    with pytest.raises(StopError):
        embed_layer_means(embedder, SENTENCES, tmp_path / "means", progress=Listener(most=7))
    (partial,) = tmp_path.glob("means*partial")
    content = partial.read_bytes()
    partial.write_bytes(content[: len(content) - cut])
    listener = Listener()
    resumed = embed_layer_means(embedder, SENTENCES, tmp_path / "means", progress=listener)
    done = 7 if not cut else 6
    assert listener.started == (15, "sentence", done)
    assert listener.done == 15 - done
    np.testing.assert_allclose(resumed.means.numpy(), whole.means.numpy(), rtol=0, atol=1e-6)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["means", "whole"]


def test_a_stopped_run_goes_on_under_another_name_of_its_model(embedder, tmp_path):
    with pytest.raises(StopError):
        embed_layer_means(embedder, SENTENCES, tmp_path / "means", progress=Listener(most=7))
    embedder.name = "another folder with the same parameters"
    listener = Listener()
    embed_layer_means(embedder, SENTENCES, tmp_path / "means", progress=listener)
    assert listener.started == (15, "sentence", 7)


def test_a_run_killed_before_its_first_line_begins_anew(embedder, tmp_path):
    (tmp_path / "means.partial").touch()
    assert embed_layer_means(embedder, SENTENCES, tmp_path / "means").means.shape[0] == 15


def test_another_jobs_files_are_refused(embedder, tmp_path):
    embed_layer_means(embedder, SENTENCES, tmp_path / "means")
    with pytest.raises(LayerFileError, match=r"means is of another job: its num_sentences is 15, this one's is 14"):
        embed_layer_means(embedder, SENTENCES[1:], tmp_path / "means")
    with pytest.raises(LayerFileError, match="means is of another job: its sentences_sha256 is"):
        embed_layer_means(embedder, SENTENCES[::-1], tmp_path / "means")
    with pytest.raises(LayerFileError, match="means is of another job: its dtype is float32, this one's is float16"):
        embed_layer_means(embedder, SENTENCES, tmp_path / "means", dtype="float16")
    other = ElmoEmbedder(model=read_committed("deep"))
    with pytest.raises(LayerFileError, match="means is of another job: its model_hash is"):
        embed_layer_means(other, SENTENCES, tmp_path / "means")
    with pytest.raises(StopError):
        embed_layer_means(embedder, SENTENCES, tmp_path / "more", progress=Listener(most=7))
    with pytest.raises(LayerFileError, match=r"more.*partial is of another job: its sentences_sha256"):
        embed_layer_means(embedder, SENTENCES[::-1], tmp_path / "more")


def test_one_process_at_a_time(embedder, tmp_path):
    with (
        FileLock(tmp_path / "means.partial.lock", thread_local=False),
        pytest.raises(LayerFileError, match="one process at a time may write a file"),
    ):
        embed_layer_means(embedder, SENTENCES, tmp_path / "means")


def test_damaged_files_are_refused(embedder, tmp_path):
    path = tmp_path / "means"
    path.write_bytes(b"nothing")
    with pytest.raises(LayerFileError, match="means is no whole safetensors file"):
        read_layer_means(path)
    path.unlink()
    partial = tmp_path / "means.partial"
    for line in (b"\xff nothing\n", b"[1]\n"):
        partial.write_bytes(line)
        with pytest.raises(LayerFileError, match=r"means.partial is of another job: its model_hash is None"):
            embed_layer_means(embedder, SENTENCES, path)
    with pytest.raises(LayerFileError, match="no model file"):
        read_layer_means(path)


def test_arguments_that_cannot_be(embedder, tmp_path):
    with pytest.raises(ConfigurationError, match="dtype is one of float32, float16, got 'int8'"):
        embed_layer_means(embedder, SENTENCES, tmp_path / "means", dtype="int8")
    with pytest.raises(ConfigurationError, match="sentences that stand alone, got a stateful embedder"):
        embed_layer_means(ElmoEmbedder(model=read_committed("clipped"), stateful=True), SENTENCES, tmp_path / "means")
    with pytest.raises(TextError, match="a sentence is a list of tokens, got the string 'the sea'"):
        embed_layer_means(embedder, ["the sea"], tmp_path / "means")
    with pytest.raises(LayerFileError, match="the folder of the output must exist"):
        embed_layer_means(embedder, SENTENCES, tmp_path / "nowhere" / "means")
