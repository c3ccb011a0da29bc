"""Is a layer file whole? What `elmo verify` reports."""

from collections.abc import Container
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pytorch_elmo.errors import LayerFileError, TextError
from pytorch_elmo.progress import Progress, SilentProgress
from pytorch_elmo.storage.contents import DecimalKeys, visit_datasets
from pytorch_elmo.storage.keys import path_of_key
from pytorch_elmo.storage.layout import OFFSETS, SENTENCE_INDICES, SENTENCE_TO_INDEX, VECTORS, Texts
from pytorch_elmo.storage.manifest import PACKED
from pytorch_elmo.storage.opening import damage_errors, open_layer_file
from pytorch_elmo.storage.reader import LayerFileReader
from pytorch_elmo.storage.sentence_index import index_entries

_MOST_FINDINGS = 20


class _Findings:
    """Lines of complaint; after the first few of a kind, only how many more there are."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._counts: dict[str, int] = {}

    def add(self, kind: str, line: str) -> None:
        self._counts[kind] = self._counts.get(kind, 0) + 1
        if self._counts[kind] <= _MOST_FINDINGS:
            self._lines.append(line)

    def lines(self) -> list[str]:
        more = ((kind, count - _MOST_FINDINGS) for kind, count in self._counts.items())
        return self._lines + [f"and {count} more of this kind: {kind}" for kind, count in more if count > 0]


def verify_layer_file(
    path: Path,
    *,
    token_counts: NDArray[np.int64] | None = None,
    sentences: Texts | None = None,
    progress: Progress | None = None,
) -> list[str]:
    """Read all of a layer file, this project's or AllenNLP's, and say what is wrong with it.

    Args:
        path: the file.
        token_counts: (num_sentences,) int64, of the input that the file should hold; None: not compared.
        sentences: gives the texts of this input, afresh each time it is called; None: not compared.
        progress: hears of the sentences read.

    Returns:
        one line for each finding, the first few of a kind and then their number; empty if the file is whole.
    """
    progress = progress or SilentProgress()
    findings = _Findings()
    try:
        with LayerFileReader(path) as reader:
            _verify_names(reader, findings)
            if token_counts is not None and len(token_counts) != len(reader):
                findings.add("counts", f"the input has {len(token_counts)} sentences, the file {len(reader)}")
            lengths = () if token_counts is None else token_counts
            progress.start(total=len(reader), unit="sentence", label="verifying")
            for index in range(len(reader)):
                _verify_sentence(reader, index, lengths[index] if index < len(lengths) else None, findings)
                progress.advance(1)
            progress.finish()
            if sentences is not None:
                _verify_texts(reader, sentences, findings)
    except (LayerFileError, TextError) as error:  # the file or its lists cannot be read, the input cannot be keys
        findings.add("damage", str(error))
    return findings.lines()


def _place(index: int) -> str:
    return f"sentence {index} (line {index + 1})"


def _verify_names(reader: LayerFileReader, findings: _Findings) -> None:
    """Nothing is in the file but sentences and what the layout needs."""
    known = {SENTENCE_TO_INDEX, SENTENCE_INDICES}
    sentences: Container[str] = reader.keys
    if reader.manifest is not None and reader.manifest.layout == PACKED:
        known, sentences = known | {VECTORS, OFFSETS}, ()
    elif not isinstance(sentences, DecimalKeys):
        known, sentences = set(), {path_of_key(key, index) for index, key in enumerate(reader.keys)}

    def check(path: str) -> None:
        if path not in known and path not in sentences:
            findings.add("unknown datasets", f"dataset {path!r} is neither a sentence nor a part of the layout")

    file, _ = open_layer_file(reader.path)
    with file, damage_errors(reader.path, "the list of datasets"):
        visit_datasets(file, check)


def _verify_sentence(reader: LayerFileReader, index: int, num_tokens: int | None, findings: _Findings) -> None:
    """One sentence can be read, has the shape of the others and of the input, and holds numbers."""
    try:
        vectors = reader[index]
    except LayerFileError as error:
        findings.add("unreadable sentences", f"{_place(index)}: {error}")
        return
    expected = (reader.num_layers, vectors.shape[-2], reader.dim)
    found = (vectors.shape[0] if vectors.ndim == 3 else None, vectors.shape[-2], vectors.shape[-1])
    if found != expected or vectors.dtype != reader.dtype:
        findings.add(
            "odd shapes",
            f"{_place(index)} is {vectors.dtype} of shape {vectors.shape}, where num_layers, num_tokens, dim are "
            f"{expected} and the dtype is {reader.dtype}",
        )
    if num_tokens is not None and vectors.shape[-2] != num_tokens:
        findings.add("lengths", f"{_place(index)} has {vectors.shape[-2]} tokens, in the input it has {num_tokens}")
    if not np.isfinite(vectors).all():
        findings.add("values", f"{_place(index)} has values that are no numbers (NaN) or infinite")
    elif vectors.size and not vectors.any():
        findings.add("values", f"{_place(index)} has nothing but zeros, as if it had never been written")


def _verify_texts(reader: LayerFileReader, sentences: Texts, findings: _Findings) -> None:
    """The file's texts lead to the sentences of the input."""
    if not reader.knows_sentences:
        return
    if isinstance(reader.keys, DecimalKeys):
        known = dict(reader.sentence_to_index)
        expected = index_entries(sentences, sum(1 for _ in sentences()))
    else:
        known = {path_of_key(key, index): index for index, key in enumerate(reader.keys)}
        expected = ((path_of_key(text, index), index) for index, text in enumerate(sentences()))
    has_order = reader.manifest is not None or isinstance(reader.keys, DecimalKeys)
    for text, index in expected:
        found = known.pop(text, None)
        if found is None:
            findings.add("texts", f"{_place(index)} of the input is not in the file: {text!r}")
        elif has_order and found != index:
            findings.add("texts", f"{_place(index)} of the input is sentence {found} in the file: {text!r}")
    for text, index in known.items():
        findings.add("texts", f"sentence {index} of the file is not in the input: {text!r}")
