"""What stands before and after training: text and a configuration in, a model folder out."""

import json
from pathlib import Path
from typing import NamedTuple

from pytorch_elmo.files import whole_file
from pytorch_elmo.pretrained.model_files import BILM_FILE, SOFTMAX_FILE
from pytorch_elmo.pretraining.config import CorpusConfig, PretrainingConfig
from pytorch_elmo.pretraining.corpus import Corpus, prepare_corpora
from pytorch_elmo.pretraining.trainer import Trainer, count_words
from pytorch_elmo.progress import Progress
from pytorch_elmo.text.vocabulary import Vocabulary, vocabulary_warnings
from pytorch_elmo.weights.own_format import save_bilm, save_softmax


class TrainingText(NamedTuple):
    """What a run reads, and what it predicts."""

    train: Corpus
    validation: Corpus | None
    vocabulary: Vocabulary


def prepare_run(config: PretrainingConfig, folder: Path, progress: Progress) -> Trainer:
    """Tokenise the text, fix the vocabulary, build the network; what is there already is taken.

    Raises:
        PytorchElmoError: no text, no UTF-8, or a vocabulary without its special tokens.
    """
    text = prepare_text(config, folder, progress)
    return Trainer(config, text.train, text.vocabulary, validation=text.validation)


def prepare_text(config: PretrainingConfig, folder: Path, progress: Progress) -> TrainingText:
    """The text of a run in `folder`, read now or by an earlier run, and its vocabulary.

    What is odd about them is noted to `progress`: validation text that is trained on, a vocabulary out of order.

    Raises:
        PytorchElmoError: as `prepare_run`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    corpora = prepare_corpora(config.corpus, folder / "corpus", progress)
    if corpora.validation is not None and corpora.num_shared_sentences:
        share = corpora.num_shared_sentences / corpora.validation.num_sentences
        progress.note(
            f"warning: {corpora.num_shared_sentences:,} of {corpora.validation.num_sentences:,} validation sentences "
            f"({share:.1%}) are training text too, word for word; the perplexity on them is too good"
        )
    vocabulary = choose_vocabulary(config.corpus, corpora.train, progress)
    vocabulary.save(folder / "vocabulary.txt")
    with whole_file(folder / "config.json") as partial:
        partial.write_text(json.dumps(config.to_json(), indent=2), encoding="utf-8")
    return TrainingText(corpora.train, corpora.validation, vocabulary)


def choose_vocabulary(config: CorpusConfig, corpus: Corpus, progress: Progress) -> Vocabulary:
    """The vocabulary file that the configuration names, or the corpus's most frequent words."""
    counts = count_words(corpus)
    if config.vocabulary_file is None:
        return Vocabulary.from_counts(counts, max_size=config.vocabulary_size, min_count=config.vocabulary_min_count)
    vocabulary = Vocabulary.from_file(Path(config.vocabulary_file))
    for warning in vocabulary_warnings(vocabulary, counts):
        progress.note(f"warning: {config.vocabulary_file}: {warning}")
    return vocabulary


def save_model(trainer: Trainer, folder: Path) -> Path:
    """Write the trained biLM and its softmax, float32, to `folder/model`, where `from_pretrained` reads them."""
    model = folder / "model"
    model.mkdir(exist_ok=True)
    save_bilm(trainer.bilm, model / BILM_FILE)
    save_softmax(trainer.softmax, trainer.vocabulary, model / SOFTMAX_FILE)
    return model
