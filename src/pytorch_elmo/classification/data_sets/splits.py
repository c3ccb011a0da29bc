"""How the tutorials part their data, and what they cut from a text."""

import hashlib
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pytorch_elmo.errors import ConfigurationError

if TYPE_CHECKING:
    from datasets import Dataset

TUTORIAL_SEED = 123
TUTORIAL_WORDS = 150


def directory_split_places(
    num_files: int, *, seed: int = TUTORIAL_SEED, validation_share: float = 0.2
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which files Keras' `text_dataset_from_directory` trains on and which it validates on, in its order.

    Args:
        num_files: files of all classes, taken class by class, names sorted as strings.
        seed: of the shuffle.
        validation_share: of all files, rounded down; they are the last of the shuffled ones.

    Returns:
        Places of training files and of validation files, int64.
    """
    places = np.arange(num_files)
    np.random.RandomState(seed).shuffle(places)  # as Keras does
    first = num_files - int(validation_share * num_files)
    return places[:first], places[first:]


def directory_split(
    dataset: "Dataset", *, seed: int = TUTORIAL_SEED, validation_share: float = 0.2
) -> tuple["Dataset", "Dataset"]:
    """The split of the tutorial on warm starts: of `read_imdb`'s 25,000 training reviews 20,000 and 5,000."""
    places = directory_split_places(len(dataset), seed=seed, validation_share=validation_share)
    training, validation = (dataset.select(part) for part in places)
    return training, validation


def in_mixed_order(dataset: "Dataset") -> "Dataset":
    """The reviews by the SHA-256 of their names, which mixes the classes in the same way on every machine.

    The tutorial on IMDB takes the order of TensorFlow Datasets, which mixes them by another hash; that one is not
    known.
    """
    digests = [hashlib.sha256(file.encode("utf-8")).hexdigest() for file in dataset["file"]]
    return dataset.select(sorted(range(len(digests)), key=digests.__getitem__))


def split_at(dataset: "Dataset", num_training: int) -> tuple["Dataset", "Dataset"]:
    """The first examples and the others, as the tutorial on IMDB parts 25,000 into 15,000 and 10,000.

    Raises:
        ConfigurationError: nothing would be left on one side.
    """
    if not 0 < num_training < len(dataset):
        raise ConfigurationError(
            f"num_training is 1 to {len(dataset) - 1}, got {num_training}; leave both sides some"
        )
    return dataset.select(range(num_training)), dataset.select(range(num_training, len(dataset)))


def first_words(text: str, num_words: int = TUTORIAL_WORDS) -> list[str]:
    """The first words of a text between Unicode white space: the tokens of the tutorial on ELMo in Keras."""
    return text.split(maxsplit=num_words)[:num_words]
