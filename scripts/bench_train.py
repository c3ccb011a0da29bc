"""How much faster a tagger with a frozen ELMo trains here than with AllenNLP's own embedder, in one run.

    python scripts/bench_train.py [--steps 20] [--batch-size 32] [--text FILE] [--quick] [--json FILE]

AllenNLP's `simple_tagger` with a bidirectional LSTM of 200, on an ELMo of the original shape with random weights:
once with the embedder from AllenNLP's own module, once with this project's as a configuration gives it, and once with
this project's in stateful mode, which is AllenNLP's. All start from the same parameters, get the same batches and the
same random numbers, and take turns, step by step; a step is forward, backward and Adam. In stateful mode the losses
must be AllenNLP's to 1e-4. Batches are of the sentences as they come, then sorted by length, as a bucket sampler has
them. Without FILE (a tokenised sentence a line) the sentences are made up, of natural lengths. Goal: 3.
"""

import json
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import click
import torch
from allennlp.data import Batch, Instance, Token, Vocabulary
from allennlp.data.fields import SequenceLabelField, TextField
from allennlp.models import SimpleTagger
from allennlp.modules.seq2seq_encoders import LstmSeq2SeqEncoder
from allennlp.modules.text_field_embedders import BasicTextFieldEmbedder
from allennlp.modules.token_embedders.elmo_token_embedder import ElmoTokenEmbedder as AllenNlpsEmbedder

from bench.models import SHAPES, TINY, read_sentences, timed, write_model
from bench.sentences import sentences_of_natural_length
from pytorch_elmo.allennlp_plugin.token_embedder import ElmoTokenEmbedder
from pytorch_elmo.allennlp_plugin.token_indexer import ElmoCharactersIndexer

TOLERANCE = 1e-4
THEIRS, OURS, STATEFUL = "AllenNLP", "ours", "ours, stateful"
Figures = dict[str, float]


@dataclass
class Trained:
    """A model, its optimizer (PyTorch's Adam if None), and what its steps took and gave."""

    model: Any
    optimizer: Any = None
    seconds: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.optimizer is None:
            learned = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
            self.optimizer = torch.optim.Adam(learned, lr=1e-3)

    def take(self, batch: Any, seed: int) -> None:
        """One step, timed; dropout is drawn from the seed."""
        torch.manual_seed(seed)
        taken, loss = timed(lambda: self._step(batch))
        self.seconds.append(taken)
        self.losses.append(loss)

    def _step(self, batch: Any) -> float:
        self.optimizer.zero_grad()
        loss = self.model(**batch)["loss"]
        loss.backward()
        self.optimizer.step()
        return float(loss.detach())


def make_tagger(embedder: Any, vocabulary: Vocabulary) -> Any:
    """AllenNLP's tagger over one embedder, in training mode."""
    encoder = LstmSeq2SeqEncoder(embedder.get_output_dim(), 200, bidirectional=True)
    return SimpleTagger(vocabulary, BasicTextFieldEmbedder({"elmo": embedder}), encoder).train()


def make_models(files: tuple[Path, Path], vocabulary: Vocabulary) -> dict[str, Trained]:
    """The three taggers with equal parameters, under equal names."""
    options_file, weight_file = map(str, files)
    embedders = {
        THEIRS: AllenNlpsEmbedder(options_file, weight_file),
        OURS: ElmoTokenEmbedder(options_file, weight_file),
        STATEFUL: ElmoTokenEmbedder(options_file, weight_file, stateful=True),
    }
    models = {name: make_tagger(embedder, vocabulary) for name, embedder in embedders.items()}
    for model in models.values():
        model.load_state_dict(models[THEIRS].state_dict())
    return {name: Trained(model) for name, model in models.items()}


def make_instances(sentences: list[list[str]]) -> tuple[list[Instance], Vocabulary]:
    """Sentences with made-up tags that the words tell."""
    indexers = {"elmo": ElmoCharactersIndexer()}
    instances = []
    for words in sentences:
        text = TextField([Token(word) for word in words], indexers)
        tags = SequenceLabelField([str(len(word) % 5) for word in words], text)
        instances.append(Instance({"tokens": text, "tags": tags}))
    return instances, Vocabulary.from_instances(instances)


def make_batches(instances: list[Instance], vocabulary: Vocabulary, batch_size: int) -> list[Any]:
    batches = []
    for first in range(0, len(instances), batch_size):
        batch = Batch(instances[first : first + batch_size])
        batch.index_instances(vocabulary)
        batches.append(batch.as_tensor_dict())
    return batches


def compare(order: str, files: tuple[Path, Path], sentences: list[list[str]], batch_size: int) -> Figures:
    """Train all three on the same batches; seconds a step, ratios of all steps, and how far losses are apart."""
    instances, vocabulary = make_instances(sentences)
    models = make_models(files, vocabulary)
    for step, batch in enumerate(make_batches(instances, vocabulary, batch_size)):
        for trained in models.values():
            trained.take(batch, step)
    theirs = models[THEIRS]
    figures = {f"{order}, {name}, s a step": median(trained.seconds) for name, trained in models.items()}
    for name in (OURS, STATEFUL):
        # The first step packs weights and warms up; it is left out on both sides.
        figures[f"{order}, {name} / {THEIRS}"] = sum(theirs.seconds[1:]) / sum(models[name].seconds[1:])
    pairs = zip(theirs.losses, models[STATEFUL].losses, strict=True)
    figures[f"{order}, losses, stateful, largest difference"] = max(abs(one - other) for one, other in pairs)
    return figures


@click.command()
@click.option("--steps", default=20, show_default=True, help="Training steps in each order.")
@click.option("--batch-size", default=32, show_default=True)
@click.option("--text", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Real sentences.")
@click.option("--quick", is_flag=True, help="A tiny model and 4 steps, to see that it runs.")
@click.option("--json", "json_file", type=click.Path(path_type=Path))
def main(steps: int, batch_size: int, text: Path | None, quick: bool, json_file: Path | None) -> None:
    """Measure and print; fails if the losses are not AllenNLP's."""
    steps = 4 if quick else steps
    count = steps * batch_size
    sentences = sentences_of_natural_length(count) if text is None else read_sentences(text, count)
    figures: Figures = {"threads": float(torch.get_num_threads())}
    with tempfile.TemporaryDirectory() as folder:
        files = write_model(Path(folder), TINY if quick else SHAPES["original"])
        for order, ordered in (("as they come", sentences), ("sorted", sorted(sentences, key=len))):
            measured = compare(order, files, ordered, batch_size)
            for what, value in measured.items():
                click.echo(f"{what:52} {value:10.3f}" if value > 1e-3 else f"{what:52} {value:10.2e}")
            figures |= measured
    if json_file is not None:
        json_file.write_text(json.dumps(figures, indent=2), encoding="utf-8")
    if worst := [what for what, value in figures.items() if "difference" in what and not value <= TOLERANCE]:
        sys.exit(f"losses must be equal to {TOLERANCE}, these are not: {'; '.join(worst)}")


if __name__ == "__main__":
    main()
