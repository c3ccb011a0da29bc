"""Learning rates over a run."""

import math


def warmup_cosine(step: int, *, num_steps: int, warmup_steps: int, peak: float, final: float) -> float:
    """The rate at a step counted from 0: a linear rise to `peak`, then half a cosine down to `final`."""
    if step < warmup_steps:
        return peak * (step + 1) / warmup_steps
    share = (step - warmup_steps) / max(num_steps - warmup_steps, 1)
    return final + (peak - final) * 0.5 * (1.0 + math.cos(math.pi * min(share, 1.0)))
