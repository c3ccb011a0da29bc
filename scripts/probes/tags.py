"""Part of speech read off a layer by one linear map (Peters et al. 2018, section 5.3, table 6)."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from probes.data import SPLITS, Answers
from pytorch_elmo.elmo import ScalarMix

UNSEEN_TAG_ID = -1  # of tags that train does not have: never predicted


@dataclass(frozen=True, kw_only=True)
class ProbeConfig:
    """How a probe is trained: cross entropy, Adam, and a rate that falls to zero along a cosine.

    Inputs are standardised by the training part's mean and deviation, which changes no linear map's reach and lets
    one rate serve all layers. The epoch that is best on dev is kept.
    """

    num_epochs: int = 40
    batch_size: int = 1024
    learning_rate: float = 0.01
    seed: int = 0


class Probe(nn.Module):
    """A linear map from one layer, or from a learned mix of several, to a score for each tag."""

    def __init__(self, layers: Tensor, num_tags: int) -> None:
        """`layers`: (num_layers, num_tokens, dim), the training part, for the standardisation."""
        super().__init__()
        stacked = [layer.float() for layer in layers]
        self.mean = torch.stack([layer.mean(dim=0) for layer in stacked])
        self.deviation = torch.stack([layer.std(dim=0).clamp(min=1e-6) for layer in stacked])
        self.mix = ScalarMix(len(layers)) if len(layers) > 1 else None
        self.linear = nn.Linear(layers.shape[-1], num_tags)

    def forward(self, layers: Tensor) -> Tensor:
        """(num_layers, num_tokens, dim) in half precision to (num_tokens, num_tags)."""
        vectors = (layers.float() - self.mean.unsqueeze(1)) / self.deviation.unsqueeze(1)
        scores: Tensor = self.linear(vectors[0] if self.mix is None else self.mix(list(vectors)))
        return scores


class TagResult(NamedTuple):
    """A probe's answers by part, the mean training loss of each epoch in nats, the epoch kept, the mix if any."""

    answers: dict[str, Answers]
    losses: list[float]
    best_epoch: int
    mix: list[float] | None


def tag_ids(tags: dict[str, list[str]]) -> dict[str, Tensor]:
    """The tags of each part as numbers, those of train in alphabetical order."""
    numbers = {tag: number for number, tag in enumerate(sorted(set(tags["train"])))}
    return {name: torch.tensor([numbers.get(tag, UNSEEN_TAG_ID) for tag in found]) for name, found in tags.items()}


def train_probe(
    layers: dict[str, Tensor], targets: dict[str, Tensor], config: ProbeConfig, *, label: str
) -> TagResult:
    """Train on train, choose the epoch on dev, and answer every part.

    Args:
        layers: for each part (num_layers, num_tokens, dim); one layer, or several to be mixed.
        targets: for each part (num_tokens,) int64.
        config: how it is trained.
        label: what is probed, for the progress bar.
    """
    torch.manual_seed(config.seed)
    probe = Probe(layers["train"], int(targets["train"].max()) + 1)
    num_batches = -(-len(targets["train"]) // config.batch_size)
    optimizer = torch.optim.Adam(probe.parameters(), lr=config.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.num_epochs * num_batches)
    losses, best, best_epoch, kept = [], -1.0, 0, probe.state_dict()
    for epoch in tqdm(range(1, config.num_epochs + 1), desc=f"probing {label}", unit="epoch"):
        total = 0.0
        for batch in torch.randperm(len(targets["train"])).split(config.batch_size):
            loss = F.cross_entropy(probe(layers["train"][:, batch]), targets["train"][batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(batch)
        losses.append(total / len(targets["train"]))
        if (accuracy := float(answer(probe, layers["dev"], targets["dev"]).mean())) > best:
            best, best_epoch = accuracy, epoch
            kept = {name: tensor.clone() for name, tensor in probe.state_dict().items()}
    probe.load_state_dict(kept)
    return TagResult(
        {name: answer(probe, layers[name], targets[name]) for name in SPLITS},
        losses,
        best_epoch,
        None if probe.mix is None else probe.mix.weights.tolist(),
    )


@torch.no_grad()
def answer(probe: Probe, layers: Tensor, targets: Tensor) -> Answers:
    """Which tokens are tagged right, (num_tokens,) bool."""
    right = [
        probe(layers[:, start : start + 8192]).argmax(dim=-1) == targets[start : start + 8192]
        for start in range(0, len(targets), 8192)
    ]
    found: NDArray[np.bool_] = torch.cat(right).numpy()
    return found


def most_frequent_tags(train_words: Sequence[str], train_tags: Sequence[str], words: Sequence[str]) -> list[str]:
    """Each word's most frequent tag in train; of a word that is not there, the most frequent tag of all."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for word, tag in zip(train_words, train_tags, strict=True):
        counts[word][tag] += 1
    best = {word: _first(found) for word, found in counts.items()}
    fallback = _first(Counter(train_tags))
    return [best.get(word, fallback) for word in words]


def _first(counts: Counter[str]) -> str:
    """The most frequent, the first in alphabetical order of equals."""
    return min(counts, key=lambda name: (-counts[name], name))
