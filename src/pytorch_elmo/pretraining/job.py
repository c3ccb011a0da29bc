"""What stands before and after training: text and a configuration in, a model folder out."""

import json
from pathlib import Path
from typing import NamedTuple

import torch

from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.files import whole_file
from pytorch_elmo.model.softmax import Softmax
from pytorch_elmo.pretrained import resolve
from pytorch_elmo.pretrained.model_files import BILM_FILE, SOFTMAX_FILE, VOCABULARY_FILE
from pytorch_elmo.pretraining.config import CorpusConfig, PretrainingConfig
from pytorch_elmo.pretraining.corpus import Corpus, prepare_corpora
from pytorch_elmo.pretraining.snapshots import load_parameters
from pytorch_elmo.pretraining.trainer import CHECKPOINTS, StartModel, Trainer, count_words
from pytorch_elmo.progress import Progress
from pytorch_elmo.text.vocabulary import Vocabulary, vocabulary_warnings
from pytorch_elmo.training.checkpoint import BEST, load_checkpoint
from pytorch_elmo.training.processes import Processes
from pytorch_elmo.weights.load import load_model_files
from pytorch_elmo.weights.options import format_options
from pytorch_elmo.weights.own_format import read_softmax, save_bilm, save_softmax


class TrainingText(NamedTuple):
    """What a run reads, and what it predicts."""

    train: Corpus
    validation: Corpus | None
    vocabulary: Vocabulary


def prepare_run(
    config: PretrainingConfig,
    folder: Path,
    progress: Progress,
    *,
    processes: Processes | None = None,
    device: torch.device | str = "cpu",
) -> Trainer:
    """Tokenise the text, fix the vocabulary, build the network; what is there already is taken.

    Of several processes the first one reads the text, the others what it wrote.

    Raises:
        PytorchElmoError: no text, no UTF-8, a vocabulary without its special tokens, or no model to start from.
    """
    processes = processes or Processes()
    if not processes.first:
        processes.wait()
    text = prepare_text(config, folder, progress)
    if processes.first:
        processes.wait()
    return Trainer(
        config,
        text.train,
        text.vocabulary,
        validation=text.validation,
        start=None if config.start_from is None else load_start_model(config),
        processes=processes,
        device=device,
    )


def load_start_model(config: PretrainingConfig) -> StartModel:
    """The model that a run fine-tunes; its softmax too, where it has one of this package's.

    Raises:
        ConfigurationError: the configuration describes another network.
        PytorchElmoError: no such model.
    """
    assert config.start_from is not None
    files = resolve(config.start_from)
    bilm = load_model_files(files)
    if bilm.config != config.model:
        raise ConfigurationError(
            f"the model {config.start_from} has the options {format_options(bilm.config)}, the configuration says "
            f"{format_options(config.model)}; leave `model` out"
        )
    if files.softmax is None:
        return StartModel(bilm)
    softmax, vocabulary = read_softmax(files.softmax)
    return StartModel(bilm, softmax, vocabulary) if isinstance(softmax, Softmax) else StartModel(bilm)


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
    vocabulary.save(folder / VOCABULARY_FILE)
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
    """Write the trained biLM and its softmax, float32, to `folder/model`, where `from_pretrained` reads them.

    With validation text they are those of the best step, else of the last.
    """
    if trainer.best is not None:
        load_parameters(trainer, load_checkpoint(folder / CHECKPOINTS / BEST))
    model = folder / "model"
    model.mkdir(exist_ok=True)
    save_bilm(trainer.bilm, model / BILM_FILE)
    save_softmax(trainer.softmax, trainer.vocabulary, model / SOFTMAX_FILE)
    return model
