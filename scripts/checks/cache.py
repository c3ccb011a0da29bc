"""The vocabulary cache, against AllenNLP 2.10.1."""

from pathlib import Path

import torch
from torch import Tensor

from checks.bilm import layer_by_layer
from checks.elmo import load_projection
from checks.ledger import FROM_2, TOLERANCE, Golden, GoldenFile
from checks.outcomes import refused
from pytorch_elmo.elmo import Elmo, ElmoTokenEmbedder
from pytorch_elmo.elmo.elmo import ElmoOutput

MODELS = ("fixture", "syn2", "syn3", "syn5", "syn8")
NO_POSITIVE_VALUE = "syn8"  # words without one drop out of AllenNLP's mask
MANY = ["@@PADDING@@", *(f"word{i}" for i in range(1099))]
FIRST_WORD = ["any", "words"]


def check_cache(golden: Golden) -> None:
    """Tables, layers and representations of cached words, and what the cache does at its edges."""
    report = golden.entries_by_model(f"{FROM_2}/cache_report.json")
    for model in MODELS:
        file = golden.arrays(f"{FROM_2}/{model}/cache.npz")
        words = report.take(f"{model}__vocab_to_cache")
        cached = layer_by_layer(golden, model, vocab_to_cache=words)
        _compare_tables(golden, model, file, cached)
        _compare_layers(file, cached, layer_by_layer(golden, model), masked=model == NO_POSITIVE_VALUE)
        _compare_modules(golden, model, file, words)
        _compare_report(golden, model, report, words, file)


def _table(elmo: Elmo) -> Tensor:
    return elmo.get_parameter("_elmo_lstm._word_embedding.weight")


def _compare_tables(golden: Golden, model: str, file: GoldenFile, cached: Elmo) -> None:
    bilm = golden.bilm(model)
    begin, end = bilm.character_encoder(bilm.boundaries)
    file.compare("word_embedding", _table(cached))
    file.compare("bos_embedding", begin)
    file.compare("eos_embedding", end)
    if "many__word_embedding" in file:
        file.compare("many__word_embedding", _table(layer_by_layer(golden, model, vocab_to_cache=MANY)))
    small = layer_by_layer(golden, model, vocab_to_cache=FIRST_WORD)
    file.compare("firstword__word_embedding", _table(small))
    # The first word is padding: inside a sentence it is a hole, and no sentence is left to compare.
    ids = torch.from_numpy(file.take("firstword__word_ids"))
    for part in ("layers", "mask"):
        file.differs(f"firstword__{part}", "hole", not bool(small(None, ids)["mask"][0, 2]))


def _compare_layers(file: GoldenFile, cached: Elmo, uncached: Elmo, *, masked: bool) -> None:
    ids, words = torch.from_numpy(file.take("train__char_ids")), torch.from_numpy(file.take("train__word_ids"))
    plain, from_table = uncached(ids), cached(ids, words)
    file.compare("train__uncached_layers", _layers(plain))
    file.equal("train__uncached_mask", plain["mask"])
    _compare_or_differ(file, "train__cached_layers", _layers(from_table), _layers(plain), masked)
    _compare_or_differ(file, "train__cached_mask", from_table["mask"], plain["mask"], masked)
    file.compare("mixed__layers", _layers(cached(ids, torch.from_numpy(file.take("mixed__word_ids")))))
    new = cached(torch.from_numpy(file.take("oov__char_ids")), torch.from_numpy(file.take("oov__word_ids")))
    file.compare("oov__layers", _layers(new))
    file.equal("oov__mask", new["mask"])


def _layers(output: ElmoOutput) -> Tensor:
    return torch.stack(output["elmo_representations"]).detach()


def _compare_modules(golden: Golden, model: str, file: GoldenFile, words: list[str]) -> None:
    """`Elmo` and `ElmoTokenEmbedder` with a cache, and word ids given where there is none."""
    files, masked = golden.model_files(model), model == NO_POSITIVE_VALUE
    ids, places = torch.from_numpy(file.take("train__char_ids")), torch.from_numpy(file.take("train__word_ids"))
    cached, plain = (Elmo(*files, 1, dropout=0.0, vocab_to_cache=cache) for cache in (words, None))
    ignored = plain(ids, places)
    file.compare("nocache__rep0", ignored["elmo_representations"][0])
    file.equal("nocache__mask", ignored["mask"])
    for tag, axis in (("elmo", ()), ("elmo3d", (1,))):
        shape = (len(ids), *axis)
        output = cached(ids.unflatten(0, shape), places.unflatten(0, shape))
        expected = plain(ids.unflatten(0, shape))
        _compare_or_differ(
            file, f"{tag}__rep0", output["elmo_representations"][0], expected["elmo_representations"][0], masked
        )
        _compare_or_differ(file, f"{tag}__mask", output["mask"], expected["mask"], masked)
    embedder = ElmoTokenEmbedder(*files, dropout=0.0, vocab_to_cache=words, projection_dim=4)
    load_projection(embedder, file, "tokemb__projection_")
    _compare_or_differ(file, "tokemb__output", embedder(ids, places), embedder(ids), masked)


def _compare_or_differ(file: GoldenFile, name: str, ours: Tensor, uncached: Tensor, masked: bool) -> None:
    """Where AllenNLP's mask drops words, this package's cache gives what it gives without a cache."""
    if masked:
        difference = (ours.double() - uncached.double()).abs().max()
        file.differs(name, "word cache", bool(difference <= TOLERANCE))
    else:
        file.compare(name, ours)


def _compare_report(golden: Golden, model: str, report: GoldenFile, words: list[str], file: GoldenFile) -> None:
    cached, name = layer_by_layer(golden, model, vocab_to_cache=words), f"{model}__"
    ids, places = torch.from_numpy(file.take("train__char_ids")), torch.from_numpy(file.take("train__word_ids"))
    outside, uncached = torch.from_numpy(file.take("oov__word_ids")), _layers(cached(ids))
    alone, mixed = cached(None, places), cached(ids, torch.from_numpy(file.take("mixed__word_ids")))
    difference = (_layers(cached(ids, places)) - uncached).abs().max().double()
    largest = f"{name}train: largest cached - uncached difference"
    if model == NO_POSITIVE_VALUE:
        report.differs(largest, "word cache", bool(difference <= TOLERANCE))
    else:
        report.compare(largest, difference)
    report.equal(
        f"{name}biLM(None, word_ids in the cache) equals biLM(char_ids, word_ids)",
        torch.equal(_layers(alone), _layers(cached(ids, places))),
    )
    report.differs(f"{name}Elmo(None, word_ids in the cache)", "word cache", bool(alone["mask"].any()))
    report.equal(f"{name}mixed equals uncached", bool((_layers(mixed) - uncached).abs().max() <= TOLERANCE))
    report.differs(
        f"{name}biLM(None, word_ids out of the cache)", "own words", refused(lambda: cached(None, outside))
    )
    report.differs(f"{name}biLM(None)", "own words", refused(lambda: cached(None)))
    report.equal(f"{name}many: vocab_to_cache", f"{MANY[0]!r} then {MANY[1]!r} ... {MANY[-1]!r}")
    _compare_parameters(golden.model_files(model), report, name, words, ids)


def _compare_parameters(
    files: tuple[Path, Path], report: GoldenFile, name: str, words: list[str], ids: Tensor
) -> None:
    none = Elmo(*files, 1, vocab_to_cache=[])(ids)
    report.equal(f"{name}Elmo(vocab_to_cache=[])", {"error": None, "result": str(none["mask"].shape)})
    frozen, trained = (Elmo(*files, 1, requires_grad, vocab_to_cache=words) for requires_grad in (False, True))
    added = sorted(frozen.state_dict().keys() - Elmo(*files, 1).state_dict().keys())
    report.equal(f"{name}state_dict keys added by the cache", added)
    table = trained.get_parameter("_elmo_lstm._word_embedding.weight")
    report.differs(
        f"{name}requires_grad of the cached table (biLM requires_grad True)", "word cache", not table.requires_grad
    )
    table = frozen.get_parameter("_elmo_lstm._word_embedding.weight")
    report.equal(f"{name}requires_grad of the cached table (biLM requires_grad False)", table.requires_grad)
