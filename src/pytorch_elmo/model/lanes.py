"""Sentences side by side in lanes: a lane that ends one sentence begins the next.

All lanes run in step, so every step has the same shape and almost none of it is padding.
"""

import heapq
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

LANES = (1, 8, 16, 32, 64, 128)
# What a step costs beside its lanes, in lanes. Measured with the original shape, whose step takes 15 ms with 1 lane,
# 16 with 8, 19 with 16, 33 with 32, 61 with 64 and 114 with 128; the small shape's and the default model's are alike.
_STEP_OVERHEAD = 8
_SHARES = (0.5, 0.75, 0.9, 0.97)


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


def _cost(lengths: NDArray[np.int64], num_lanes: int) -> int:
    """Of running sentences in so many lanes: steps times what each costs."""
    num_steps = max(-(-int(lengths.sum()) // num_lanes), int(lengths.max()))
    return num_steps * (num_lanes + _STEP_OVERHEAD)


def choose_num_lanes(lengths: NDArray[np.int64]) -> int:
    """The cheapest number of lanes: more of them take fewer steps, until they stand empty beside the longest."""
    return min(LANES, key=lambda count: _cost(lengths, count))


def group_by_length(lengths: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Sentences in groups that are run one after the other: unusually long ones apart where that is cheaper.

    Returns:
        One or two index arrays (any order) that together are all sentences.
    """
    everything = [np.arange(len(lengths))]
    limits = {int(lengths.sum()) // LANES[-1], *np.quantile(lengths, _SHARES, method="lower").tolist()}
    splits = [[np.flatnonzero(lengths <= limit), np.flatnonzero(lengths > limit)] for limit in sorted(limits)]
    choices = [everything, *(split for split in splits if all(map(len, split)))]
    return min(choices, key=lambda groups: sum(_cheapest(lengths[group]) for group in groups))


def _cheapest(lengths: NDArray[np.int64]) -> int:
    return min(_cost(lengths, count) for count in LANES)


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
