"""How well a biLM predicts held-out text: full softmax, every sentence from zeros."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor

from pytorch_elmo.model import BiLM
from pytorch_elmo.model.inference import InferenceBiLM
from pytorch_elmo.model.softmax import OutputLayer
from pytorch_elmo.progress import Progress, SilentProgress
from pytorch_elmo.text.characters import words_to_ids
from pytorch_elmo.text.vocabulary import Vocabulary

_SENTENCES_PER_BATCH = 512
_POSITIONS_PER_SOFTMAX = 512


@dataclass(frozen=True, kw_only=True)
class Perplexity:
    """Perplexities per direction: exp of the mean negative log-probability of w1 … wn and one boundary a sentence.

    `num_predictions` counts those of one direction; `num_unknown` the tokens outside the vocabulary, which are
    predicted as `<UNK>`.
    """

    forward: float
    backward: float
    num_sentences: int
    num_tokens: int
    num_unknown: int

    @property
    def both(self) -> float:
        """Exp of the mean over both directions."""
        return math.sqrt(self.forward * self.backward)

    @property
    def unknown_rate(self) -> float:
        """Share of tokens outside the vocabulary."""
        return self.num_unknown / max(self.num_tokens, 1)


def evaluate_perplexity(
    bilm: BiLM,
    softmax: OutputLayer,
    vocabulary: Vocabulary,
    sentences: Iterable[Sequence[str]],
    progress: Progress | None = None,
) -> Perplexity:
    """Perplexity of tokenised sentences.

    Args:
        bilm: the network.
        softmax: its output layer, shared by both directions.
        vocabulary: what the output layer predicts.
        sentences: lists of tokens.
        progress: hears tokens.
    """
    listener = progress or SilentProgress()
    engine = InferenceBiLM(bilm)
    totals = torch.zeros(2, dtype=torch.float64)
    num_sentences = num_tokens = num_unknown = 0
    listener.start(total=None, unit="token", label="predicting")
    remaining = iter(sentences)
    while batch := list(islice(remaining, _SENTENCES_PER_BATCH)):
        targets = [[vocabulary.id_of(token) for token in sentence] for sentence in batch]
        totals += batch_losses(engine, softmax, vocabulary, batch, targets)
        tokens = sum(map(len, batch))
        num_sentences, num_tokens = num_sentences + len(batch), num_tokens + tokens
        num_unknown += sum(row.count(vocabulary.unknown_id) for row in targets)
        listener.advance(tokens)
    listener.finish()
    forward, backward = (totals / max(num_tokens + num_sentences, 1)).exp().tolist()
    return Perplexity(
        forward=forward,
        backward=backward,
        num_sentences=num_sentences,
        num_tokens=num_tokens,
        num_unknown=num_unknown,
    )


@torch.no_grad()
def batch_losses(
    engine: InferenceBiLM,
    softmax: OutputLayer,
    vocabulary: Vocabulary,
    batch: Sequence[Sequence[str]],
    targets: Sequence[Sequence[int]],
) -> Tensor:
    """Summed negative log-probabilities of a batch, (2,) float64: forward and backward.

    The forward layer at `<S>` w1 … wn predicts w1 … wn `</S>`; the backward layer at w1 … wn `</S>` predicts
    `<S>` w1 … wn.
    """
    words: dict[str, int] = {"<S>": 0, "</S>": 1}
    places = [[0, *(words.setdefault(token, len(words)) for token in sentence), 1] for sentence in batch]
    table = engine.encode_words(torch.from_numpy(words_to_ids(words)))
    layers = engine.embed(table, [torch.tensor(row).numpy() for row in places])
    size = engine.config.lstm.projection_size
    forward = torch.cat([vectors[-1, :-1, :size] for vectors in layers])
    backward = torch.cat([vectors[-1, 1:, size:] for vectors in layers])
    forward_targets = _flat([*row, vocabulary.end_id] for row in targets)
    backward_targets = _flat([vocabulary.begin_id, *row] for row in targets)
    return torch.stack(
        [_summed_loss(softmax, forward, forward_targets), _summed_loss(softmax, backward, backward_targets)]
    )


def _flat(rows: Iterator[list[int]]) -> Tensor:
    return torch.tensor([number for row in rows for number in row], dtype=torch.int64)


def _summed_loss(softmax: OutputLayer, vectors: Tensor, targets: Tensor) -> Tensor:
    total = torch.zeros((), dtype=torch.float64)
    pairs = zip(vectors.split(_POSITIONS_PER_SOFTMAX), targets.split(_POSITIONS_PER_SOFTMAX), strict=True)
    for some_vectors, some_targets in pairs:
        total += softmax.full_loss(some_vectors, some_targets).double().sum()
    return total
