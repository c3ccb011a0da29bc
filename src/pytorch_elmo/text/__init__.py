"""Strings in, ids out: characters, tokenizers, vocabularies, sources of text."""

from pytorch_elmo.text.characters import batch_to_ids
from pytorch_elmo.text.standardization import strip_html_and_punctuation
from pytorch_elmo.text.vectorization import TextVectorizer

__all__ = ["TextVectorizer", "batch_to_ids", "strip_html_and_punctuation"]
