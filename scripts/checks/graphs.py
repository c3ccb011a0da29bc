"""What the golden SavedModels say of themselves, in the words of their list of facts."""

from collections import Counter
from typing import Any

from pytorch_elmo.formats.saved_model import MetaGraph, Node, SavedModel
from pytorch_elmo.formats.wire import Message, as_signed, read_varint

INT64 = 9
_DTYPES = {1: "float32", 2: "float64", 7: "string", 9: "int64"}
_TENSOR_DTYPE, _TENSOR_SHAPE, _TENSOR_CONTENT, _TENSOR_INT64S = 1, 2, 4, 10
# Of these ops, the attributes that the list has.
_OF_INTEREST = {
    "VarHandleOp": ("dtype", "shape"),
    "HashTableV2": ("key_dtype", "value_dtype"),
    "InitializeTableFromTextFileV2": ("key_index", "value_index"),
    "StaticRegexReplace": ("pattern", "rewrite"),
    "StaticRegexFullMatch": ("pattern",),
    "StringToHashBucketFast": ("num_buckets",),
    "ResourceGather": ("dtype",),
    "StringSplit": (),
    "StringSplitV2": (),
    "LookupTableFindV2": (),
    "GatherV2": (),
    "SparseSegmentSqrtN": (),
}


def facts_of(saved: SavedModel) -> dict[str, Any]:
    """All that the list has of a model."""
    graphs = [_facts(graph) for graph in saved.meta_graphs]
    if saved.is_hub_module:  # the list has what stands in its usual place, which TF1's hub does not use
        graphs = [facts | {"assets": []} for facts in graphs]
    return {"meta_graphs": graphs, "schema_version": saved.schema_version}


def _facts(graph: MetaGraph) -> dict[str, Any]:
    constants = [node for node in graph.nodes if node.op == "Const"]
    strings = {value.decode("utf-8") for node in constants for value in node.constant_strings if _is_text(value)}
    numbers = {number for node in constants for number in _int64_scalar(node.constant)}
    chosen = [_description(node) for node in graph.nodes if node.op in _OF_INTEREST]
    return {
        "tags": list(graph.tags),
        "assets": [list(asset) for asset in graph.assets.items()],
        "collections": list(graph.collections),
        "signatures": {
            name: {"inputs": dict(signature.inputs), "outputs": dict(signature.outputs)}
            for name, signature in graph.signatures.items()
        },
        "op_counts": dict(Counter(node.op for node in graph.nodes)),
        "nodes_of_interest": [node for place, node in enumerate(chosen) if node not in chosen[:place]],
        "int64_scalar_constants": sorted(numbers),
        "string_constants": sorted(strings),
    }


def _description(node: Node) -> dict[str, Any]:
    found: dict[str, Any] = {"op": node.op}
    for name in _OF_INTEREST[node.op]:
        if name == "shape":
            found[name] = list(node.shape(name))
        elif name.endswith("dtype"):
            found[name] = _DTYPES[node.dtype(name)]
        elif name in ("pattern", "rewrite"):
            found[name] = node.text(name)
        else:
            found[name] = node.number(name)
    return found


def _is_text(value: bytes) -> bool:
    """Not the packed description of all objects."""
    return not value.startswith(b"\n")


def _int64_scalar(tensor: Message) -> list[int]:
    """The number of a constant that is one of 64 bits."""
    if tensor.number(_TENSOR_DTYPE) != INT64 or tensor.content(_TENSOR_SHAPE):
        return []
    if content := tensor.content(_TENSOR_CONTENT):
        return [int.from_bytes(content, "little", signed=True)]
    packed = tensor.content(_TENSOR_INT64S)
    return [as_signed(read_varint(packed, 0)[0])] if packed else [0]
