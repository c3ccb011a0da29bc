"""What `elmo pretrain` is told: one JSON or jsonnet file, read strictly."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.model import BiLMConfig
from pytorch_elmo.weights.load import load_pretrained
from pytorch_elmo.weights.options import format_options, parse_options

OptimizerName = Literal["adamw", "adagrad"]
Precision = Literal["fp32", "bf16"]
Section = TypeVar("Section")


@dataclass(frozen=True, kw_only=True)
class CorpusConfig:
    """Text for training and validation: paths, globs and folders, relative to the working folder.

    Attributes:
        train: plain text, compressed text, tar archives, tables, folders of these, saved datasets.
        validation: text that is read as `train` is and never trained on.
        validation_share: of `train`, documents that are taken out for validation, chosen by a hash of their content.
        validation_seed: of that choice.
        documents: what ends a document: a file, a blank line (or a file), or each line. A row of a table is one.
        tokenizer: whitespace: one tokenised sentence a line. moses: raw prose, one paragraph a line.
        vocabulary_file: the words to predict, by frequency; None: those of the training text.
        vocabulary_size: words at most, the three special ones counted.
        vocabulary_min_count: occurrences that a word needs.
        field: the column of tables that holds the text.
    """

    train: list[str]
    validation: list[str] = field(default_factory=list)
    validation_share: float = 0.0
    validation_seed: int = 0
    documents: Literal["file", "blank_line", "line"] = "file"
    tokenizer: Literal["whitespace", "moses"] = "whitespace"
    vocabulary_file: str | None = None
    vocabulary_size: int | None = None
    vocabulary_min_count: int = 1
    field: str | None = None

    def __post_init__(self) -> None:
        if not self.train:
            raise ConfigurationError("corpus.train must name text, got []; give paths, globs or folders")
        if not 0 <= self.validation_share < 1:
            raise ConfigurationError(
                f"corpus.validation_share must be at least 0 and below 1, got {self.validation_share}; 0.01 is 1 %"
            )
        if self.vocabulary_min_count < 1:
            raise ConfigurationError(
                f"corpus.vocabulary_min_count must be at least 1, got {self.vocabulary_min_count}; 1 keeps all words"
            )
        if self.vocabulary_size is not None and self.vocabulary_size < 4:
            raise ConfigurationError(
                f"corpus.vocabulary_size must be at least 4 (<S>, </S>, <UNK>, a word), got {self.vocabulary_size}; "
                "raise it"
            )

    @property
    def reading(self) -> dict[str, Any]:
        """The settings on which the sentences of a corpus depend, beside its files."""
        names = ("tokenizer", "documents", "field", "validation_share", "validation_seed")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    """AdamW with warm-up and cosine decay, or Adagrad as the authors' (elmo-spec 7.6).

    `gradient_clip` bounds the global norm. With adagrad the loss is multiplied by `unroll_steps`, as the authors
    did, accumulators begin at 1.0, and the rate is constant.
    """

    name: OptimizerName = "adamw"
    learning_rate: float = 2e-3
    final_learning_rate: float = 0.0
    warmup_steps: int = 500
    weight_decay: float = 0.0
    gradient_clip: float = 1.0

    def __post_init__(self) -> None:
        for name in ("learning_rate", "gradient_clip"):
            if getattr(self, name) <= 0:
                raise ConfigurationError(f"optimizer.{name} must be above 0, got {getattr(self, name)}")
        for name in ("final_learning_rate", "warmup_steps", "weight_decay"):
            if getattr(self, name) < 0:
                raise ConfigurationError(f"optimizer.{name} must not be below 0, got {getattr(self, name)}")


_COUNTS = ("num_steps", "batch_size", "unroll_steps", "accumulation_steps",
           "checkpoint_every", "keep_checkpoints", "validate_every", "report_every")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class PretrainingConfig:
    """Everything that decides what a training run computes.

    `batch_size` counts the rows of all processes. `num_negatives` null means no sampling: the full softmax, or with
    `adaptive_cutoffs`, ids at which a cluster of rarer words begins, the adaptive one. A step's gradient is the mean
    over `accumulation_steps` windows of `unroll_steps` tokens. `sentence_restart_probability` is the share of
    sentences that begin anew in training instead of going on from the state before them (0: as the authors'): from
    zeros, or with `learn_start_state` from a state that is trained with the rest and stays with the model.
    `validate_every` steps the perplexity of the validation text is measured; the best model is kept.

    Fine-tuning: `start_from` names the model whose biLM the run begins with (and whose softmax, where it has one,
    for the words of both vocabularies); the softmax is trained alone for `softmax_only_steps`.
    """

    model: BiLMConfig
    corpus: CorpusConfig
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    num_steps: int
    batch_size: int = 128
    unroll_steps: int = 20
    accumulation_steps: int = 1
    precision: Precision = "fp32"
    num_negatives: int | None = 8192
    adaptive_cutoffs: list[int] | None = None
    dropout: float = 0.1
    sentence_restart_probability: float = 0.0
    learn_start_state: bool = False
    start_from: str | None = None
    softmax_only_steps: int = 0
    seed: int = 0
    checkpoint_every: int = 1000
    keep_checkpoints: int = 2
    validate_every: int = 1000
    report_every: int = 50

    def __post_init__(self) -> None:
        for name in _COUNTS:
            if getattr(self, name) < 1:
                raise ConfigurationError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 0.0 <= self.dropout < 1.0:
            raise ConfigurationError(f"dropout is a share from 0 to below 1, got {self.dropout}")
        if not 0.0 <= self.sentence_restart_probability <= 1.0:
            raise ConfigurationError(
                f"sentence_restart_probability is a share from 0 to 1, got {self.sentence_restart_probability}"
            )
        if self.learn_start_state and not self.sentence_restart_probability:
            raise ConfigurationError(
                "a start state is learned where sentences begin anew; set sentence_restart_probability above 0, got 0"
            )
        if self.adaptive_cutoffs is not None and self.num_negatives is not None:
            raise ConfigurationError(
                f"an adaptive softmax is not sampled, got num_negatives {self.num_negatives}; set it to null"
            )

    def to_json(self) -> dict[str, Any]:
        """The configuration as it would stand in a file."""
        return {**asdict(self), "model": format_options(self.model)}


def read_config(path: Path) -> PretrainingConfig:
    """The configuration in a .json or .jsonnet file.

    Raises:
        ConfigurationError: unreadable, not JSON, or with keys unknown, missing or of the wrong type.
    """
    try:
        text = path.read_text(encoding="utf-8")
        document = json.loads(_evaluate(path, text) if path.suffix == ".jsonnet" else text)
    except OSError as error:
        raise ConfigurationError(f"cannot read the configuration {path}: {error.strerror}") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ConfigurationError(f"the configuration {path} is not JSON: {error}") from error
    try:
        return parse_config(document)
    except ConfigurationError as error:
        raise ConfigurationError(f"{path}: {error}") from error


def parse_config(document: Any) -> PretrainingConfig:
    """As `read_config`, from parsed JSON."""
    if not isinstance(document, dict):
        raise ConfigurationError(f"a configuration is a JSON object, got {document!r}")
    nested = dict(document)
    if isinstance(nested.get("start_from"), str) and "model" not in nested:
        nested["model"] = format_options(load_pretrained(nested["start_from"]).config)
    for name, parse in (("model", parse_options), ("corpus", _corpus), ("optimizer", _optimizer)):
        if name in nested:
            nested[name] = parse(nested[name])
    return _section(PretrainingConfig, nested, "configuration")


def _evaluate(path: Path, text: str) -> str:
    try:
        from rjsonnet import evaluate_snippet
    except ImportError as error:
        raise ConfigurationError(f"{path} needs jsonnet; install pytorch-elmo[train], or write plain JSON") from error
    try:
        return str(evaluate_snippet(str(path), text))
    except RuntimeError as error:
        raise ConfigurationError(f"{path} is not valid jsonnet: {str(error).splitlines()[0]}") from error


def _corpus(document: Any) -> CorpusConfig:
    return _section(CorpusConfig, document, "corpus")


def _optimizer(document: Any) -> OptimizerConfig:
    return _section(OptimizerConfig, document, "optimizer")


def _section(kind: type[Section], document: Any, where: str) -> Section:
    if not isinstance(document, Mapping):
        raise ConfigurationError(f"{where} must be an object, got {document!r}")
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(document.keys() - known.keys()):
        raise ConfigurationError(f"{where} has unknown key(s) {', '.join(unknown)}; known are {', '.join(known)}")
    required = {name for name, f in known.items() if f.default is MISSING and f.default_factory is MISSING}
    if missing := sorted(required - document.keys()):
        raise ConfigurationError(f"{where} misses the key(s) {', '.join(missing)}")
    hints = get_type_hints(kind)
    for name, value in document.items():
        if not _fits(value, hints[name]):
            raise ConfigurationError(f"{where}.{name} must be {_describe(hints[name])}, got {value!r}")
    return kind(**document)


def _fits(value: Any, hint: Any) -> bool:
    """Whether a JSON value is of the annotated type; sections are already parsed."""
    if get_origin(hint) is list:
        return isinstance(value, list) and all(_fits(item, get_args(hint)[0]) for item in value)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if isinstance(hint, type):
        return isinstance(value, hint)
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    return any(_fits(value, part) for part in get_args(hint))


def _describe(hint: Any) -> str:
    if hint in (int, float, str):
        return {int: "a whole number", float: "a number", str: "a string"}[hint]
    if get_origin(hint) is list:
        return {str: "a list of strings", int: "a list of whole numbers"}[get_args(hint)[0]]
    parts = ("null" if part is type(None) else _describe(part) for part in get_args(hint))
    return " or ".join(parts) or repr(hint)
