"""What ELMo adds to a small named entity tagger: the same tagger with word vectors alone, and with ELMo beside them.

    python scripts/train_tagger.py FOLDER --word-vectors FILE [--model NAME_OR_FOLDER] [--json PATH]

FOLDER holds train.tsv, dev.tsv and test.tsv as `tagger.data` says. The tagger is a bidirectional LSTM over word
vectors that are learned further (with rows for frequent training words that FILE misses), then each token's tag on
its own. ELMo's biLM is frozen: the layers of each sentence are computed once and kept in memory, and the mix is
learned. Each configuration is trained from several seeds; the table gives mean and sample standard deviation over
them, in percent. Exact spans are scored on test, with the parameters of the epoch that is best on dev.
"""

import argparse
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from pytorch_elmo.embedder import ElmoEmbedder
from pytorch_elmo.errors import ConfigurationError, PytorchElmoError
from pytorch_elmo.files import sha256_of, whole_file
from pytorch_elmo.static_embeddings import WordVectors
from tagger.data import SPLITS, NumberedSentence, TaggedSentence, read_splits
from tagger.model import BiLstmTagger, trainable_word_vectors
from tagger.spans import SpanScores
from tagger.training import TaggerConfig, TrainedTagger, train

Splits = dict[str, list[TaggedSentence]]
Layers = dict[str, list[Tensor]]
MEASURES = ("precision", "recall", "f1")


def embed_splits(splits: Splits, model: str) -> Layers:
    """ELMo's layers of each sentence, (num_layers, num_tokens, dim) float16 to halve the memory."""
    embedder = ElmoEmbedder.from_pretrained(model)
    layers = {}
    for split, sentences in splits.items():
        vectors = embedder.embed_sentences([sentence.tokens for sentence in sentences])
        bar = tqdm(vectors, total=len(sentences), desc=f"embedding {split}", unit="sentence")
        layers[split] = [torch.from_numpy(sentence).half() for sentence in bar]
    return layers


def number(
    splits: Splits, words: WordVectors, tags: Sequence[str], layers: Layers | None
) -> dict[str, list[NumberedSentence]]:
    """The sentences as ids, with their layers."""
    tag_ids = {tag: index for index, tag in enumerate(tags)}
    return {
        split: [
            NumberedSentence(
                word_ids=words.words_to_ids([sentence.tokens])[0],
                tag_ids=torch.tensor([tag_ids[tag] for tag in sentence.tags]),
                layers=None if layers is None else layers[split][index],
            )
            for index, sentence in enumerate(sentences)
        ]
        for split, sentences in splits.items()
    }


def train_seed(
    splits: Splits,
    pretrained: WordVectors,
    layers: Layers | None,
    config: TaggerConfig,
    seed: int,
    max_seconds: float,
) -> TrainedTagger:
    """Build and train the tagger of one seed."""
    torch.manual_seed(seed)
    train_words = Counter(
        token.lower() if pretrained.lowercase else token for sentence in splits["train"] for token in sentence.tokens
    )
    tags = sorted({tag for split in splits.values() for sentence in split for tag in sentence.tags})
    words = trainable_word_vectors(pretrained, train_words)
    shape = None if layers is None else layers["train"][0].shape
    model = BiLstmTagger(
        word_vectors=words,
        elmo_shape=None if shape is None else (shape[0], shape[2]),
        num_tags=len(tags),
        hidden_size=config.hidden_size,
        dropout=config.dropout,
    )
    return train(model, number(splits, words, tags, layers), tags, config, seed=seed, max_seconds=max_seconds)


def train_seeds(
    splits: Splits, pretrained: WordVectors, model: str | None, num_seeds: int, max_minutes: float
) -> dict[str, Any]:
    """One configuration: every seed gets an equal share of the time that embedding leaves; made for JSON."""
    begin = time.monotonic()
    layers = None if model is None else embed_splits(splits, model)
    embedding_seconds = time.monotonic() - begin
    config, results = TaggerConfig(), []
    for seed in range(num_seeds):
        left = begin + 60 * max_minutes - time.monotonic()
        results.append(train_seed(splits, pretrained, layers, config, seed, left / (num_seeds - seed)))
    return {
        "model": model,
        "embedding_seconds": embedding_seconds,
        "seeds": [describe(seed, result) for seed, result in enumerate(results)],
        "test": {measure: spread([getattr(result.test, measure) for result in results]) for measure in MEASURES},
        "dev": {measure: spread([getattr(result.dev, measure) for result in results]) for measure in MEASURES},
    }


def describe(seed: int, result: TrainedTagger) -> dict[str, Any]:
    """One seed's result, made for JSON."""

    def scores(spans: SpanScores) -> dict[str, float]:
        return asdict(spans) | {measure: getattr(spans, measure) for measure in MEASURES}

    return {"seed": seed, **asdict(result), "dev": scores(result.dev), "test": scores(result.test)}


def spread(values: Sequence[float]) -> dict[str, float | None]:
    """Mean and sample standard deviation (None of a single value)."""
    return {
        "mean": statistics.fmean(values),
        "deviation": statistics.stdev(values) if len(values) > 1 else None,
    }


def compare(
    folder: Path, word_vectors: Path, *, model: str | None, num_seeds: int, max_minutes: float
) -> dict[str, Any]:
    """Train with word vectors alone, then with ELMo if a model is named; made for JSON.

    Raises:
        ConfigurationError: no seed, or no time.
        PytorchElmoError: the sentences, the vectors or the model cannot be read.
    """
    if num_seeds < 1 or max_minutes <= 0:
        raise ConfigurationError(
            f"--seeds must be at least 1 and --max-minutes above 0, got {num_seeds} and {max_minutes}; leave them out"
        )
    splits = read_splits(folder)
    words = {token for split in splits.values() for sentence in split for token in sentence.tokens}
    pretrained = WordVectors.from_file(word_vectors, vocabulary=words, lowercase=True)
    test_tokens = [token for sentence in splits["test"] for token in sentence.tokens]
    results = {"word vectors": train_seeds(splits, pretrained, None, num_seeds, max_minutes)}
    if model is not None:
        results["word vectors + ELMo"] = train_seeds(splits, pretrained, model, num_seeds, max_minutes)
    return {
        "data": {split: {"sentences": len(splits[split]), "file": f"{split}.tsv"} for split in SPLITS},
        "word_vectors": {
            "file": word_vectors.name,
            "sha256": sha256_of(word_vectors),
            "words": len(pretrained),
            "dim": pretrained.dim,
            "share_of_test_tokens": sum(token in pretrained for token in test_tokens) / len(test_tokens),
        },
        "tagger": asdict(TaggerConfig()),
        "max_minutes": max_minutes,
        "configurations": results,
    }


def table(configurations: dict[str, dict[str, Any]]) -> str:
    """One line a configuration: scores on test and F1 on dev, in percent, and how many seeds the clock ended."""
    lines = [f"{'':20} {'seeds':>5} {'precision':>14} {'recall':>14} {'F1':>14} {'dev F1':>14} {'cut by time':>12}"]
    for name, result in configurations.items():
        columns = [result["test"][measure] for measure in MEASURES] + [result["dev"]["f1"]]
        numbers = " ".join(f"{_percent(column):>14}" for column in columns)
        num_cut = sum(seed["stopped_by"] == "time" for seed in result["seeds"])
        lines.append(f"{name:20} {len(result['seeds']):>5} {numbers} {num_cut:>12}")
    return "\n".join(lines)


def _percent(values: dict[str, float | None]) -> str:
    mean, deviation = values["mean"], values["deviation"]
    return f"{100 * (mean or 0):.2f}" + ("" if deviation is None else f" ± {100 * deviation:.2f}")


def main() -> None:
    """Read the arguments, print the table and write the JSON."""
    parser = argparse.ArgumentParser(
        description="A BiLSTM tagger with word vectors alone, and with ELMo beside them."
    )
    parser.add_argument("folder", type=Path, help="holds train.tsv, dev.tsv and test.tsv")
    parser.add_argument("--word-vectors", type=Path, required=True, help="GloVe or word2vec text, lower-cased words")
    parser.add_argument("--model", default="default", help="a model's name or folder")
    parser.add_argument("--no-elmo", action="store_true", help="word vectors alone")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each configuration")
    parser.add_argument("--max-minutes", type=float, default=10.0, help="for each configuration, embedding included")
    parser.add_argument("--json", type=Path, help="write the numbers here too")
    arguments = parser.parse_args()
    try:
        results = compare(
            arguments.folder,
            arguments.word_vectors,
            model=None if arguments.no_elmo else arguments.model,
            num_seeds=arguments.seeds,
            max_minutes=arguments.max_minutes,
        )
    except PytorchElmoError as error:
        sys.exit(f"error: {error}")
    print(table(results["configurations"]))
    if arguments.json:
        with whole_file(arguments.json) as partial:
            partial.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
