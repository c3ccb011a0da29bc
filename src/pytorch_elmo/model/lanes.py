"""Sentences side by side in lanes: a lane that ends one sentence begins the next.

All lanes run in step, so every step has the same shape and almost none of it is padding.
"""

import heapq
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

LANES = (1, 8, 32, 128)


class LanePlan(NamedTuple):
    """Where each sentence runs.

    lane, start: (num_sentences,) int64, its lane and the step at which it begins. num_steps: steps of the longest
    lane. num_lanes: one of `LANES`.
    """

    lane: NDArray[np.int64]
    start: NDArray[np.int64]
    num_steps: int
    num_lanes: int


def plan_lanes(lengths: NDArray[np.int64], num_lanes: int) -> LanePlan:
    """Longest sentence first, each to the lane that is least full.

    Args:
        lengths: (num_sentences,) int64, positions of each sentence, boundaries included.
        num_lanes: lanes to fill.
    """
    lane, start = np.zeros_like(lengths), np.zeros_like(lengths)
    filled = [(0, index) for index in range(num_lanes)]
    for sentence in np.argsort(-lengths, kind="stable"):
        used, index = filled[0]
        lane[sentence], start[sentence] = index, used
        heapq.heapreplace(filled, (used + int(lengths[sentence]), index))
    return LanePlan(lane, start, max(filled)[0], num_lanes)


def choose_num_lanes(lengths: NDArray[np.int64]) -> int:
    """As many lanes as the longest sentence leaves full."""
    full = int(lengths.sum()) / max(int(lengths.max()), 1)
    return max((count for count in LANES if count <= full), default=LANES[0])


def group_by_length(lengths: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Sentences in groups that fill their lanes: unusually long ones apart, so that they do not hold up the rest.

    Returns:
        Index arrays (any order) that together are all sentences.
    """
    limit = max(int(lengths.sum()) // LANES[-1], int(np.median(lengths)))
    groups = [np.flatnonzero(lengths <= limit), np.flatnonzero(lengths > limit)]
    return [group for group in groups if len(group)]


class LaneSteps(NamedTuple):
    """What the lanes read. places: (num_steps, num_lanes) int64, which token. restarts: for each step the lanes
    (int64) that begin a sentence, None where there are none.
    """

    places: Tensor
    restarts: list[Tensor | None]


def lane_steps(plan: LanePlan, sentences: list[NDArray[np.int64]], *, backward: bool) -> LaneSteps:
    """Lay token numbers of all sentences (boundaries included) into their lanes, reversed for the backward pass."""
    places = np.zeros((plan.num_steps, plan.num_lanes), dtype=np.int64)
    for lane, start, tokens in zip(plan.lane, plan.start, sentences, strict=True):
        places[start : start + len(tokens), lane] = tokens[::-1] if backward else tokens
    order = np.argsort(plan.start, kind="stable")
    steps, first = np.unique(plan.start[order], return_index=True)
    restarts: list[Tensor | None] = [None] * plan.num_steps
    for step, lanes in zip(steps.tolist(), np.split(plan.lane[order], first[1:]), strict=True):
        restarts[step] = torch.from_numpy(lanes)
    return LaneSteps(torch.from_numpy(places), restarts)
