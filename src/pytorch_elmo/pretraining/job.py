"""What stands before and after training: text and a configuration in, a model folder out."""

import json
from pathlib import Path

from pytorch_elmo.files import whole_file
from pytorch_elmo.pretrained.model_files import BILM_FILE, SOFTMAX_FILE
from pytorch_elmo.pretraining.config import PretrainingConfig
from pytorch_elmo.pretraining.corpus import Corpus, find_files, prepare_corpus
from pytorch_elmo.pretraining.trainer import Trainer, count_words
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


def save_model(trainer: Trainer, folder: Path) -> Path:
    """Write the trained biLM and its softmax, float32, to `folder/model`, where `from_pretrained` reads them."""
    model = folder / "model"
    model.mkdir(exist_ok=True)
    save_bilm(trainer.bilm, model / BILM_FILE)
    save_softmax(trainer.softmax, trainer.vocabulary, model / SOFTMAX_FILE)
    return model
