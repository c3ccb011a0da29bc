"""Strings in, ids out: characters, tokenizers, vocabularies, sources of text."""

from pytorch_elmo.text.characters import batch_to_ids

__all__ = ["batch_to_ids"]
