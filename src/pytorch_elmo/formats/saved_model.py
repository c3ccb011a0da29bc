"""TensorFlow's SavedModels and the modules of TF1's hub: what they say of themselves, read by field numbers alone.

The numbers are those of `saved_model.proto`, `meta_graph.proto`, `graph.proto`, `function.proto`, `node_def.proto`,
`attr_value.proto` and `tensor.proto`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from pytorch_elmo.errors import WeightsError
from pytorch_elmo.formats.tensor_bundle import TensorBundle
from pytorch_elmo.formats.wire import Message, as_signed

GRAPHS_FILE = "saved_model.pb"
_HUB_FILE, _HUB_FORMAT_READ = "tfhub_module.pb", 3
_ASSETS, _VARIABLES = "assets", "variables"
_KEY, _VALUE = 1, 2  # of a map's entry
_SCHEMA, _META_GRAPHS = 1, 2
_META_INFO, _GRAPH, _COLLECTIONS, _SIGNATURES, _ASSET_FILES = 1, 2, 4, 5, 6
_TAGS, _NODES, _LIBRARY, _FUNCTIONS = 4, 1, 2, 1
_FUNCTION_SIGNATURE, _FUNCTION_NODES, _FUNCTION_NAME = 1, 3, 1
_NODE_NAME, _OP, _INPUTS, _ATTRIBUTES = 1, 2, 3, 5
_TEXT, _NUMBER, _FLAG, _TYPE, _SHAPE, _TENSOR, _STRINGS = 2, 3, 5, 6, 7, 8, 8
_DIMENSIONS, _LENGTH = 2, 1
_TENSOR_INFO, _FILE_NAME, _TENSOR_NAME = 1, 2, 1
_SIGNATURE_INPUTS, _SIGNATURE_OUTPUTS = 1, 2
_OLD_ASSETS, _ANY_LIST = "saved_model_assets", 5  # where TF1's hub has its assets


@dataclass(frozen=True, kw_only=True)
class Node:
    """A step of a graph.

    Attributes:
        scope: the function that it stands in; empty for the graph itself.
        name: distinct within its scope.
        op: what it does.
        inputs: names of nodes, each with what follows it (`:0`, `:output:0`); `^` before one that only goes first.
        attribute_entries: a map's, taken apart when one is asked for, since few nodes are asked.

    Raises:
        ValueError: from what asks for an attribute, where these are damaged.
    """

    scope: str
    name: str
    op: str
    inputs: tuple[str, ...]
    attribute_entries: tuple[bytes, ...]

    @cached_property
    def attributes(self) -> Mapping[str, Message]:
        """By their names; those of their default value may be left out."""
        entries = [Message(entry) for entry in self.attribute_entries]
        return {_text(entry, _KEY): entry.message(_VALUE) for entry in entries}

    def text(self, attribute: str) -> str | None:
        """A string's value; None if left out."""
        value = self.attributes.get(attribute)
        return None if value is None else _text(value, _TEXT)

    def number(self, attribute: str) -> int | None:
        """An integer's value; None if left out."""
        value = self.attributes.get(attribute)
        return None if value is None else as_signed(value.number(_NUMBER))

    def flag(self, attribute: str) -> bool | None:
        """A boolean's value; None if left out."""
        value = self.attributes.get(attribute)
        return None if value is None else bool(value.number(_FLAG))

    def dtype(self, attribute: str) -> int:
        """TensorFlow's number of a dtype, 0 if left out."""
        value = self.attributes.get(attribute)
        return 0 if value is None else value.number(_TYPE)

    def shape(self, attribute: str) -> tuple[int, ...]:
        """A shape, () if left out."""
        value = self.attributes.get(attribute)
        dimensions = [] if value is None else value.message(_SHAPE).messages(_DIMENSIONS)
        return tuple(as_signed(dimension.number(_LENGTH)) for dimension in dimensions)

    @property
    def constant(self) -> Message:
        """The `TensorProto` that a `Const` gives."""
        return self.attributes["value"].message(_TENSOR) if "value" in self.attributes else Message(b"")

    @property
    def constant_strings(self) -> list[bytes]:
        """What a `Const` of strings gives."""
        return self.constant.contents(_STRINGS)


@dataclass(frozen=True, kw_only=True)
class Signature:
    """A named call: tensors of the graph by the names of the inputs and outputs."""

    inputs: Mapping[str, str]
    outputs: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class MetaGraph:
    """One graph with what belongs to it.

    Attributes:
        tags: what it is for, `serve` as a rule; of TF1's hub, none.
        signatures: named calls.
        collections: names of TF1's lists.
        assets: names of files in the folder `assets`, with the tensors that they are the values of.
        nodes: of the graph, then those of its functions.
    """

    tags: tuple[str, ...]
    signatures: Mapping[str, Signature]
    collections: tuple[str, ...]
    assets: Mapping[str, str]
    nodes: tuple[Node, ...]

    def source_of(self, node: Node, place: int) -> Node | None:
        """The node that the input at `place` comes from; None if that is an argument of the function."""
        if place >= len(node.inputs):
            return None
        name = node.inputs[place].partition(":")[0]
        return next((other for other in self.nodes if (other.scope, other.name) == (node.scope, name)), None)


@dataclass(frozen=True, kw_only=True)
class SavedModel:
    """A folder that TensorFlow saved.

    Attributes:
        folder: where it is.
        schema_version: as the file says, 1 since TF2, 0 of TF1's hub.
        is_hub_module: whether TF1's hub wrote it.
        meta_graphs: one as a rule.
        variables: all numbers.
    """

    folder: Path
    schema_version: int
    is_hub_module: bool
    meta_graphs: tuple[MetaGraph, ...]
    variables: TensorBundle

    def asset(self, name: str) -> Path:
        """The file of an asset.

        Raises:
            WeightsError: it is not there, or its name leads out of the folder.
        """
        path = self.folder / _ASSETS / name
        if PurePosixPath(name).name != name or not path.is_file():
            raise WeightsError(f"{self.folder}: its asset {name!r} is not in its folder {_ASSETS}; fetch it anew")
        return path


def read_saved_model(folder: str | Path) -> SavedModel:
    """Read what is in a folder; of the variables, only their index.

    Args:
        folder: with `saved_model.pb`, `variables/` and `assets/`, of TF2, or of TF1's hub with `tfhub_module.pb`.

    Raises:
        WeightsError: a part is missing, damaged, or of a version that is not known.
    """
    folder = Path(folder)
    content = _bytes_of(folder / GRAPHS_FILE, "a SavedModel must hold")
    is_hub_module = (folder / _HUB_FILE).is_file()
    try:
        if is_hub_module:
            _check_hub_format(Message(_bytes_of(folder / _HUB_FILE, "a module must hold")))
        message = Message(content)
        meta_graphs = tuple(_meta_graph(part) for part in message.messages(_META_GRAPHS))
        if not meta_graphs:
            raise ValueError("it has no graph")
        schema_version = message.number(_SCHEMA)
    except ValueError as error:
        raise WeightsError(f"{folder / GRAPHS_FILE}: {error}; fetch the model anew") from error
    prefix = folder / _VARIABLES / _VARIABLES
    if not prefix.with_name(f"{_VARIABLES}.index").is_file():
        raise WeightsError(
            f"a SavedModel must hold {_VARIABLES}/{_VARIABLES}.index and its data files, {folder} does not; copy the "
            "whole folder, or fetch the model anew"
        )
    return SavedModel(
        folder=folder,
        schema_version=schema_version,
        is_hub_module=is_hub_module,
        meta_graphs=meta_graphs,
        variables=TensorBundle(prefix),
    )


def _bytes_of(path: Path, rule: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WeightsError(
            f"{rule} {path.name}, cannot read {path}: {error.strerror}; name the folder that has it"
        ) from error


def _check_hub_format(message: Message) -> None:
    if message.number(1) != _HUB_FORMAT_READ:
        raise ValueError(f"a module of TF1's hub must have the format {_HUB_FORMAT_READ}, got {message.number(1)}")


def _meta_graph(message: Message) -> MetaGraph:
    collections = {_text(entry, _KEY): entry.message(_VALUE) for entry in message.messages(_COLLECTIONS)}
    asset_files = message.messages(_ASSET_FILES)
    if _OLD_ASSETS in collections:
        packed = collections[_OLD_ASSETS].message(_ANY_LIST).messages(1)
        asset_files += [entry.message(_VALUE) for entry in packed]
    return MetaGraph(
        tags=tuple(tag.decode("utf-8") for tag in message.message(_META_INFO).contents(_TAGS)),
        signatures={_text(entry, _KEY): _signature(entry.message(_VALUE)) for entry in message.messages(_SIGNATURES)},
        collections=tuple(sorted(collections)),
        assets={_text(file, _FILE_NAME): _text(file.message(_TENSOR_INFO), _TENSOR_NAME) for file in asset_files},
        nodes=tuple(_nodes(message.message(_GRAPH))),
    )


def _signature(message: Message) -> Signature:
    inputs, outputs = (
        {_text(entry, _KEY): _text(entry.message(_VALUE), _TENSOR_NAME) for entry in message.messages(field)}
        for field in (_SIGNATURE_INPUTS, _SIGNATURE_OUTPUTS)
    )
    return Signature(inputs=inputs, outputs=outputs)


def _nodes(graph: Message) -> Iterator[Node]:
    for node in graph.messages(_NODES):
        yield _node("", node)
    for function in graph.message(_LIBRARY).messages(_FUNCTIONS):
        scope = _text(function.message(_FUNCTION_SIGNATURE), _FUNCTION_NAME)
        for node in function.messages(_FUNCTION_NODES):
            yield _node(scope, node)


def _node(scope: str, message: Message) -> Node:
    return Node(
        scope=scope,
        name=_text(message, _NODE_NAME),
        op=_text(message, _OP),
        inputs=tuple(name.decode("utf-8") for name in message.contents(_INPUTS)),
        attribute_entries=tuple(message.contents(_ATTRIBUTES)),
    )


def _text(message: Message, field: int) -> str:
    return message.content(field).decode("utf-8")  # what cannot be decoded is a ValueError, as other damage
