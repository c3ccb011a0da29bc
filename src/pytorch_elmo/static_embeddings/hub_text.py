"""The text embedding that a SavedModel or a module of TF1's hub is: from its graph, its vocabulary, its numbers."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pytorch_elmo.errors import WeightsError
from pytorch_elmo.formats.saved_model import MetaGraph, Node, SavedModel, read_saved_model
from pytorch_elmo.formats.tensor_bundle import TensorBundle
from pytorch_elmo.static_embeddings.text_embedding_file import TextEmbeddingParts
from pytorch_elmo.static_embeddings.text_settings import Combiner, TextSettings
from pytorch_elmo.text.punctuation import PUNCTUATION
from pytorch_elmo.text.token_file import read_token_file

_REPLACE, _BUCKET, _READ_TABLE = "StaticRegexReplace", "StringToHashBucketFast", "InitializeTableFromTextFileV2"
_SPLIT, _OLD_SPLIT = "StringSplitV2", "StringSplit"
_COMBINERS: dict[str, Combiner] = {
    "SparseSegmentSqrtN": "sqrtn",
    "SparseSegmentMean": "mean",
    "SparseSegmentSum": "sum",
}
_TABLE_OPS = {"HashTableV2", "LookupTableFindV2", "LookupTableSizeV2"}
_KNOWN = {_REPLACE, _BUCKET, _READ_TABLE, _SPLIT, _OLD_SPLIT, *_TABLE_OPS, *_COMBINERS}
# Whatever makes or changes strings, looks them up, or pools: one that is not known would change the vectors.
_MATTERS = re.compile(
    r"String|Regex|Unicode|UTF8|Utf8|Substr|Base64|Join|Token|Piece|NGram|Ngram|DecodeCSV|DecodeRaw|Fingerprint|Hash"
    r"|Table|^SparseSegment|^Segment|^UnsortedSegment"
)
_SAVES = {"SaveV2", "RestoreV2", "ShardedFilename"}
_WHOLE_LINE, _LINE_NUMBER = -2, -1
_VARIABLE = re.compile(r"(.+?)(?:/(\d+))?/\.ATTRIBUTES/VARIABLE_VALUE")
_DTYPES = ("float32", "float64")


def read_hub_text(folder: Path) -> TextEmbeddingParts:
    """Read a folder.

    Raises:
        WeightsError: it is no whole text embedding, or holds what is not known here; an op by its name.
        TextError: the vocabulary has blank or repeated lines.
    """
    saved = read_saved_model(folder)
    graph = _serving_graph(saved)
    try:
        settings = _settings(graph)
        vocabulary_file = _vocabulary_file(graph)
    except ValueError as error:
        raise WeightsError(
            f"{folder}: {error}; only text embeddings as TensorFlow's hub exported them are read"
        ) from error
    vocabulary = read_token_file(saved.asset(vocabulary_file))
    try:
        matrix = _matrix(saved.variables, graph)
        num_rows = len(vocabulary) + settings.num_oov_buckets
        if len(matrix) != num_rows:
            raise ValueError(
                f"the table must have a row for each of {len(vocabulary)} tokens and {settings.num_oov_buckets} "
                f"buckets, {num_rows}, it has {len(matrix)}"
            )
    except ValueError as error:
        raise WeightsError(f"{folder}: {error}; fetch the model anew, or read another") from error
    return TextEmbeddingParts(vocabulary, torch.from_numpy(matrix), settings)


def _serving_graph(saved: SavedModel) -> MetaGraph:
    found = [graph for graph in saved.meta_graphs if graph.tags in ((), ("serve",))]
    if len(found) != 1:
        tags = [list(graph.tags) for graph in saved.meta_graphs]
        raise WeightsError(
            f"{saved.folder}: one graph must be for use, tagged serve or not at all, got {tags}; export it so"
        )
    return found[0]


def _settings(graph: MetaGraph) -> TextSettings:
    nodes = [node for node in graph.nodes if _MATTERS.search(node.op) and not _is_saving(node, graph)]
    if unknown := sorted({node.op for node in nodes} - _KNOWN):
        raise ValueError(f"the graph has the op {unknown[0]}, which is not known")
    splits = [node for node in nodes if node.op in (_SPLIT, _OLD_SPLIT)]
    combiners = sorted({node.op for node in nodes} & _COMBINERS.keys())
    if len(combiners) > 1 or len({node.op for node in splits}) > 1 or bool(combiners) != bool(splits):
        ops = sorted({node.op for node in splits}) + combiners
        raise ValueError(f"the graph must split and pool in one way, or do neither, its ops are {ops}")
    for node in splits:
        _check_split(node, graph)
    return TextSettings(
        num_oov_buckets=_num_buckets([node for node in nodes if node.op == _BUCKET]),
        combiner=_COMBINERS[combiners[0]] if combiners else "sqrtn",  # of one token, all are the same
        remove_punctuation=_removes_punctuation([node for node in nodes if node.op == _REPLACE]),
        split=bool(splits),
        keep_empty_tokens=not any(node.op == _OLD_SPLIT for node in splits),
    )


def _is_saving(node: Node, graph: MetaGraph) -> bool:
    """Whether a step is of the part that saves and restores, which makes names of files."""
    if not node.scope:
        return node.name.startswith("save/")
    return any(other.op in _SAVES for other in graph.nodes if other.scope == node.scope)


def _check_split(node: Node, graph: MetaGraph) -> None:
    delimiter = graph.source_of(node, 1)
    strings = [] if delimiter is None else delimiter.constant_strings
    if strings != [b" "]:
        raise ValueError(f"{node.op} must split at the space, it splits at {strings}")
    if node.number("maxsplit") not in (None, -1):
        raise ValueError(f"{node.op} must split everywhere, its maxsplit is {node.number('maxsplit')}")
    if node.flag("skip_empty") is False:
        raise ValueError(f"{node.op} must drop empty tokens, its skip_empty is False")


def _num_buckets(nodes: Sequence[Node]) -> int:
    counts = {node.number("num_buckets") or 0 for node in nodes}
    if len(counts) > 1 or min(counts, default=0) < 0:
        raise ValueError(f"{_BUCKET} must have one number of buckets, got {sorted(counts)}")
    return counts.pop() if counts else 0


def _removes_punctuation(nodes: Sequence[Node]) -> bool:
    for node in nodes:
        replaced = (node.text("pattern"), node.text("rewrite") or "")
        if replaced != (PUNCTUATION, "") or node.flag("replace_global") is False:
            raise ValueError(f"{_REPLACE} must delete {PUNCTUATION}, it puts {replaced[1]!r} for {replaced[0]!r}")
    return bool(nodes)


def _vocabulary_file(graph: MetaGraph) -> str:
    """The asset whose lines are the tokens in the order of the rows."""
    readers = [node for node in graph.nodes if node.op == _READ_TABLE]
    if len(readers) != 1 or len(graph.assets) != 1:
        raise ValueError(
            f"one vocabulary must be read from one asset, {len(readers)} {_READ_TABLE} read {len(graph.assets)}"
        )
    found = tuple(readers[0].number(name) for name in ("key_index", "value_index"))
    if found != (_WHOLE_LINE, _LINE_NUMBER) or readers[0].number("offset") not in (None, 0):
        raise ValueError(f"{_READ_TABLE} must map whole lines to their numbers, it maps {found}")
    return next(iter(graph.assets))


def _matrix(variables: TensorBundle, graph: MetaGraph) -> NDArray[Any]:
    """The parts of the table, one below the other."""
    parts = _parts(variables)
    if len(parts) > 1 and not any(node.op == "Less" for node in graph.nodes):
        raise ValueError("a table in parts must be divided in order, this one is dealt out row by row")
    for name in parts:
        if variables.dtype(name) not in _DTYPES or len(variables.shape(name)) != 2 or not variables.shape(name)[1]:
            raise ValueError(
                f"the table {name} must be float32 or float64 of two axes, not empty, it is {variables.dtype(name)} "
                f"{variables.shape(name)}"
            )
    if len({(variables.dtype(name), variables.shape(name)[1]) for name in parts}) != 1:
        raise ValueError(f"the parts of the table must have one dtype and dimension, {', '.join(parts)} have not")
    matrix = np.concatenate([variables.read(name) for name in parts])
    if not np.isfinite(matrix).all():
        raise ValueError("the table must be finite numbers, it holds NaN or infinity")
    return matrix


def _parts(variables: TensorBundle) -> list[str]:
    """The names of the one variable that is not TensorFlow's own book-keeping, part by part."""
    tables: dict[str, dict[int, str]] = {}
    for name in variables:
        if name.startswith(("_CHECKPOINTABLE_OBJECT_GRAPH", "save_counter", "global_step")):
            continue
        found = _VARIABLE.fullmatch(name)
        stem, part = (name, 0) if found is None else (found[1], int(found[2] or 0))
        tables.setdefault(stem, {})[part] = name
    if len(tables) != 1:
        raise ValueError(f"the model must have one table, its variables are {', '.join(sorted(tables)) or 'none'}")
    (parts,) = tables.values()
    if sorted(parts) != list(range(len(parts))):
        raise ValueError(f"the parts of the table must be numbered from 0, they are {sorted(parts)}")
    return [parts[number] for number in range(len(parts))]
