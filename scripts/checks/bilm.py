"""Character ids, weight files, the biLM's layers and its carried state, against AllenNLP's numbers."""

import json

import numpy as np
import torch
from torch import Tensor

from checks.ledger import FROM_2, MODELS, Golden, GoldenFile, as_array
from pytorch_elmo.elmo import Elmo
from pytorch_elmo.elmo.carried_state import CarriedState
from pytorch_elmo.embedder import ElmoEmbedder
from pytorch_elmo.model import BiLM
from pytorch_elmo.model.inference import InferenceBiLM
from pytorch_elmo.model.mask import add_sentence_boundaries
from pytorch_elmo.text.characters import token_to_ids, words_to_ids
from pytorch_elmo.weights.arrays import arrays_from_bilm
from pytorch_elmo.weights.load import load_bilm

ALL_MODELS = (*MODELS, "syn8", "noskip")
STATEFUL_MODELS = ("fixture", "syn1", "syn2", "syn3", "syn5")


def check_ids(golden: Golden) -> None:
    """Batches of ids, and single tokens with and without `tokens_to_add`."""
    ids = golden.arrays("inputs/ids.npz")
    for batch in ids:
        ids.compare(batch, golden.ids(batch))
    indexer = golden.entries(f"{FROM_2}/indexer.json")
    words, added = indexer.take("words"), indexer.take("tokens_to_add")
    indexer.equal("ids_plain", [token_to_ids(word) for word in words])
    indexer.equal("ids_with_tokens_to_add", [token_to_ids(word, tokens_to_add=added) for word in words])


def check_weight_files(golden: Golden) -> None:
    """A weight file read and written again holds the same datasets, bit for bit."""
    for name in ALL_MODELS:
        bilm = golden.bilm(name)
        _, weights = golden.model_files(name)
        file = golden.arrays(str(weights.relative_to(golden.folder)))
        ours = arrays_from_bilm(bilm)
        for dataset in file:
            file.equal(dataset, ours.get(dataset))


def check_layers(golden: Golden) -> None:
    """Every batch through the network as it is trained, and through its fast form."""
    for name in MODELS:
        file, bilm = golden.arrays(f"{FROM_2}/{name}/bilm.npz"), golden.bilm(name)
        _compare_calls(golden, file, bilm)
    _compare_calls(golden, golden.arrays(f"{FROM_2}/noskip/not_allennlp.npz"), golden.bilm("noskip"))


def _compare_calls(golden: Golden, file: GoldenFile, bilm: BiLM) -> None:
    engine = InferenceBiLM(bilm)
    for batch in file.prefixes():
        _compare_call(file, batch, bilm, engine, golden.ids(batch))


def _compare_call(file: GoldenFile, batch: str, bilm: BiLM, engine: InferenceBiLM, ids: Tensor) -> None:
    bounded, mask = add_sentence_boundaries(ids, *bilm.boundaries)
    output = bilm(ids)
    file.compare(f"{batch}__encoder", bilm.character_encoder(bounded))
    file.compare(f"{batch}__layers", output.layer_activations)
    file.compare(f"{batch}__layers", _fast_layers(engine, bounded, mask))
    file.equal(f"{batch}__mask", output.mask)
    if f"{batch}__state_h" in file:
        file.compare(f"{batch}__state_h", output.state.hidden)
        file.compare(f"{batch}__state_c", output.state.cell)


def _fast_layers(engine: InferenceBiLM, bounded: Tensor, mask: Tensor) -> Tensor:
    """(num_layers, batch_size, num_tokens + 2, dim), each sentence on its own."""
    words = engine.encode_words(bounded.flatten(0, 1))
    places = np.arange(mask.numel()).reshape(mask.shape)
    lengths = mask.sum(dim=1).tolist()
    sentences = [row[:length] for row, length in zip(places, lengths, strict=True)]
    layers = torch.zeros(engine.config.num_layers, *mask.shape, engine.config.dim)
    for row, vectors in enumerate(engine.embed(words, sentences)):
        layers[:, row, : lengths[row]] = vectors
    return layers


def layer_by_layer(golden: Golden, name: str, **arguments: object) -> Elmo:
    """An `Elmo` whose k-th representation is the biLM's k-th layer, boundaries included."""
    bilm = golden.bilm(name)
    num_layers = bilm.config.num_layers
    elmo = Elmo(None, None, num_layers, keep_sentence_boundaries=True, module=bilm, dropout=0.0, **arguments)  # type: ignore[arg-type]
    with torch.no_grad():
        for layer in range(num_layers):
            for index, scalar in enumerate(elmo.get_submodule(f"scalar_mix_{layer}.scalar_parameters").parameters()):
                scalar.fill_(0.0 if index == layer else -9e10)
    return elmo


def check_states(golden: Golden) -> None:
    """Sequences of calls on one stateful `Elmo`, with more rows, fewer rows and resets between them."""
    scenarios = golden.entries(f"{FROM_2}/stateful_scenarios.json")
    for name in STATEFUL_MODELS:
        file = golden.arrays(f"{FROM_2}/{name}/stateful.npz")
        for scenario in scenarios:
            elmo = layer_by_layer(golden, name, stateful=True)
            for step, call in enumerate(scenarios.take(scenario)):
                _compare_step(file, f"{scenario}__{step}", elmo, golden, call)


def _compare_step(file: GoldenFile, key: str, elmo: Elmo, golden: Golden, call: str) -> None:
    if call.startswith("RESET"):
        _, _, rows = call.partition(":")
        elmo.reset_states(torch.tensor([int(row) for row in rows.split(",")]) if rows else None)
    else:
        file.compare(f"{key}__layers", elmo(golden.ids(call))["elmo_representations"])
    state = elmo._carried.state
    for part, values in (("state_h", state.hidden), ("state_c", state.cell)) if state else ():
        if f"{key}__{part}" in file:
            file.compare(f"{key}__{part}", values)


def check_masked_rows(golden: Golden) -> None:
    """The LSTM alone: rows that are wholly masked keep their state."""
    file, lstm, carried = (
        golden.arrays(f"{FROM_2}/syn3/lstm_masked_rows.npz"),
        golden.bilm("syn3").lstm,
        CarriedState(),
    )
    for call in file.prefixes():
        inputs = torch.from_numpy(file.take(f"{call}__inputs"))
        mask = torch.from_numpy(file.take(f"{call}__mask"))
        outputs, final = lstm(inputs, mask, carried.rows(lstm, len(mask)))
        carried.update(final)
        assert carried.state is not None
        file.compare(f"{call}__outputs", outputs)
        file.compare(f"{call}__state_h", carried.state.hidden)
        file.compare(f"{call}__state_c", carried.state.cell)


def check_published_embeddings(golden: Golden) -> None:
    """AllenNLP's own test data: top layers with the state carried, and token embeddings, made by TensorFlow."""
    embedder = ElmoEmbedder(*golden.model_files("fixture"), stateful=True)
    columns = json.loads(golden.use("fixtures/sentences.json").read_text("utf-8"))
    files = [golden.arrays(f"fixtures/lm_embeddings_{row}.hdf5") for row in range(len(columns))]
    for call in range(len(columns[0])):
        batch = [column[call].split() for column in columns]
        for file, top in zip(files, embedder.embed_batch(batch, layers="top"), strict=True):
            file.compare(str(call), np.stack(np.split(top, 2, axis=-1)))
    words = golden.use("fixtures/vocab_test.txt").read_text("utf-8").splitlines()
    ids = torch.from_numpy(words_to_ids(words))
    encoded = golden.arrays("fixtures/elmo_token_embeddings.hdf5")
    encoded.compare("embedding", golden.bilm("fixture").character_encoder(ids))
    encoded.compare("embedding", InferenceBiLM(golden.bilm("fixture")).encode_words(ids))


def check_bilm_tf_weights(golden: Golden) -> None:
    """A weight file that bilm-tf itself wrote, with the options file of its trainer."""
    folder = "bilm_tf_checkpoint"
    files = golden.use(f"{folder}/options.json"), golden.use(f"{folder}/weights.hdf5")
    lines = golden.use(f"{folder}/sentences.txt").read_text("utf-8").splitlines()
    layers = golden.arrays(f"{folder}/allennlp_layers.npz")
    bilm = load_bilm(*files)
    for number, line in enumerate(lines):
        ids = torch.from_numpy(words_to_ids(line.split()))[None]
        layers.compare(f"layers__{number}", as_array(bilm(ids).layer_activations)[:, 0])
    weights = golden.arrays(f"{folder}/weights.hdf5")
    for dataset, ours in arrays_from_bilm(bilm).items():
        weights.equal(dataset, ours)
