"""The runs behind docs/results.md, as data: tasks, what a run of each is, and what is compared on them.

Both sides of a comparison have the same data, seeds, epochs, sizes and hyper-parameters: those of the task's
configuration in configs/, but for what stands here. Epochs are fixed, so that a run is the same on any machine; the
best on the development part is the one that is scored on test. They were chosen for the minutes that a run may take
on one core.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from table.variants import ABLATIONS, ADVICE, BASELINE, ELMO, FIXED, STATES, Features, Json, Variant

MODEL = "default"
WORD_VECTORS = "swivel-100"  # beside ELMo; a name or folder that scripts/prepare_glove.py takes, or a file of GloVe's
WORD_VECTORS_DIM = 100
SEEDS = (1, 2, 3)  # of the quick tasks; the others have the first
COMPARED_SEEDS = (1, 2)  # of what is compared with + ELMo: 11 variants on two tasks
SHARES = (1, 2, 5, 10, 20, 50)  # percent of the training data
# Word vectors are trained along, so that a word that has none does not keep a random one.
TRAINED = {"model.text_field_embedder.token_embedders.tokens.trainable": True}


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task of the table.

    Attributes:
        name: of its configuration.
        title: on the page.
        metric: its figure, by AllenNLP's name.
        metric_title: on the page.
        epochs: of both sides.
        budget: minutes that a run may take on one core.
        minutes: that it takes, without and with ELMo: measured on some batches, on an AMD Zen 4 server whose other
            work slowed it by an unknown part; told until there are records.
        sizes: variables of the configuration.
        overrides: other settings of it, by their paths.
        seeds: one run each.
        paper: the baseline's and ELMo's figures in Peters et al. 2018, table 1.
        data: which data, and what differs from the papers' settings.
        batches: of an epoch; for runs on a share of the data, which have as many updates.
    """

    name: str
    title: str
    metric: str
    metric_title: str
    epochs: int
    budget: int
    minutes: tuple[float, float]
    sizes: dict[str, str]
    data: str
    overrides: Json = field(default_factory=dict)
    seeds: tuple[int, ...] = SEEDS
    paper: tuple[float, float] | None = None
    batches: int = 0


@dataclass(frozen=True, kw_only=True)
class Run:
    """One training and its scores."""

    task: Task
    variant: Variant
    seed: int
    share: int = 100

    @cached_property
    def name(self) -> str:
        """Of its file in docs/results/."""
        share = "" if self.share == 100 else f"-{self.share}pc"
        return f"{self.task.name}-{self.variant.name}{share}-{self.seed}"

    @property
    def part(self) -> str:
        """Whose figure it gives: what is compared with + ELMo does not see test, for it serves to choose."""
        return "test" if self.variant in (BASELINE, ELMO) else "validation"

    @property
    def variables(self) -> dict[str, str]:
        """What the configuration takes from the environment, but for paths."""
        epochs = str(self.task.epochs)
        own = {"EPOCHS": epochs, "PATIENCE": epochs, "WORD_VECTORS_DIM": str(WORD_VECTORS_DIM)}
        return own | self.task.sizes | self.variant.variables

    def overrides(self, features: Features) -> Json:
        """What differs from the configuration, by its path."""
        seeds = {f"{name}_seed": self.seed for name in ("random", "numpy", "pytorch")}
        change = self.variant.overrides.get(self.task.name)
        changes = change(features) if change else {}
        share = {"data_loader.batches_per_epoch": self.task.batches} if self.share < 100 else {}
        return {**self.task.overrides, **changes, **share, **seeds}


def _sizes(width: int, layers: int, batch_size: int, **others: str) -> dict[str, str]:
    return {"WIDTH": str(width), "LAYERS": str(layers), "BATCH_SIZE": str(batch_size), **others}


_TEXTS = {"WIDTH": "100", "BATCH_SIZE": "32", "TOKENIZER": "just_spaces", "MAX_TOKENS": "200"}
TASKS = (
    Task(
        name="ner",
        title="NER (BC5CDR)",
        metric="f1-measure-overall",
        metric_title="span F1",
        epochs=12,
        budget=15,
        minutes=(11.6, 11.6),
        sizes=_sizes(100, 2, 32),
        batches=143,
        paper=(90.15, 92.22),
        data="BC5CDR, chemicals and diseases; the paper's is CoNLL-2003. LSTM 100 wide instead of 200.",
    ),
    Task(
        name="sst5",
        title="SST-5",
        metric="accuracy",
        metric_title="accuracy",
        epochs=15,
        budget=15,
        minutes=(7.0, 7.1),
        sizes=_sizes(100, 1, 32),
        overrides={
            "dataset_reader.use_subtrees": False,
            "dataset_reader.token_indexers.tokens.lowercase_tokens": True,
            "validation_dataset_reader.token_indexers.tokens.lowercase_tokens": True,
            **TRAINED,
        },
        paper=(51.4, 54.7),
        data="The 8,544 whole sentences of the training part, without their subtrees. LSTMs 100 wide instead of 300.",
    ),
    Task(
        name="scicite",
        title="SciCite",
        metric="macro-f1",
        metric_title="macro F1",
        epochs=8,
        budget=15,
        minutes=(2.5, 3.5),
        sizes=_TEXTS,
        data="The official three parts; not a task of the paper.",
    ),
    Task(
        name="imdb",
        title="IMDB",
        metric="accuracy",
        metric_title="accuracy",
        epochs=8,
        budget=15,
        minutes=(5, 7),
        sizes=_TEXTS,
        data="5,000 reviews to train on, 1,000 held out, the whole test part, each cut at 200 tokens; not a task of "
        "the paper.",
    ),
    Task(
        name="snli",
        title="SNLI",
        metric="accuracy",
        metric_title="accuracy",
        epochs=15,
        budget=30,
        minutes=(19.8, 21.7),
        sizes=_sizes(100, 1, 32, TOKENIZER="just_spaces"),
        seeds=SEEDS[:1],
        paper=(88.0, 88.7),
        data="24,495 of the 549,367 training pairs; development and test whole. ESIM 100 wide instead of 300.",
    ),
    Task(
        name="srl",
        title="SRL (EWT)",
        metric="f1-measure-overall",
        metric_title="span F1",
        epochs=50,
        budget=75,
        minutes=(44, 61),
        sizes=_sizes(200, 2, 40, SRL_SCORER="official"),
        seeds=SEEDS[:1],
        paper=(81.4, 84.6),
        data="PropBank on the English Web Treebank, 3,220 sentences of the training part with 10,010 predicates; the "
        "paper's is OntoNotes. 2 layers of 200 instead of 8 of 300.",
    ),
    Task(
        name="squad",
        title="SQuAD (by article)",
        metric="f1",
        metric_title="F1",
        epochs=12,
        budget=75,
        minutes=(48, 68),
        sizes=_sizes(50, 1, 20, TOKENIZER="letters_digits"),
        overrides=TRAINED,
        seeds=SEEDS[:1],
        paper=(81.1, 85.8),
        data="The 48 articles of the development part of SQuAD 1.1, split by article: 36 to train on, 4 held out, 8 "
        "to test. BiDAF 50 wide with one modelling layer, instead of 100 with two.",
    ),
    Task(
        name="coref",
        title="Coreference (LitBank)",
        metric="coref_f1",
        metric_title="mean F1 of MUC, B³, CEAF",
        epochs=10,
        budget=75,
        minutes=(30, 63),
        sizes=_sizes(100, 1, 1),
        overrides={
            "dataset_reader.remove_singleton_clusters": True,
            "model.spans_per_word": 0.25,
            "model.max_antecedents": 50,
            **TRAINED,
        },
        seeds=SEEDS[:1],
        paper=(67.2, 70.4),
        data="LitBank, novels, without chains of one mention; the paper's is OntoNotes, which has none. LSTM 100 "
        "wide instead of 200, 0.25 spans a word and 50 antecedents instead of 0.4 and 100.",
    ),
)
BY_NAME = {task.name: task for task in TASKS}


def _sides(task: Task) -> Iterator[Run]:
    for seed in task.seeds:
        for variant in (BASELINE, ELMO):
            yield Run(task=task, variant=variant, seed=seed)


def _shares(task: Task) -> Iterator[Run]:
    for share in SHARES:
        for variant in (BASELINE, ELMO):
            yield Run(task=task, variant=variant, seed=SEEDS[0], share=share)


def _compared(variants: tuple[Variant, ...], *names: str, seeds: tuple[int, ...] = COMPARED_SEEDS) -> Iterator[Run]:
    for name in names:
        for seed in seeds:
            for variant in variants:
                if variant.suits(name):
                    yield Run(task=BY_NAME[name], variant=variant, seed=seed)


def groups() -> dict[str, tuple[Run, ...]]:
    """What may be asked for by name: a task's two sides, and what is compared beyond them."""
    named: dict[str, Any] = {task.name: _sides(task) for task in TASKS}
    named["shares"] = _shares(BY_NAME["ner"])
    named["ablations"] = _compared(ABLATIONS, "ner", "sst5")
    named["states"] = _compared(STATES, "ner", "sst5")
    named["advice"] = _compared(ADVICE, "ner", "sst5")
    named["fixed"] = _compared(FIXED, "sst5", seeds=SEEDS)
    return {name: tuple(runs) for name, runs in named.items()}
