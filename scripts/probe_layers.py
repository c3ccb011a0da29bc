"""What each layer of a model knows: parts of speech by a linear probe, word senses by the nearest neighbour.

    python scripts/probe_layers.py [MODEL] --tags FOLDER --output FOLDER

MODEL is a name or a folder, `default` if left out. The folder (or tar file) of --tags has *gold_conll files in
CoNLL-2012's columns below train, dev and test: column 5 is the tag, 7 and 8 are a predicate's lemma and sense. Probed
are the token layer, each LSTM layer, and their mix: learned together with the tagger's linear map; the plain mean for
senses, where nothing is learned. Tags: trained on train, the epoch chosen on dev; the baseline is each word's most
frequent tag. Senses: the mean vector of each sense in train, nearest by cosine; the baseline is the first, that is
most frequent, sense. Every predicate gets one answer, so precision, recall and F1 are the same number.

OUTPUT gets probes.json and the picture probes.png.
"""

import argparse
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from probes.data import SPLITS, Answers, Split, embed, half_width, read_splits
from probes.picture import draw
from probes.senses import SenseInventory, nearest_senses, right
from probes.tags import ProbeConfig, TagResult, most_frequent_tags, tag_ids, train_probe
from pytorch_elmo.embedder import ElmoEmbedder
from pytorch_elmo.errors import ConfigurationError, PytorchElmoError
from pytorch_elmo.files import whole_file
from pytorch_elmo.weights.load import model_hash

Layers = dict[str, Tensor]  # for each part (num_layers, num_tokens, dim)
MEASURED = ("dev", "test")
BASELINE, MIX = "baseline", "mix"


def layer_names(num_layers: int) -> list[str]:
    """The token layer, then the LSTM layers."""
    return ["token layer", *(f"LSTM {number}" for number in range(1, num_layers))]


def probe_tags(splits: dict[str, Split], layers: Layers, config: ProbeConfig) -> dict[str, Any]:
    """Accuracy of the baseline, of each layer, and of the learned mix; made for JSON."""
    targets = tag_ids({name: split.tags for name, split in splits.items()})
    train = splits["train"]
    found: dict[str, Any] = {BASELINE: {}}
    for name in MEASURED:
        guesses = most_frequent_tags(train.words, train.tags, splits[name].words)
        found[BASELINE][name] = score(np.array([a == b for a, b in zip(guesses, splits[name].tags, strict=True)]))
    for number, layer in enumerate(layer_names(len(layers["train"]))):
        one = {name: tensor[number : number + 1] for name, tensor in layers.items()}
        found[layer] = describe(train_probe(one, targets, config, label=layer))
    found[MIX] = describe(train_probe(layers, targets, config, label=MIX))
    return found


def describe(result: TagResult) -> dict[str, Any]:
    """A probe's accuracies, and how far its training had come to rest."""
    return {
        **{name: score(result.answers[name]) for name in SPLITS},
        "best_epoch": result.best_epoch,
        "training_losses": result.losses,
        "mix": result.mix,
    }


def probe_senses(splits: dict[str, Split], layers: Layers) -> dict[str, Any]:
    """F1 of the baseline, of each layer, and of the layers' mean; made for JSON."""
    train = splits["train"].predicates
    inventory = SenseInventory(train)
    found: dict[str, Any] = {
        BASELINE: {
            name: sense_scores(
                right([inventory.first(p.lemma) for p in splits[name].predicates], splits[name].predicates),
                splits[name],
                inventory,
            )
            for name in MEASURED
        }
    }
    at_predicates = {
        name: tensor[:, [predicate.position for predicate in splits[name].predicates]].float()
        for name, tensor in layers.items()
    }
    for number, layer in enumerate([*layer_names(len(layers["train"])), MIX]):
        vectors = {
            name: tensor.mean(dim=0) if layer == MIX else tensor[number] for name, tensor in at_predicates.items()
        }
        found[layer] = {}
        for name in MEASURED:
            asked = splits[name].predicates
            answers = nearest_senses(inventory, train, vectors["train"], asked, vectors[name])
            found[layer][name] = sense_scores(right(answers, asked), splits[name], inventory)
    return found


def sense_scores(answers: Answers, split: Split, inventory: SenseInventory) -> dict[str, Any]:
    """The score of all predicates, and of those alone whose lemma has several senses in train."""
    several = np.array([len(inventory.senses(predicate.lemma)) > 1 for predicate in split.predicates])
    known = sum(predicate.lemma in inventory for predicate in split.predicates)
    return {**score(answers), "known_lemmas": known, "several_senses": score(answers[several])}


def score(answers: Answers) -> dict[str, Any]:
    """Share of right answers, how many there were, and half of the share's 95 % interval."""
    share = float(answers.mean()) if len(answers) else 0.0
    return {"score": share, "count": len(answers), "half_width": half_width(share, max(len(answers), 1))}


def measure(source: Path, model: str, config: ProbeConfig) -> dict[str, Any]:
    """Everything, made for JSON.

    Raises:
        PytorchElmoError: the data or the model cannot be read.
    """
    splits = read_splits(source)
    embedder = ElmoEmbedder.from_pretrained(model)
    layers = {name: embed(embedder, split, name) for name, split in splits.items()}
    return {
        "model": {"name": model, "hash": model_hash(embedder.bilm)},
        "data": {
            name: {"sentences": len(split.sentences), "tokens": len(split.tags), "predicates": len(split.predicates)}
            for name, split in splits.items()
        },
        "tags": probe_tags(splits, layers, config),
        "senses": probe_senses(splits, layers),
    }


def table(results: dict[str, Any]) -> str:
    """One line a layer, in percent; on test with half of the 95 % interval."""
    lines = [
        f"{'':12} {'tags':>20} {'senses':>22} {'of several senses':>22}",
        f"{'':12} {'dev':>7} {'test':>13} {'dev':>8} {'test':>13} {'dev':>8} {'test':>13}",
    ]
    for layer, tags in results["tags"].items():
        senses = results["senses"][layer]
        several = {name: senses[name]["several_senses"] for name in MEASURED}
        columns = [
            f"{_percent(part['dev']):>8} {_percent_of_test(part['test']):>13}" for part in (tags, senses, several)
        ]
        lines.append(f"{layer:12}" + " ".join(columns))
    mix = ", ".join(f"{weight:.2f}" for weight in results["tags"][MIX]["mix"])
    return "\n".join([*lines, f"weights of the layers in the tagger's mix: {mix}"])


def _percent(part: dict[str, Any]) -> str:
    return f"{100 * part['score']:.2f}"


def _percent_of_test(part: dict[str, Any]) -> str:
    return f"{_percent(part)} ± {100 * part['half_width']:.2f}"


def check(output: Path) -> None:
    """What would fail after minutes of computing.

    Raises:
        ConfigurationError: there is nothing to draw with, or OUTPUT is no folder.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise ConfigurationError("the picture needs matplotlib, which is missing; pip install pytorch-elmo[pictures]")
    if output.exists() and not output.is_dir():
        raise ConfigurationError(f"--output must be a folder, {output} is a file; name another")


def main() -> None:
    """Read the arguments, probe, print the table, write the numbers and the picture."""
    parser = argparse.ArgumentParser(description="What each layer of a model knows of tags and senses.")
    parser.add_argument("model", nargs="?", default="default", help="a model's name or folder")
    parser.add_argument("--tags", type=Path, required=True, help="folder or tar file with *gold_conll files")
    parser.add_argument("--output", type=Path, required=True, help="folder for probes.json and probes.png")
    parser.add_argument("--epochs", type=int, default=ProbeConfig.num_epochs, help="of each linear probe")
    parser.add_argument(
        "--seed", type=int, default=ProbeConfig.seed, help="of the probes' first parameters and order"
    )
    arguments = parser.parse_args()
    try:
        if arguments.epochs < 1:
            raise ConfigurationError(f"--epochs must be at least 1, got {arguments.epochs}; leave it out")
        check(arguments.output)
        config = ProbeConfig(num_epochs=arguments.epochs, seed=arguments.seed)
        results = measure(arguments.tags, arguments.model, config)
        arguments.output.mkdir(parents=True, exist_ok=True)
        draw(results, arguments.output / "probes.png")
        with whole_file(arguments.output / "probes.json") as partial:
            partial.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    except (PytorchElmoError, OSError) as error:
        sys.exit(f"error: {error}")
    print(table(results))


if __name__ == "__main__":
    main()
