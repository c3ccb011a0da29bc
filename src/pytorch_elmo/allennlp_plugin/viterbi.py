"""The best tags of a conditional random field, for all sequences of a batch at once: the same tags and scores.

AllenNLP decodes a batch in training too, for the metrics, and one sequence after the other.
"""

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

IMPOSSIBLE = -10000.0  # AllenNLP's score of a transition that the constraints forbid
Decoded = tuple[list[int], float]


def mend_conditional_random_field(module: ModuleType) -> None:
    """More than one path a sequence is left to AllenNLP."""
    owner: Any = module.ConditionalRandomField
    viterbi_tags = owner.viterbi_tags

    @functools.wraps(viterbi_tags)
    def all_sequences_at_once(
        self: Any, logits: Tensor, mask: Tensor | None = None, top_k: int | None = None
    ) -> list[Decoded] | list[list[Decoded]]:
        if top_k not in (None, 1) or not logits.shape[0]:
            decoded: list[list[Decoded]] = viterbi_tags(self, logits, mask, top_k)
            return decoded
        if mask is None:
            mask = torch.ones(logits.shape[:2], dtype=torch.bool, device=logits.device)
        best = decode(logits.detach(), mask.bool(), _transitions(self, logits.device))
        return best if top_k is None else [[path] for path in best]

    owner.viterbi_tags = all_sequences_at_once


def _transitions(crf: Any, device: torch.device) -> Tensor:
    """(num_tags + 2, num_tags + 2): scores from a tag to the next; the last two are start and end."""
    num_tags = crf.num_tags
    start, end = num_tags, num_tags + 1
    learned, allowed = (torch.zeros(num_tags + 2, num_tags + 2, device=device) for _ in range(2))
    learned[:num_tags, :num_tags] = crf.transitions.detach()
    if crf.include_start_end_transitions:
        learned[start, :num_tags] = crf.start_transitions.detach()
        learned[:num_tags, end] = crf.end_transitions.detach()
    constraints = crf._constraint_mask.detach()
    allowed[: num_tags + 1, :num_tags] = constraints[: num_tags + 1, :num_tags]
    allowed[:num_tags, end] = constraints[:num_tags, end]
    return learned * allowed + IMPOSSIBLE * (1 - allowed)


def decode(logits: Tensor, mask: Tensor, transitions: Tensor) -> list[Decoded]:
    """The best path of each sequence, and its score.

    Args:
        logits: (batch_size, num_tokens, num_tags) float.
        mask: (batch_size, num_tokens) bool; what is masked is skipped wherever it stands.
        transitions: (num_tags + 2, num_tags + 2) float, as from `_transitions`.

    Returns:
        for each sequence as many tags as it has tokens, and a score.
    """
    lengths = mask.sum(dim=1)
    potentials = _between_start_and_end(logits, mask, lengths)
    scores, origins = [potentials[:, 0]], []
    for step in potentials.unbind(1)[1:]:
        # AllenNLP's `topk`, not `max`: of equal scores both take the same.
        best, origin = torch.topk(scores[-1].unsqueeze(2) + transitions, 1, dim=1)
        scores.append(step + best.squeeze(1))
        origins.append(origin.squeeze(1))
    last = torch.stack(scores, dim=1)[torch.arange(len(lengths), device=lengths.device), lengths + 1]
    best_scores, ends = torch.topk(last, 1, dim=1)
    paths = _walk_back(torch.stack(origins, dim=1), ends.squeeze(1), lengths)
    return list(zip(paths, best_scores.squeeze(1).tolist(), strict=True))


def _between_start_and_end(logits: Tensor, mask: Tensor, lengths: Tensor) -> Tensor:
    """(batch_size, num_tokens + 2, num_tags + 2): each sequence's own tokens, with its start before and end after."""
    batch_size, num_tokens, num_tags = logits.shape
    start, end = num_tags, num_tags + 1
    own_first = torch.sort((~mask).byte(), dim=1, stable=True).indices
    rows = torch.arange(batch_size, device=logits.device)
    potentials = torch.full((batch_size, num_tokens + 2, num_tags + 2), IMPOSSIBLE, device=logits.device)
    potentials[:, 1:-1, :num_tags] = logits[rows.unsqueeze(1), own_first].to(potentials.dtype)
    potentials[:, 0, start] = 0.0
    potentials[rows, lengths + 1] = IMPOSSIBLE
    potentials[rows, lengths + 1, end] = 0.0
    return potentials


def _walk_back(origins: Tensor, ends: Tensor, lengths: Tensor) -> list[list[int]]:
    """The tags that lead to the last ones; `origins[:, step]` says from which tag a tag of step + 1 is reached."""
    origin, tags, length = (numbers.cpu().numpy() for numbers in (origins, ends, lengths))
    num_sequences, num_steps, _ = origin.shape
    rows, walked = np.arange(num_sequences), np.empty((num_sequences, num_steps - 1), dtype=np.int64)
    for step in range(num_steps - 1, 0, -1):
        tags = np.where(step <= length, origin[rows, step, tags], tags)
        walked[:, step - 1] = tags
    return [path[:size] for path, size in zip(walked.tolist(), length.tolist(), strict=True)]


# Module of AllenNLP -> what is to be done to it once it has been executed.
MENDS: dict[str, tuple[Callable[[ModuleType], None], ...]] = {
    "allennlp.modules.conditional_random_field.conditional_random_field": (mend_conditional_random_field,)
}
