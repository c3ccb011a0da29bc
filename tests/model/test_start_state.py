"""A biLM that brings its own start state, in every way that it is run and stored."""

import copy

import numpy as np
import pytest
import torch

from originals import close
from pytorch_elmo import Elmo, ElmoEmbedder, batch_to_ids
from pytorch_elmo.errors import ConfigurationError, WeightsError
from pytorch_elmo.model import BiLM
from pytorch_elmo.model.bidirectional_lstm import LstmState
from pytorch_elmo.storage import LayerFileReader
from pytorch_elmo.weights.load import load_pretrained, model_hash, save_pretrained
from random_models import bilm_config, random_bilm

SENTENCES = [["A", "spring", "."], ["One"], ["a", "long", "sentence", "of", "several", "words", "."], []]


def bilm_with_start() -> BiLM:
    bilm = random_bilm(bilm_config()).float().requires_grad_(False).eval()
    generator = torch.Generator().manual_seed(5)
    zeros = bilm.lstm.zero_state(1)
    bilm.lstm.start = LstmState(*(torch.rand(part.shape, generator=generator) - 0.5 for part in zeros))
    return bilm


@pytest.fixture
def bilm() -> BiLM:
    return bilm_with_start()


def plain(bilm: BiLM, tokens: list[str]) -> torch.Tensor:
    """All layers of a sentence by the readable network, its state given in full."""
    state = LstmState(*(part.clone() for part in bilm.lstm.start))
    layers = bilm(batch_to_ids([tokens]), state).layer_activations
    return torch.stack([layer[0, 1:-1] for layer in layers])


def test_every_way_to_run_it_begins_from_its_state(bilm):
    embedder = ElmoEmbedder(model=bilm)
    for tokens, vectors in zip(SENTENCES[:3], embedder.embed_sentences(SENTENCES), strict=False):
        close(torch.from_numpy(vectors), plain(bilm, tokens).numpy(), tolerance=2e-6)
    layers = bilm(batch_to_ids(SENTENCES[:3])).layer_activations
    for row, tokens in enumerate(SENTENCES[:3]):
        found = torch.stack([layer[row, 1 : len(tokens) + 1] for layer in layers])
        close(found, plain(bilm, tokens).numpy(), tolerance=2e-6)
    document = np.empty((bilm.config.num_layers, len(SENTENCES[2]), bilm.config.dim), dtype=np.float32)
    ElmoEmbedder(model=bilm, batch_tokens=2).embed_document(SENTENCES[2], document)
    close(torch.from_numpy(document), plain(bilm, SENTENCES[2]).numpy(), tolerance=1e-5)


@pytest.mark.parametrize("stateful", [False, True])
def test_elmo_begins_from_it(bilm, stateful):
    elmo = Elmo(None, None, 1, dropout=0.0, module=bilm, stateful=stateful)
    output = elmo(batch_to_ids(SENTENCES[:1]))["elmo_representations"][0]
    close(output[0].detach(), plain(bilm, SENTENCES[0]).mean(dim=0).numpy(), tolerance=2e-6)


def test_it_changes_the_vectors(bilm):
    without = copy.deepcopy(bilm)
    without.lstm.start = None
    first, second = (ElmoEmbedder(model=each).embed_sentence(SENTENCES[0]) for each in (bilm, without))
    assert (first[0] == second[0]).all()
    assert abs(first[1:] - second[1:]).max() > 1e-3


def test_it_is_stored_with_the_weights_and_part_of_the_hash(bilm, tmp_path):
    save_pretrained(bilm, tmp_path / "model")
    back = load_pretrained(tmp_path / "model")
    assert all(map(torch.equal, back.lstm.start, bilm.lstm.start))
    assert model_hash(back) == model_hash(bilm)
    back.lstm.start = None
    bare = model_hash(back)
    assert bare != model_hash(bilm)
    back.lstm.start = back.lstm.zero_state(1)
    assert model_hash(back) != bare
    assert list(bilm.state_dict()) == list(back.state_dict())


def test_a_file_of_vectors_names_it(bilm, tmp_path):
    for each, expected in ((bilm, "the model's own"), (random_bilm(bilm_config()).float(), "zeros")):
        path, text = tmp_path / f"{expected[:3]}.hdf5", tmp_path / "text.txt"
        text.write_text("A spring .\nOne\n", encoding="utf-8")
        ElmoEmbedder(model=each).embed_file(text, path)
        with LayerFileReader(path) as reader:
            assert reader.manifest.start_state == expected


def test_it_moves_and_copies_with_the_network(bilm):
    assert all(part.dtype == torch.float64 for part in copy.deepcopy(bilm).double().lstm.start)
    assert all(map(torch.equal, copy.deepcopy(bilm).lstm.start, bilm.lstm.start))


def test_a_state_of_another_shape(bilm):
    with pytest.raises(ConfigurationError, match=r"^a start state of this biLM has shapes \[.*\], got \[.*\]; give"):
        bilm.lstm.start = bilm.lstm.zero_state(2)


@pytest.mark.parametrize("damage", [{"start_state.hidden": torch.zeros(1, 1, 4)}, {"start_state.cell": None}])
def test_a_damaged_one(bilm, tmp_path, damage):
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    save_pretrained(bilm, tmp_path)
    path = tmp_path / "bilm.safetensors"
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    tensors = {name: tensor for name, tensor in (load_file(path) | damage).items() if tensor is not None}
    save_file(tensors, path, metadata=metadata)
    with pytest.raises(WeightsError, match=r"its start state is damaged: .*; fetch the file anew$"):
        load_pretrained(tmp_path)
