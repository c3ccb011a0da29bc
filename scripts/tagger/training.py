"""Trains one tagger: AdamW, the epoch with the best F1 on dev is kept, a clock may end it sooner."""

import copy
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from tagger.data import IGNORED_TAG_ID, NumberedSentence, batches, pad
from tagger.model import BiLstmTagger
from tagger.spans import SpanScores, repair_tags, score_spans

Clock = Callable[[], float]


@dataclass(frozen=True, kw_only=True)
class TaggerConfig:
    """What is the same with ELMo and without."""

    hidden_size: int = 100
    dropout: float = 0.5
    batch_size: int = 32
    learning_rate: float = 3e-3
    weight_decay: float = 0.01
    gradient_clip: float = 5.0
    max_epochs: int = 20
    patience: int = 4  # epochs without a better F1 on dev


@dataclass(frozen=True, kw_only=True)
class TrainedTagger:
    """The best epoch's scores; `stopped_by` is `patience`, `epochs` or `time`."""

    dev: SpanScores
    test: SpanScores
    best_epoch: int
    num_epochs: int
    stopped_by: str
    seconds: float


def predict(model: BiLstmTagger, sentences: Sequence[NumberedSentence], tags: Sequence[str]) -> list[list[str]]:
    """The best tag of each token, repaired to IOB2; in the order of the sentences."""
    model.eval()
    order = sorted(range(len(sentences)), key=lambda index: len(sentences[index].word_ids))
    predicted: dict[int, list[str]] = {}
    with torch.inference_mode():
        for start in range(0, len(order), 64):
            indexes = order[start : start + 64]
            best = model(pad([sentences[index] for index in indexes])).argmax(dim=-1)
            for index, row in zip(indexes, best.tolist(), strict=True):
                predicted[index] = repair_tags([tags[tag] for tag in row[: len(sentences[index].word_ids)]])
    return [predicted[index] for index in range(len(sentences))]


def evaluate(model: BiLstmTagger, sentences: Sequence[NumberedSentence], tags: Sequence[str]) -> SpanScores:
    """Span scores against the sentences' own tags."""
    gold = ([tags[tag] for tag in sentence.tag_ids.tolist()] for sentence in sentences)
    return score_spans(gold, predict(model, sentences, tags))


def train_epoch(
    model: BiLstmTagger,
    optimizer: torch.optim.Optimizer,
    sentences: Sequence[NumberedSentence],
    config: TaggerConfig,
    order: random.Random,
) -> None:
    """One pass over the sentences in a new order; the loss is the mean cross entropy of a batch's tokens."""
    model.train()
    for batch in batches(sentences, config.batch_size, order):
        scores = model(batch)
        loss = F.cross_entropy(scores.flatten(0, 1), batch.tag_ids.flatten(), ignore_index=IGNORED_TAG_ID)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), config.gradient_clip, error_if_nonfinite=True)
        optimizer.step()


def train(
    model: BiLstmTagger,
    splits: Mapping[str, Sequence[NumberedSentence]],
    tags: Sequence[str],
    config: TaggerConfig,
    *,
    seed: int,
    max_seconds: float,
    clock: Clock = time.monotonic,
) -> TrainedTagger:
    """Train until dev has not improved for `patience` epochs, or another epoch would not fit in `max_seconds`.

    One epoch is always run. The model is left with the parameters of its best epoch.
    """
    begin = clock()
    order = random.Random(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    best, best_epoch, best_parameters = SpanScores(num_right=0, num_predicted=0, num_gold=0), 0, model.state_dict()
    epoch, stopped_by = 0, ""
    while not stopped_by:
        epoch += 1
        train_epoch(model, optimizer, splits["train"], config, order)
        dev = evaluate(model, splits["dev"], tags)
        seconds = clock() - begin
        print(f"seed {seed}, epoch {epoch}: dev F1 {dev.f1:.2%}, {seconds:.0f} s", file=sys.stderr)
        if best_epoch == 0 or dev.f1 > best.f1:
            best, best_epoch, best_parameters = dev, epoch, copy.deepcopy(model.state_dict())
        stopped_by = _reason_to_stop(config, epoch, best_epoch, seconds, max_seconds)
    model.load_state_dict(best_parameters)
    return TrainedTagger(
        dev=best,
        test=evaluate(model, splits["test"], tags),
        best_epoch=best_epoch,
        num_epochs=epoch,
        stopped_by=stopped_by,
        seconds=clock() - begin,
    )


def _reason_to_stop(config: TaggerConfig, epoch: int, best_epoch: int, seconds: float, max_seconds: float) -> str:
    if epoch - best_epoch >= config.patience:
        return "patience"
    if epoch >= config.max_epochs:
        return "epochs"
    return "time" if seconds + seconds / epoch > max_seconds else ""
