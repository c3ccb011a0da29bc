"""0.9's `model` section in 2.x's form."""

from collections.abc import Callable
from typing import Any

from pytorch_elmo.allennlp_plugin.legacy_similarity import translate_similarity
from pytorch_elmo.allennlp_plugin.legacy_translation import (
    Config,
    Translation,
    demand,
    refuse,
    section,
    sections,
)

EMBEDDERS = (
    "text_field_embedder",
    "source_embedder",
    "source_text_embedder",
    "question_embedder",
    "sentence_embedder",
    "utterance_embedder",
)
_MODELS = {"bidirectional_language_model": "bidirectional-language-model"}
_INDEXERS = ("token_indexers", "source_token_indexers")
_CHARACTERS = "token_characters"
_RECURRENT = ("lstm", "gru", "rnn", "augmented_lstm", "alternating_lstm", "stacked_bidirectional_lstm")

Rule = Callable[[Translation, str, Config], None]


def translate_model(work: Translation) -> None:
    """Every rule for every section of the model.

    Raises:
        ConfigurationError: a setting that 2.x has no equal for.
    """
    for place, part in sections(work.config.get("model"), "model"):
        for rule in RULES:
            rule(work, place, part)
        if work.old:
            for rule in RULES_OF_OLD:
                rule(work, place, part)


def _embedders(work: Translation, place: str, part: Config) -> None:
    """Text field embedders get their `token_embedders`, and lose the map and the leave to skip indexers."""
    for key in EMBEDDERS:
        embedder = part.get(key)
        if not isinstance(embedder, dict) or embedder.get("type", "basic") != "basic" or "_pretrained" in embedder:
            continue
        here = f"{place}.{key}"
        indexer_map = embedder.pop("embedder_to_indexer_map", None)
        unmatched = embedder.pop("allow_unmatched_keys", None)
        if "token_embedders" not in embedder:
            part[key] = embedder = _nested(work, here, embedder)
        if indexer_map is not None:
            _drop_map(work, here, section(embedder, "token_embedders"), indexer_map)
        if unmatched is not None:
            _match_indexers(work, here, section(embedder, "token_embedders"), bool(unmatched))


def _nested(work: Translation, place: str, flat: Config) -> Config:
    nested: Config = {"type": flat.pop("type")} if "type" in flat else {}
    for name, embedder in flat.items():
        if not isinstance(embedder, dict):
            refuse(f"{place}.{name}", "must be a token embedder", embedder, "write it as {type: …, …}")
    nested["token_embedders"] = flat
    work.note(place, f"{', '.join(flat) or 'nothing'} in token_embedders")
    return nested


def _drop_map(work: Translation, place: str, embedders: Config, indexer_map: Any) -> None:
    """Each embedder reads its own indexer in 2.x; ELMo's second input only served its word cache."""
    here = f"{place}.embedder_to_indexer_map"
    demand(here, isinstance(indexer_map, dict), "must give indexers for each embedder", indexer_map)
    for name, indexers in indexer_map.items():
        demand(f"{here}.{name}", isinstance(indexers, list | dict), "must be indexers", indexers)
        names = list(indexers.values() if isinstance(indexers, dict) else indexers)
        cached = section(embedders, name).get("type") == "elmo_token_embedder" and names[:1] == [name]
        if names != [name] and not cached:
            advice = "give the indexer and its embedder the same name"
            refuse(f"{here}.{name}", "2.x reads one indexer of the same name", names, advice)
    work.note(here, "left out, each embedder reads the indexer of its name")


def _match_indexers(work: Translation, place: str, embedders: Config, unmatched: bool) -> None:
    """2.x wants an embedder for each indexer; `empty` gives none a vector."""
    added = []
    for key in _INDEXERS if unmatched else ():
        for name in section(section(work.config, "dataset_reader"), key):
            if name not in embedders:
                embedders[name] = {"type": "empty"}
                added.append(name)
    text = f"an empty embedder for {', '.join(added)}" if added else "left out, nothing is unmatched"
    work.note(f"{place}.allow_unmatched_keys", text)


def _applicators(work: Translation, place: str, part: Config) -> None:
    """Lists of [regex, settings] pairs; in an initializer "prevent" is a list of its own."""
    for key in ("regularizer", "initializer"):
        pairs = part.get(key)
        if not isinstance(pairs, list):
            continue
        well_formed = all(isinstance(pair, list) and len(pair) == 2 for pair in pairs)
        demand(f"{place}.{key}", well_formed, "must be pairs of a regex and settings", pairs)
        prevented = [regex for regex, settings in pairs if settings in ("prevent", {"type": "prevent"})]
        kept = [pair for pair in pairs if pair[1] not in ("prevent", {"type": "prevent"})]
        part[key] = {"regexes": kept, **({"prevent_regexes": prevented} if prevented else {})}
        work.note(f"{place}.{key}", f"the list of {len(pairs)} is {' and '.join(part[key])}")


def _character_namespace(work: Translation, place: str, part: Config) -> None:
    """0.9 counted characters in their own namespace unasked; 2.x takes the size of the words' table."""
    embedding = part.get("embedding")
    if part.get("type") != "character_encoding" or not isinstance(embedding, dict):
        return
    if "num_embeddings" not in embedding and "vocab_namespace" not in embedding:
        embedding["vocab_namespace"] = _CHARACTERS
        work.note(f"{place}.embedding", f"vocab_namespace {_CHARACTERS} added, which 0.9 took by itself")


def _batch_first(work: Translation, place: str, part: Config) -> None:
    if part.get("type") not in _RECURRENT or "batch_first" not in part:
        return
    if part["batch_first"] is not True:
        refuse(f"{place}.batch_first", "must be true", part["batch_first"], "AllenNLP's encoders are all batch first")
    del part["batch_first"]
    work.note(f"{place}.batch_first", "left out, it is always so")


def _names(work: Translation, place: str, part: Config) -> None:
    new = _MODELS.get(str(part.get("type"))) if place == "model" else None
    if new is not None:
        work.note(f"{place}.type", f"{part['type']} is {new}")
        part["type"] = new


# What 2.x refuses, or ignores: never in a configuration that was written for it.
RULES: tuple[Rule, ...] = (_embedders, _applicators, translate_similarity, _batch_first)
# What 2.x reads in another way.
RULES_OF_OLD: tuple[Rule, ...] = (_character_namespace, _names)


def check_names(work: Translation, gone: dict[str, dict[str, str]]) -> None:
    """Refuse names of models, readers and the like that have no successor, unless a package registers them.

    Raises:
        ConfigurationError: the name, its place, and what is nearest.
    """
    for base, place, kind in _named(work.config):
        advice = gone[base].get(str(kind))
        if advice is not None and not work.registered(base, str(kind)):
            refuse(place, f"AllenNLP 2.x has no such {base}", kind, advice)


def _named(config: Config) -> list[tuple[str, str, Any]]:
    """Base class, place and name of what the configuration builds."""
    found: list[tuple[str, str, Any]] = []
    for base, place, part in (
        ("Model", "model", config.get("model")),
        ("DatasetReader", "dataset_reader", config.get("dataset_reader")),
        ("Optimizer", "trainer.optimizer", section(config, "trainer").get("optimizer")),
    ):
        found.append((base, f"{place}.type", _type(part)))
    for place, part in sections(config.get("model"), "model"):
        found.append(("Seq2SeqEncoder", f"{place}.type", _type(part)))
        for name, embedder in section(part, "token_embedders").items():
            found.append(("TokenEmbedder", f"{place}.token_embedders.{name}.type", _type(embedder)))
    for place, part in sections(config.get("dataset_reader"), "dataset_reader"):
        for key in [key for key in part if key.endswith("token_indexers")]:
            for name, indexer in section(part, key).items():
                found.append(("TokenIndexer", f"{place}.{key}.{name}.type", _type(indexer)))
    return found


def _type(part: Any) -> Any:
    """The name of what a section builds; a section may be its name alone."""
    return part.get("type") if isinstance(part, dict) else part
