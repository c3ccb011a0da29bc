"""Texts with classes, as tables of `datasets` with the columns `text` and `label`; the tutorials' splits of them."""

from pytorch_elmo.classification.data_sets.imdb import read_imdb
from pytorch_elmo.classification.data_sets.labelled import examples_of, read_labelled_texts
from pytorch_elmo.classification.data_sets.scicite import read_scicite
from pytorch_elmo.classification.data_sets.splits import directory_split, first_words, in_mixed_order, split_at

__all__ = [
    "directory_split",
    "examples_of",
    "first_words",
    "in_mixed_order",
    "read_imdb",
    "read_labelled_texts",
    "read_scicite",
    "split_at",
]
