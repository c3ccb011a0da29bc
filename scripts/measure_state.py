"""What a sentence should begin with: zeros, a warmed state, a learned one, or the state that was carried to it.

    python scripts/measure_state.py [MODEL] --train TEXT... --heldout TEXT... --output FOLDER [--tags FOLDER]

MODEL has a softmax; `default` if left out. TEXT is prose, a paragraph a line, or as --tokenizer says. Warmed: the
mean of the states in which 2,000 sentences of --train end. Learned: a start state trained there, all else frozen.
Carried: as bilm-tf's training and as AllenNLP's stateful modules, in 32 rows. Perplexity is measured on --heldout: of
all sentences, of those of at most 10 tokens and of those of more than 30. With --tags, data as for
scripts/probe_layers.py, the task is part-of-speech tagging by a linear map of all layers' learned mix. OUTPUT gets
states.json, and the model with either state as the folders `warmed` and `learned`.
"""

import argparse
import copy
import json
import math
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

from probe_layers import MIX, describe
from probes.data import embed, read_splits
from probes.tags import ProbeConfig, tag_ids, train_probe
from pytorch_elmo.embedder import ElmoEmbedder
from pytorch_elmo.errors import PytorchElmoError
from pytorch_elmo.files import whole_file
from pytorch_elmo.model import BiLM
from pytorch_elmo.model.bidirectional_lstm import LstmState
from pytorch_elmo.model.softmax import Softmax
from pytorch_elmo.pretraining.config import CorpusConfig, OptimizerConfig, PretrainingConfig
from pytorch_elmo.pretraining.corpus import Corpus, prepare_corpora
from pytorch_elmo.pretraining.scoring import Scorer
from pytorch_elmo.pretraining.trainer import StartModel, Trainer
from pytorch_elmo.text import batch_to_ids
from pytorch_elmo.weights.language_model import LanguageModel, load_language_model
from pytorch_elmo.weights.load import save_pretrained
from pytorch_elmo.weights.own_format import save_softmax

SHORT, LONG = 10, 30
ROWS = 32  # that carry a state side by side
WARMED_BY = 2000  # sentences, whose mean is steady by then
LENGTHS = ("all", f"at most {SHORT} tokens", f"more than {LONG} tokens")
CARRIED = {"carried as bilm-tf": "bilm-tf", "carried as AllenNLP": "allennlp"}
Figures = dict[str, float]


@torch.no_grad()
def warmed_state(bilm: BiLM, sentences: list[list[str]]) -> LstmState:
    """The mean state at the ends of sentences, closing marks read, one row."""
    total, count = bilm.lstm.zero_state(1), 0
    for first in range(0, len(sentences), 64):
        batch = [sentence for sentence in sentences[first : first + 64] if sentence]
        final = bilm(batch_to_ids(batch)).state
        total = LstmState(*(a + b.sum(dim=1, keepdim=True) for a, b in zip(total, final, strict=True)))
        count += len(batch)
    return LstmState(*(part / count for part in total))


def learned_state(model: LanguageModel, corpus: Corpus, steps: int) -> LstmState:
    """A start state trained with everything else frozen."""
    config = PretrainingConfig(
        model=model.bilm.config,
        corpus=CorpusConfig(train=["in memory"]),
        optimizer=OptimizerConfig(learning_rate=0.02, warmup_steps=20, gradient_clip=math.inf),
        num_steps=steps,
        softmax_only_steps=steps,  # the biLM is frozen; of the rest, the optimizer below moves the start alone
        batch_size=64,
        num_negatives=min(2048, len(model.vocabulary) - 1),
        dropout=0.0,
        sentence_restart_probability=1.0,
        learn_start_state=True,
    )
    assert isinstance(model.softmax, Softmax)
    start = StartModel(copy.deepcopy(model.bilm), model.softmax, model.vocabulary)
    trainer = Trainer(config, corpus, model.vocabulary, start=start)
    state = trainer.bilm.lstm.start
    assert state is not None
    trainer.optimizer = torch.optim.AdamW(list(state), weight_decay=0.0)
    for step in range(steps):
        report = trainer.train_step()
        if step % 50 == 49:
            print(
                f"learning, step {step + 1}: loss {report.forward_loss + report.backward_loss:.4f}", file=sys.stderr
            )
    return LstmState(*(part.detach().clone() for part in state))


def perplexities(model: LanguageModel, sentences: list[list[str]], rule: str) -> Figures:
    """Of both directions together, by the sentences' length."""
    sums = dict.fromkeys(LENGTHS, 0.0)
    counts = dict.fromkeys(LENGTHS, 0)
    for scores in Scorer(model, state=rule, batch_size=None if rule == "start" else ROWS)(sentences):
        length = len(scores.tokens)
        for name, wanted in zip(LENGTHS, (True, length <= SHORT, length > LONG), strict=True):
            if wanted:
                sums[name] -= (scores.forward.sum() + scores.backward.sum()) / 2
                counts[name] += length + 1
    return {name: math.exp(sums[name] / max(counts[name], 1)) for name in LENGTHS}


def tagging(embedder: ElmoEmbedder, source: Path) -> Figures:
    """Accuracy on dev and test."""
    splits = read_splits(source)
    layers = {name: embed(embedder, split, name) for name, split in splits.items()}
    targets = tag_ids({name: split.tags for name, split in splits.items()})
    found = describe(train_probe(layers, targets, ProbeConfig(), label=MIX))
    return {name: found[name]["score"] for name in ("dev", "test")}


def variants(model: LanguageModel, corpus: Corpus, steps: int) -> dict[str, BiLM]:
    """The biLM with each start state."""
    found = {"zeros": copy.deepcopy(model.bilm)}
    found["zeros"].lstm.start = None
    for name in ("warmed", "learned"):
        found[name] = copy.deepcopy(found["zeros"])
    everywhere = range(0, corpus.num_sentences, max(corpus.num_sentences // WARMED_BY, 1))
    found["warmed"].lstm.start = warmed_state(found["zeros"], [corpus.tokens_of(index) for index in everywhere])
    found["learned"].lstm.start = learned_state(model._replace(bilm=found["zeros"]), corpus, steps)
    return found


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Everything, made for JSON."""
    model = load_language_model(arguments.model)
    with tempfile.TemporaryDirectory() as folder:
        texts = CorpusConfig(train=arguments.train, validation=arguments.heldout, tokenizer=arguments.tokenizer)
        corpora = prepare_corpora(texts, Path(folder))
        assert corpora.validation is not None
        count = min(corpora.validation.num_sentences, arguments.sentences)
        heldout = [corpora.validation.tokens_of(index) for index in range(count)]
        bilms = variants(model, corpora.train, arguments.steps)
        runs = [(name, bilm, "start") for name, bilm in bilms.items()]
        runs += [(name, bilms["zeros"], rule) for name, rule in CARRIED.items()]
        results: dict[str, Any] = {"sentences": len(heldout), "perplexity": {}, "tagging": {}}
        for name, bilm, rule in runs:
            print(f"measuring: {name}", file=sys.stderr)
            results["perplexity"][name] = perplexities(model._replace(bilm=bilm), heldout, rule)
    if arguments.tags is not None:
        for name, bilm in bilms.items():
            results["tagging"][name] = tagging(ElmoEmbedder(model=bilm), arguments.tags)
        carried = ElmoEmbedder(model=bilms["zeros"], stateful=True, batch_size=64)
        results["tagging"]["carried as AllenNLP"] = tagging(carried, arguments.tags)
    for name in ("warmed", "learned"):
        save_pretrained(bilms[name], arguments.output / name)
        assert isinstance(model.softmax, Softmax)
        save_softmax(model.softmax, model.vocabulary, arguments.output / name / "softmax.safetensors")
    return results


def table(results: dict[str, Any]) -> str:
    """One line a state."""
    lines = [f"{'':20}" + "".join(f"{name:>22}" for name in LENGTHS) + f"{'tags dev':>10}{'test':>8}"]
    for name, found in results["perplexity"].items():
        tags = results["tagging"].get(name)
        scores = f"{tags['dev']:10.2%}{tags['test']:8.2%}" if tags else ""
        lines.append(f"{name:20}" + "".join(f"{found[length]:22.2f}" for length in LENGTHS) + scores)
    return "\n".join(lines)


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description="What a sentence should begin with.")
    parser.add_argument("model", nargs="?", default="default", help="a model's name or folder")
    parser.add_argument("--train", required=True, nargs="+", help="text to warm and learn on")
    parser.add_argument("--heldout", required=True, nargs="+", help="text to measure on")
    parser.add_argument("--output", type=Path, required=True, help="folder for states.json and the models")
    parser.add_argument("--tags", type=Path, help="folder or tar file with *gold_conll files")
    parser.add_argument("--tokenizer", choices=["moses", "whitespace"], default="moses")
    parser.add_argument("--steps", type=int, default=300, help="of learning")
    parser.add_argument("--sentences", type=int, default=4000, help="of each text, at most")
    arguments = parser.parse_args()
    try:
        results = measure(arguments)
        arguments.output.mkdir(parents=True, exist_ok=True)
        with whole_file(arguments.output / "states.json") as partial:
            partial.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    except (PytorchElmoError, OSError) as error:
        sys.exit(f"error: {error}")
    print(table(results))


if __name__ == "__main__":
    main()
