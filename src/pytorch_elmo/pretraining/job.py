"""The whole of a pretraining run: text and a configuration in, a model folder out."""

import json
from pathlib import Path

from pytorch_elmo.files import whole_file
from pytorch_elmo.pretraining.config import PretrainingConfig
from pytorch_elmo.pretraining.corpus import Corpus, find_files, prepare_corpus
from pytorch_elmo.pretraining.trainer import Reports, Trainer, count_words
from pytorch_elmo.progress import Progress
from pytorch_elmo.text.vocabulary import Vocabulary
from pytorch_elmo.weights.own_format import save_bilm, save_softmax


def prepare_run(config: PretrainingConfig, folder: Path, progress: Progress) -> Trainer:
    """Tokenise the text, fix the vocabulary, build the network; what is there already is taken.

    Raises:
        PytorchElmoError: no text, no UTF-8, or a vocabulary without its special tokens.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = find_files(config.corpus.train)
    corpus = prepare_corpus(files, config.corpus.tokenizer, folder / "corpus", progress)
    vocabulary = choose_vocabulary(config, corpus)
    vocabulary.save(folder / "vocabulary.txt")
    with whole_file(folder / "config.json") as partial:
        partial.write_text(json.dumps(config.to_json(), indent=2), encoding="utf-8")
    return Trainer(config, corpus, vocabulary)


def choose_vocabulary(config: PretrainingConfig, corpus: Corpus) -> Vocabulary:
    """The vocabulary file that the configuration names, or the corpus's most frequent words."""
    if config.corpus.vocabulary_file is not None:
        return Vocabulary.from_file(Path(config.corpus.vocabulary_file))
    return Vocabulary.from_counts(
        count_words(corpus),
        max_size=config.corpus.vocabulary_size,
        min_count=config.corpus.vocabulary_min_count,
    )


def pretrain(config: PretrainingConfig, folder: Path, progress: Progress, reports: Reports) -> Path:
    """Train, or go on with what `folder` holds, and write the model.

    Returns:
        The model's folder, with `bilm.safetensors` and `softmax.safetensors`, float32.

    Raises:
        PytorchElmoError: as `prepare_run` and `Trainer.run`.
    """
    trainer = prepare_run(config, folder, progress)
    trainer.run(folder, reports)
    model = folder / "model"
    model.mkdir(exist_ok=True)
    save_bilm(trainer.bilm, model / "bilm.safetensors")
    save_softmax(trainer.softmax, trainer.vocabulary, model / "softmax.safetensors")
    return model
