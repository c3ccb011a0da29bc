"""Models in the files of other programs: bilm-tf's checkpoint, and what of ELMoForManyLangs would fit."""

import json
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from checks.ledger import Array, Golden, GoldenFile
from checks.outcomes import refused
from pytorch_elmo.formats import TensorBundle
from pytorch_elmo.formats.torch_file import read_tensors
from pytorch_elmo.model import BiLM, LstmConfig
from pytorch_elmo.model.bidirectional_lstm import BidirectionalLstm, LstmState
from pytorch_elmo.model.highway import Highway
from pytorch_elmo.model.mask import add_sentence_boundaries
from pytorch_elmo.model.softmax import Softmax
from pytorch_elmo.progress import SilentProgress
from pytorch_elmo.text.characters import words_to_ids
from pytorch_elmo.text.vocabulary import Vocabulary
from pytorch_elmo.weights.arrays import arrays_from_bilm, expected_shapes
from pytorch_elmo.weights.convert import convert
from pytorch_elmo.weights.load import load_pretrained
from pytorch_elmo.weights.own_format import read_softmax
from pytorch_elmo.weights.source_model import SourceOptions, read_source

CHECKPOINT, MANY = "bilm_tf_checkpoint", "elmoformanylangs"
LOG_PROBABILITY, TOP, TARGET = "logprob", "top", "target"
DIRECTIONS = ("forward", "backward")


def check_variables(golden: Golden) -> None:
    """Every variable of the checkpoint, byte for byte, with its shape and dtype."""
    for name in ("checkpoint", "model.ckpt-60.index", "model.ckpt-60.data-00000-of-00001", "train.txt"):
        golden.use(f"{CHECKPOINT}/{name}")
    document = golden.entries(f"{CHECKPOINT}/variables.json")
    bundle = TensorBundle(golden.folder / CHECKPOINT / document.take("checkpoint"))
    described = {name: {"shape": list(bundle.shape(name)), "dtype": bundle.dtype(name)} for name in bundle}
    document.equal("variables", described)
    for program in ("tensorflow", "numpy", "h5py", "python"):
        document.take(program)
    file = golden.arrays(f"{CHECKPOINT}/tensorflow.npz")
    for name in file.rest("variable__"):
        file.equal(f"variable__{name}", bundle.read(name.replace("__", "/")))


def check_conversions(golden: Golden) -> None:
    """The checkpoint as this package's files and as AllenNLP's: parameters, and what the model then predicts."""
    told = SourceOptions(vocabulary_file=golden.use(f"{CHECKPOINT}/vocab.txt"))
    weights = golden.arrays(f"{CHECKPOINT}/weights.hdf5")
    with tempfile.TemporaryDirectory() as temporary:
        own, allennlp = Path(temporary) / "own", Path(temporary) / "allennlp"
        convert(golden.folder / CHECKPOINT, own, "own", told=told)
        convert(own, allennlp, "allennlp")
        for folder in (own, allennlp):
            for dataset, ours in arrays_from_bilm(load_pretrained(folder)).items():
                weights.equal(dataset, ours)
        softmax, vocabulary = read_softmax(own / "softmax.safetensors")
        bilm = load_pretrained(own)
    shapes = {dataset: list(shape) for dataset, shape in expected_shapes(bilm.config).items()}
    golden.entries(f"{CHECKPOINT}/variables.json").equal("weights.hdf5", shapes)
    assert isinstance(softmax, Softmax)
    _check_predictions(golden, bilm, softmax, vocabulary)


def _check_predictions(golden: Golden, bilm: BiLM, softmax: Softmax, vocabulary: Vocabulary) -> None:
    file, document = golden.arrays(f"{CHECKPOINT}/expected.npz"), golden.entries(f"{CHECKPOINT}/expected.json")
    of_tensorflow = golden.arrays(f"{CHECKPOINT}/tensorflow.npz")
    lines = golden.use(f"{CHECKPOINT}/sentences.txt").read_text("utf-8").splitlines()
    for mode in ("fresh", "stream"):
        state, found = None, []
        for number, line in enumerate(lines):
            ids = torch.from_numpy(words_to_ids(line.split()))[None]
            words = ["<S>", *line.split(), "</S>"]
            _check_ids(of_tensorflow, number, bilm, ids, [vocabulary.id_of(word) for word in words])
            top, state = _tops(bilm, ids, state if mode == "stream" else None)
            found.append(_check_sentence(file, of_tensorflow, f"{mode}__{number}", top, softmax))
        _check_perplexities(document, mode, lines, found)
    for name in document.left:  # the differences that the golden files' makers found
        document.take(name)


def _check_ids(file: GoldenFile, number: int, bilm: BiLM, ids: Tensor, token_ids: list[int]) -> None:
    """What bilm-tf feeds: no padding, so nothing is added to an id."""
    characters = (add_sentence_boundaries(ids, *bilm.boundaries)[0][0] - 1).to(torch.int32)
    tokens = torch.tensor(token_ids, dtype=torch.int32)
    for direction, order in zip(DIRECTIONS, ([], [0]), strict=True):
        file.equal(f"ids__{number}__tokens_{direction}", tokens.flip(order))
        file.equal(f"ids__{number}__characters_{direction}", characters.flip(order))


def _tops(bilm: BiLM, ids: Tensor, state: LstmState | None) -> tuple[list[Tensor], LstmState]:
    """The top layer of each direction, (num_tokens + 1, projection_size), in reading order, and the states after.

    As in training, no direction reads the boundary that it predicts last.
    """
    tokens = bilm.character_encoder(add_sentence_boundaries(ids, *bilm.boundaries)[0])
    size, cell_size = bilm.config.lstm.projection_size, bilm.config.lstm.cell_size
    tops, states = [], []
    for direction, read in enumerate((tokens[:, :-1], tokens[:, 1:])):
        layers, final = bilm.lstm(read, torch.ones(read.shape[:2], dtype=torch.bool), state)
        tops.append(layers[-1][0].split(size, dim=-1)[direction])
        states.append((final.hidden.split(size, -1)[direction], final.cell.split(cell_size, -1)[direction]))
    hidden, cell = (torch.cat(parts, dim=-1) for parts in zip(*states, strict=True))
    return tops, LstmState(hidden, cell)


def _check_sentence(
    file: GoldenFile, of_tensorflow: GoldenFile, key: str, tops: list[Tensor], softmax: Softmax
) -> list[Array]:
    """Tops and probabilities of one sentence; the log-probabilities of its targets in each direction, float64."""
    found = []
    for direction, top in zip(DIRECTIONS, tops, strict=True):
        targets = file.take(f"{key}__target_{direction}")
        scores = F.log_softmax(F.linear(top, softmax.weight, softmax.bias).double(), dim=-1)
        chosen = scores.gather(1, torch.from_numpy(targets)[:, None])[:, 0]
        file.compare(f"{key}__top_{direction}", top.double())
        file.compare(f"{key}__log_softmax_{direction}", scores)
        file.compare(f"{key}__logprob_{direction}", chosen)
        of_tensorflow.compare(f"{key}__tf_logprob_{direction}", chosen.float())
        found.append(chosen.detach().numpy())
    return found


def _check_perplexities(document: GoldenFile, mode: str, lines: list[str], found: list[list[Array]]) -> None:
    every = [np.concatenate(parts) for parts in zip(*found, strict=True)]
    sentences = [{"sentence": line, **_perplexities(parts)} for line, parts in zip(lines, found, strict=True)]
    theirs = document.take(mode)
    document.compared += 1
    if _rounded(theirs) != _rounded({"sentences": sentences, "all": _perplexities(every)}):
        document.fault(f"{mode}: other perplexities")


def _perplexities(log_probabilities: list[Array]) -> dict[str, Any]:
    forward, backward = (-part.mean() for part in log_probabilities)
    return {
        "predictions per direction": len(log_probabilities[0]),
        "perplexity forward": float(np.exp(forward)),
        "perplexity backward": float(np.exp(backward)),
        "perplexity": float(np.exp((forward + backward) / 2)),
    }


def _rounded(part: Any) -> Any:
    """The same with numbers of five digits."""
    if isinstance(part, dict):
        return {key: _rounded(value) for key, value in part.items()}
    if isinstance(part, list):
        return [_rounded(value) for value in part]
    return float(f"{part:.5g}") if isinstance(part, float) else part


def check_many_langs(golden: Golden) -> None:
    """ELMoForManyLangs is refused whole; its LSTM and highway layers, which would fit, compute the same here."""
    document = golden.entries(f"{MANY}/outputs.json")
    sentences = document.take("sentences")
    for program in ("package", "python", "torch", "numpy"):
        document.take(program)
    for model, described in document.take("models").items():
        file = golden.arrays(f"{MANY}/{model}.npz")
        for path in described["files"]:
            golden.use(f"{MANY}/{model}/{path}")
        folder = golden.folder / MANY / model
        if not refused(partial(read_source, folder, SourceOptions(), SilentProgress())):
            document.fault(f"{model} is not refused")
        _check_model(golden, file, folder, described, sentences)


def _check_model(
    golden: Golden, file: GoldenFile, folder: Path, described: dict[str, Any], sentences: list[list[str]]
) -> None:
    parts = {part: read_tensors(folder / f"{part}.pkl") for part in ("token_embedder", "encoder")}
    shapes = {}
    for part, tensors in parts.items():
        for name, tensor in tensors.items():
            file.equal(f"weights__{part}__{name}", tensor)
            shapes[f"{part}__{name}"] = list(tensor.shape)
    if shapes != described["state dict"]:
        file.fault("its state dict has other names or shapes")
    options = json.loads((folder / described["config.json"]["config_path"]).read_text("utf-8"))
    lstm, mask = _lstm(options["encoder"], parts["encoder"]), torch.from_numpy(file.take("ids__mask")).bool()
    words = torch.from_numpy(file.take("ids__words")) if "ids__words" in file else None
    tokens = _tokens(parts["token_embedder"], options["token_embedder"], file.take("ids__characters"), words)
    batch, state = _layers(lstm, tokens, mask, None)
    _compare(file, "batch__layer-2", batch)
    for layer in range(3):
        _compare(file, f"batch__layer{layer}", [values[layer] for values in batch])
    _compare(file, "batch__layer-1", [values.mean(axis=0) for values in batch])
    _compare(file, "calls__call0", batch)
    _compare(file, "calls__call1", _layers(lstm, tokens, mask, state)[0])
    rows = [slice(row, row + 1) for row in range(len(mask))]
    _compare(file, "alone", [_layers(lstm, tokens[row], mask[row], None)[0][0] for row in rows])
    carried, ordered = None, {}
    for row in described[next(key for key in described if key.startswith("order"))]:
        (ordered[row],), carried = _layers(lstm, tokens[rows[row]], mask[rows[row]], carried)
    _compare(file, "batch_size_1__seed7", [ordered[row] for row in range(len(mask))])
    for layer in (-1, 0, 1, 2):
        written = golden.arrays(f"{MANY}/{folder.name}_cli.ly{layer}.hdf5")
        for sentence, values in zip(sentences, batch, strict=True):
            key = "\t".join(sentence).replace(".", "$period$").replace("/", "$backslash$")
            written.compare(key, values.mean(axis=0) if layer < 0 else values[layer])


def _lstm(options: dict[str, Any], tensors: dict[str, Tensor]) -> BidirectionalLstm:
    lstm = BidirectionalLstm(
        LstmConfig(
            num_lstm_layers=options["n_layers"],
            cell_size=options["dim"],
            projection_size=options["projection_dim"],
            cell_clip=options["cell_clip"],
            projection_clip=options["proj_clip"],
        )
    )
    lstm.load_state_dict(tensors)
    return lstm


def _tokens(tensors: dict[str, Tensor], options: dict[str, Any], characters: Array, words: Tensor | None) -> Tensor:
    """What the other package's encoder gives, (batch_size, num_tokens, projection_size): it has no place here."""
    batch = torch.from_numpy(characters)
    embedded = F.embedding(batch.flatten(0, 1), tensors["char_emb_layer.embedding.weight"]).transpose(1, 2)
    activate = getattr(torch, options["activation"])
    banks = range(len(options["filters"]))
    filtered = [
        F.conv1d(embedded, tensors[f"convolutions.{i}.weight"], tensors[f"convolutions.{i}.bias"]) for i in banks
    ]
    features = torch.cat([activate(bank.max(dim=-1).values) for bank in filtered], dim=-1)
    highway = Highway(features.shape[-1], options["n_highway"])
    prefix = "highways."
    own = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    highway.load_state_dict(own)
    features = highway(features).unflatten(0, batch.shape[:2])
    if words is not None:
        features = torch.cat([F.embedding(words, tensors["word_emb_layer.embedding.weight"]), features], dim=-1)
    return F.linear(features, tensors["projection.weight"], tensors["projection.bias"])


def _layers(
    lstm: BidirectionalLstm, tokens: Tensor, mask: Tensor, state: LstmState | None
) -> tuple[list[Array], LstmState]:
    """Of each sentence (num_layers, num_tokens, dim) without boundaries, and the states after."""
    contextual, final = lstm(tokens, mask, state)
    stacked = torch.stack([torch.cat([tokens, tokens], dim=-1), *contextual]).detach().numpy()
    lengths = mask.sum(dim=1).tolist()
    return [stacked[:, row, 1 : length - 1] for row, length in enumerate(lengths)], final


def _compare(file: GoldenFile, key: str, sentences: list[Array]) -> None:
    for number, values in enumerate(sentences):
        file.compare(f"{key}__{number}", values)


CHECKS = (check_variables, check_conversions, check_many_langs)
