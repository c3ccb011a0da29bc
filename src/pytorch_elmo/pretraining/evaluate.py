"""How well a biLM predicts held-out text: perplexities, full softmax."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytorch_elmo.model import BiLM
from pytorch_elmo.model.bidirectional_lstm import LstmState
from pytorch_elmo.model.softmax import OutputLayer
from pytorch_elmo.pretraining.scoring import Scorer
from pytorch_elmo.progress import Progress, SilentProgress
from pytorch_elmo.text.vocabulary import Vocabulary
from pytorch_elmo.weights.language_model import LanguageModel


@dataclass(frozen=True, kw_only=True)
class Perplexity:
    """Perplexities per direction: exp of the mean negative log-probability of w1 … wn and one boundary a sentence.

    `num_unknown` counts the tokens outside the vocabulary, which are predicted as `<UNK>`.
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
    def num_predictions(self) -> int:
        """Those of one direction: every token and one boundary a sentence."""
        return self.num_tokens + self.num_sentences

    @property
    def unknown_rate(self) -> float:
        """Share of tokens outside the vocabulary."""
        return self.num_unknown / max(self.num_tokens, 1)

    @classmethod
    def of_all(cls, parts: Sequence["Perplexity"]) -> "Perplexity":
        """Several texts as one, each prediction weighing the same."""
        return cls.of_sums(
            *(sum(math.log(getattr(part, way)) * part.num_predictions for part in parts) for way in _DIRECTIONS),
            num_sentences=sum(part.num_sentences for part in parts),
            num_tokens=sum(part.num_tokens for part in parts),
            num_unknown=sum(part.num_unknown for part in parts),
        )

    @classmethod
    def of_sums(
        cls, forward: float, backward: float, *, num_sentences: int, num_tokens: int, num_unknown: int
    ) -> "Perplexity":
        """From each direction's sum of negative log-probabilities."""
        num_predictions = max(num_tokens + num_sentences, 1)
        return cls(
            forward=math.exp(forward / num_predictions),
            backward=math.exp(backward / num_predictions),
            num_sentences=num_sentences,
            num_tokens=num_tokens,
            num_unknown=num_unknown,
        )


_DIRECTIONS = ("forward", "backward")


def evaluate_perplexity(
    bilm: BiLM,
    softmax: OutputLayer,
    vocabulary: Vocabulary,
    sentences: Iterable[Sequence[str]],
    progress: Progress | None = None,
    *,
    state: str = "start",
    batch_size: int | None = None,
    start: LstmState | None = None,
    total: int | None = None,
) -> Perplexity:
    """Perplexity of tokenised sentences.

    Args:
        bilm: the network.
        softmax: its output layer, shared by both directions.
        vocabulary: what the output layer predicts.
        sentences: lists of tokens.
        progress: hears tokens.
        state: what sentences begin with, as `Scorer` says.
        batch_size: rows side by side, as `Scorer` says.
        start: the start state in place of the biLM's own, as `Scorer` says.
        total: tokens of all sentences, for the progress, where they are known.

    Raises:
        ConfigurationError: no such state, or no row.
    """
    scorer = Scorer(LanguageModel(bilm, softmax, vocabulary), state=state, batch_size=batch_size, start=start)
    listener = progress or SilentProgress()
    forward = backward = 0.0
    num_sentences = num_tokens = num_unknown = 0
    listener.start(total=total, unit="token", label="predicting")
    for batch in scorer.batches(sentences):
        forward -= sum(float(scores.forward.sum()) for scores in batch)
        backward -= sum(float(scores.backward.sum()) for scores in batch)
        tokens = sum(len(scores.tokens) for scores in batch)
        num_sentences, num_tokens = num_sentences + len(batch), num_tokens + tokens
        num_unknown += sum(int(scores.unknown.sum()) for scores in batch)
        listener.advance(tokens)
    listener.finish()
    return Perplexity.of_sums(
        forward, backward, num_sentences=num_sentences, num_tokens=num_tokens, num_unknown=num_unknown
    )
