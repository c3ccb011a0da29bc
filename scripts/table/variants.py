"""What a run may have in place of the baseline: ELMo as the configuration has it, and changes of one thing in it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Json = dict[str, Any]


class Features(NamedTuple):
    """ELMo's vectors of a task's sentences, as a configuration is told of them.

    layer_file: where they are. dim: numbers in one. model_folder: the model in AllenNLP's two files.
    """

    layer_file: str
    dim: int
    model_folder: str


Overrides = Callable[[Features], Json]  # settings of a configuration by their paths


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A column of a comparison.

    Attributes:
        name: in the names of runs.
        title: on the page.
        has_elmo: whether ELMo is in it at all.
        layers: which are stored, as `embed-to-hdf5` calls them.
        state: what a sentence begins from: the model's own state, that of the sentence before (carried), or the
            mean state at the ends of training sentences (warmed).
        base: the configuration's name, from the task's.
        variables: of the configuration.
        package: a module with parts of AllenNLP to import.
        overrides: by task; where they are given, the variant is for these tasks alone.
    """

    name: str
    title: str
    has_elmo: bool = True
    layers: str = "all"
    state: str = "own"
    base: str = "{}_elmo"
    variables: dict[str, str] = field(default_factory=dict)
    package: str = ""
    overrides: dict[str, Overrides] = field(default_factory=dict)

    def suits(self, task: str) -> bool:
        """Whether it is a variant of this task."""
        return not self.overrides or task in self.overrides


def _always(settings: Json) -> Overrides:
    return lambda _: settings


def _same(**settings: Any) -> dict[str, Overrides]:
    """Settings of ELMo's embedder, under the names that the two tasks have for it."""
    path = "model.text_field_embedder.token_embedders"
    return {
        task: _always({f"{path}.{key}.{name}": value for name, value in settings.items()})
        for task, key in (("ner", "elmo"), ("sst5", "contextual"))
    }


def _penalty(alpha: float) -> dict[str, Overrides]:
    regularizer = {"regexes": [["scalar_parameters", {"type": "l2", "alpha": alpha}]]}
    return {task: _always({"model.regularizer": regularizer}) for task in ("ner", "sst5")}


_LSTM = {"type": "lstm", "hidden_size": 100, "num_layers": 2, "dropout": 0.5, "bidirectional": True}
_BESIDE_OUTPUT = "elmo_beside_output"  # a module of this room, and what it registers
_WORDS, _CHARACTERS, _BCN_WIDTH = 100, 128, 100


def _ner(*, at_input: bool) -> Overrides:
    """The tagger's LSTM with a mixture of ELMo beside what it puts out; at its input too, another mixture."""

    def overrides(features: Features) -> Json:
        # The embedders stand in the order of their names: elmo, elmo_output, token_characters, tokens.
        before = features.dim if at_input else 0
        encoder = {**_LSTM, "input_size": before + _CHARACTERS + _WORDS}
        beside = {"type": _BESIDE_OUTPUT, "begin": before, "size": features.dim, "encoder": encoder}
        if not at_input:
            return {"model.encoder": beside}
        file = {"type": "elmo_layer_file", "layer_file": features.layer_file}
        return {
            "dataset_reader.token_indexers.elmo_output": file,
            "model.text_field_embedder.token_embedders.elmo_output": {**file, "dropout": 0.0},
            "model.encoder": beside,
        }

    return overrides


def _sst5(*, at_input: bool) -> Overrides:
    """The classification network's own ELMo, with a mixture for each place; it computes its vectors."""

    def overrides(features: Features) -> Json:
        return {
            "dataset_reader.token_indexers.elmo": {"type": "elmo_characters"},
            "validation_dataset_reader.token_indexers.elmo": {"type": "elmo_characters"},
            "model.elmo": {
                "options_file": f"{features.model_folder}/options.json",
                "weight_file": f"{features.model_folder}/weights.hdf5",
                "num_output_representations": 2 if at_input else 1,
                "do_layer_norm": False,
                "dropout": 0.0,
            },
            "model.use_input_elmo": at_input,
            "model.use_integrator_output_elmo": True,
            "model.pre_encode_feedforward.input_dim": _WORDS + (features.dim if at_input else 0),
            "model.output_layer.input_dim": 4 * (2 * _BCN_WIDTH + features.dim),
        }

    return overrides


_PLACES = (("output", "ELMo at the output", False), ("both", "ELMo at input and output", True))
BASELINE = Variant(name="baseline", title="baseline", has_elmo=False, base="{}")
ELMO = Variant(name="elmo", title="+ ELMo")
ABLATIONS = (
    Variant(name="top", title="top layer only", layers="top"),
    Variant(name="lambda1", title="all layers, λ = 1", overrides=_penalty(1.0)),
    Variant(name="lambda0.001", title="all layers, λ = 0.001", overrides=_penalty(0.001)),
    *(
        Variant(name=name, title=title, package=f"table.{_BESIDE_OUTPUT}", overrides={"ner": _ner(at_input=at_input)})
        for name, title, at_input in _PLACES
    ),
    *(
        Variant(name=name, title=title, base="{}", overrides={"sst5": _sst5(at_input=at_input)})
        for name, title, at_input in _PLACES
    ),
)
STATES = (
    Variant(name="carried", title="carried from sentence to sentence", state="carried"),
    Variant(name="warmed", title="mean state at the ends of training sentences", state="warmed"),
)
ADVICE = (
    Variant(name="dropout0.5", title="dropout 0.5 on ELMo", overrides=_same(dropout=0.5)),
    Variant(name="norm", title="layers normalised", overrides=_same(do_layer_norm=True)),
    Variant(name="alone", title="word vectors from random numbers", variables={"WORD_VECTORS": ""}),
    # The configurations have word vectors in any case: here one number for a word.
    Variant(name="only", title="no word vectors", variables={"WORD_VECTORS": "", "WORD_VECTORS_DIM": "1"}),
)
_FIXED = {"sst5": _always({"model.text_field_embedder.token_embedders.tokens.trainable": False})}
FIXED = (
    Variant(name="fixed", title="baseline, word vectors fixed", has_elmo=False, base="{}", overrides=_FIXED),
    Variant(name="fixed-elmo", title="+ ELMo, word vectors fixed", overrides=_FIXED),
)
