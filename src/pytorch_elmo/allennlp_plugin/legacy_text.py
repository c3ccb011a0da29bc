"""0.9's tokenizers and token indexers in 2.x's form."""

from typing import Any

from pytorch_elmo.allennlp_plugin.legacy_data import READERS
from pytorch_elmo.allennlp_plugin.legacy_translation import Config, Translation, refuse, section, sections, shown

_INDEXERS = "token_indexers"  # also source_token_indexers and the like
_TOKENIZER = "tokenizer"
_NOT_OF_WORDS = "character_tokenizer"
_SPLITTERS = ("spacy", "just_spaces", "letters_digits")
_ADDS_TOKENS = ("spacy",)
_NO_EQUAL = "just_spaces, letters_digits and spacy are what 2.x has"
# An indexer of one attribute of a token: the attribute, and the namespace that it counted in.
_ATTRIBUTES = {
    "dependency_label": ("dep_", "dep_labels"),
    "ner_tag": ("ent_type_", "ner_tokens"),
    "pos_tag": ("tag_", "pos_tokens"),
}


def translate_text(work: Translation) -> None:
    """Tokenizers and indexers of both readers, also where a reader wraps another.

    Raises:
        ConfigurationError: a way to split, filter or stem words that 2.x does not have.
    """
    for reader in READERS:
        for place, part in sections(work.config.get(reader), reader):
            for key in list(part):
                if key.endswith(_TOKENIZER) and key != _NOT_OF_WORDS:
                    part[key] = _tokenizer(work, f"{place}.{key}", part[key])
                elif key.endswith(_INDEXERS):
                    for name, indexer in section(part, key).items():
                        _indexer(work, f"{place}.{key}.{name}", indexer)


def _tokenizer(work: Translation, place: str, tokenizer: Any) -> Any:
    """2.x's tokenizer for a "word" tokenizer; anything else as it is."""
    old: Config = {"type": tokenizer} if isinstance(tokenizer, str) else tokenizer
    if not isinstance(old, dict) or not (old.get("type") == "word" or "word_splitter" in old):
        return tokenizer
    for key in ("word_filter", "word_stemmer"):
        kind = _kind(old.get(key, "pass_through"))
        if kind != "pass_through":
            refuse(f"{place}.{key}", "2.x neither filters nor stems", kind, "do it in the data, or take it out")
    splitter = old.get("word_splitter", "spacy")
    kind = _kind(splitter)
    if kind not in _SPLITTERS:
        refuse(f"{place}.word_splitter", _NO_EQUAL, kind, "choose one of them")
    settings = {key: value for key, value in splitter.items() if key != "type"} if isinstance(splitter, dict) else {}
    new: Config = {"type": kind, **settings}
    for key in ("start_tokens", "end_tokens"):
        if old.get(key):
            if kind not in _ADDS_TOKENS:
                refuse(f"{place}.{key}", f"{kind} adds no tokens in 2.x", old[key], 'use "spacy", or take them out')
            new[key] = old[key]
    work.note(place, f"the word tokenizer is {shown(new)}")
    return new


def _kind(value: Any) -> str:
    """The type of a section that may be its name alone; spaCy was the default of splitters."""
    return str(value.get("type", "spacy") if isinstance(value, dict) else value)


def _indexer(work: Translation, place: str, indexer: Any) -> None:
    """An indexer of a tag becomes a `single_id` indexer of that attribute."""
    kind = str(indexer.get("type")) if isinstance(indexer, dict) else ""
    if kind not in _ATTRIBUTES:
        return
    attribute, namespace = _ATTRIBUTES[kind]
    if kind == "pos_tag" and indexer.pop("coarse_tags", False):
        attribute = "pos_"
    indexer.update(type="single_id", feature_name=attribute, default_value="NONE")
    indexer.setdefault("namespace", namespace)
    work.note(place, f"{kind} is single_id of {attribute}")
