"""A slow writer of SavedModels and of TF1's hub modules, for tests to read and to do harm to."""

from pathlib import Path
from typing import Any

import numpy as np

from slow_bundle import bytes_field, number_field, shape_message, varint, write_bundle

KEY = "embeddings/.ATTRIBUTES/VARIABLE_VALUE"
FIND = ("find", "LookupTableFindV2", ["table", "split:values:0"], {})
GATHER = ("gather", "ResourceGather", ["embeddings", "find"], {})
TABLE = ("start", "InitializeTableFromTextFileV2", ["table", "asset"], {"key_index": -2, "value_index": -1})


def attribute(value: Any) -> bytes:
    if isinstance(value, str):
        return bytes_field(2, value.encode())
    if isinstance(value, bool):
        return varint(5 << 3) + varint(value)
    if isinstance(value, int):
        return varint(3 << 3) + varint(value)
    if isinstance(value, tuple):
        return bytes_field(7, shape_message(value))
    return bytes_field(8, bytes_field(8, value))  # bytes: a constant string


def node(name: str, op: str, inputs: list[str], attributes: dict[str, Any]) -> bytes:
    pairs = b"".join(
        bytes_field(5, bytes_field(1, key.encode()) + bytes_field(2, attribute(value)))
        for key, value in attributes.items()
    )
    names = b"".join(bytes_field(3, source.encode()) for source in inputs)
    return bytes_field(1, name.encode()) + bytes_field(2, op.encode()) + names + pairs


def split(op: str = "StringSplitV2", delimiter: bytes = b" ", **attributes: Any) -> list[tuple]:
    return [
        ("space", "Const", [], {"value": delimiter}),
        ("split", op, ["sentences", "space:output:0"], attributes),
    ]


def buckets(count: int) -> list[tuple]:
    return [("bucket", "StringToHashBucketFast", ["split:values:0"], {"num_buckets": count})]


def text_nodes(num_buckets: int = 1, combiner: str = "SparseSegmentSqrtN") -> list[tuple]:
    """The steps of a text embedding that splits and pools."""
    hashed = buckets(num_buckets) if num_buckets else []
    return [*split(), *hashed, FIND, GATHER, TABLE, ("pool", combiner, ["gather", "find"], {})]


def function(name: str, nodes: list[tuple]) -> bytes:
    packed = b"".join(bytes_field(3, node(*parts)) for parts in nodes)
    return bytes_field(1, bytes_field(1, name.encode())) + packed


def meta_graph(
    nodes: list[tuple],
    *,
    tags: tuple[str, ...] = ("serve",),
    asset: str | None = "tokens.txt",
    old: bool = False,
    others: dict[str, list[tuple]] | None = None,
) -> bytes:
    """Nodes stand in one function beside `others`, or in the graph of an `old` one."""
    if old:
        graph = b"".join(bytes_field(1, node(*parts)) for parts in nodes)
    else:
        functions = {"embed": nodes} | (others or {})
        graph = bytes_field(2, b"".join(bytes_field(1, function(*parts)) for parts in functions.items()))
    out = bytes_field(1, b"".join(bytes_field(4, tag.encode()) for tag in tags)) + bytes_field(2, graph)
    if asset is None:
        return out
    file = bytes_field(1, bytes_field(1, b"asset:0")) + bytes_field(2, asset.encode())
    if not old:
        return out + bytes_field(6, file)
    collection = bytes_field(5, bytes_field(1, bytes_field(2, file)))
    return out + bytes_field(4, bytes_field(1, b"saved_model_assets") + bytes_field(2, collection))


def write_saved_model(
    folder: Path,
    nodes: list[tuple],
    *,
    tokens: str | None = "the\nof\n",
    tensors: dict[str, np.ndarray] | None = None,
    graphs: list[bytes] | None = None,
    old: bool = False,
    **how: Any,
) -> Path:
    """A whole folder; `graphs` instead of the one of `nodes`; `old`: as TF1's hub wrote it."""
    (folder / "variables").mkdir(parents=True)
    (folder / "assets").mkdir()
    if tokens is not None:
        (folder / "assets" / "tokens.txt").write_bytes(tokens.encode())
    parts = [meta_graph(nodes, old=old, **how)] if graphs is None else graphs
    schema = number_field(1, 0 if old else 1)
    (folder / "saved_model.pb").write_bytes(schema + b"".join(bytes_field(2, part) for part in parts))
    if old:
        (folder / "tfhub_module.pb").write_bytes(b"\x08\x03")
    if tensors is None:
        tensors = {"embeddings" if old else KEY: np.arange(6, dtype=np.float32).reshape(3, 2)}
    write_bundle(folder / "variables" / "variables", tensors)
    return folder
