"""A small tagger: word vectors, ELMo's layers if asked for, one bidirectional LSTM, each token's tag on its own."""

from collections import Counter

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from pytorch_elmo.elmo import ScalarMix
from pytorch_elmo.static_embeddings import WordVectors
from pytorch_elmo.static_embeddings.word_vectors import FIRST_WORD_ID
from tagger.data import Batch


def trainable_word_vectors(pretrained: WordVectors, train_counts: Counter[str]) -> WordVectors:
    """The pretrained rows, a random row for other words that training sees twice or more; all are learned.

    Words seen once share the row of the unknown, which so learns what an unknown word is like. `train_counts` are of
    words as the table looks them up.
    """
    others = [word for word, count in train_counts.items() if count > 1 and word not in pretrained]
    rows = pretrained.embedding_matrix.detach()[FIRST_WORD_ID:]
    drawn = torch.randn(len(others), pretrained.dim) * rows.std()
    return WordVectors(
        [*pretrained.words, *others], torch.cat([rows, drawn]), trainable=True, lowercase=pretrained.lowercase
    )


class BiLstmTagger(nn.Module):
    """A score for each tag of each token.

    Args:
        word_vectors: beside ELMo, or alone.
        elmo_shape: number of layers and their dim; None to do without.
        num_tags: how many tags there are.
        hidden_size: of each direction.
        dropout: on what the LSTM reads and on what it gives.
    """

    def __init__(
        self,
        *,
        word_vectors: WordVectors,
        elmo_shape: tuple[int, int] | None,
        num_tags: int,
        hidden_size: int,
        dropout: float,
    ) -> None:
        super().__init__()
        num_layers, elmo_dim = elmo_shape or (0, 0)
        self.word_vectors = word_vectors
        self.mix = ScalarMix(num_layers) if elmo_shape else None
        self.dropout = nn.Dropout(dropout)
        self.lstm = nn.LSTM(elmo_dim + word_vectors.dim, hidden_size, batch_first=True, bidirectional=True)
        self.scores = nn.Linear(2 * hidden_size, num_tags)

    def forward(self, batch: Batch) -> Tensor:
        """Scores (batch_size, num_tokens, num_tags) float32, before the softmax."""
        vectors = self.word_vectors(batch.word_ids)
        if self.mix is not None:
            assert batch.layers is not None
            vectors = torch.cat([self.mix(list(batch.layers)), vectors], dim=-1)
        packed = pack_padded_sequence(self.dropout(vectors), batch.lengths, batch_first=True, enforce_sorted=False)
        encoded, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        scores: Tensor = self.scores(self.dropout(encoded))
        return scores
