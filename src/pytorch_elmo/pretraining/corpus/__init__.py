"""The text of a run: tokenised once, mapped from disk, read as streams in random order."""

from pytorch_elmo.pretraining.corpus.corpora import Corpora, Corpus, load_corpora, prepare_corpora

__all__ = ["Corpora", "Corpus", "load_corpora", "prepare_corpora"]
