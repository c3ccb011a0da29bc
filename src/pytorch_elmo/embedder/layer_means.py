"""The mean over tokens of each layer of every sentence, computed once and kept in a file."""

import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray

from pytorch_elmo.elmo.layer_means import LayerMeans, read_layer_means, write_layer_means
from pytorch_elmo.embedder.batches import check_sentence
from pytorch_elmo.embedder.embedder import ElmoEmbedder
from pytorch_elmo.errors import ConfigurationError, LayerFileError
from pytorch_elmo.files import writing_to
from pytorch_elmo.progress import Progress, SilentProgress
from pytorch_elmo.storage.job_files import JobFiles
from pytorch_elmo.weights.load import model_hash

_DTYPES: dict[str, np.dtype[Any]] = {"float32": np.dtype("<f4"), "float16": np.dtype("<f2")}
_LONGEST_DESCRIPTION = 1 << 16


def embed_layer_means(
    embedder: ElmoEmbedder,
    sentences: Sequence[Sequence[str]],
    output: str | Path,
    *,
    dtype: str = "float32",
    progress: Progress | None = None,
) -> LayerMeans:
    """Store each layer's mean over a sentence's tokens, for `MixOfMeans`; a file that is there already is read.

    A run that is stopped leaves what it has in `output` + `.partial`, and the next one goes on from there. 50,000
    sentences of a model with three layers of 256 dimensions take 77 MB in float16, 154 MB in float32.

    Args:
        embedder: not stateful.
        sentences: tokenised, e.g. by `str.split`; one without tokens has zeros.
        output: the file.
        dtype: of the stored numbers, float32 or float16.
        progress: hears sentences.

    Returns:
        Means (num_sentences, num_layers, dim), and what they were made of.

    Raises:
        ConfigurationError: another dtype, or a stateful embedder, whose vectors depend on what it ran before.
        LayerFileError: the file, or a partial one, is of other sentences or another model, or another process is
            writing it, or its folder does not exist.
        TextError: a sentence is a string, or a token is not a string.
        OSError: the file cannot be written.
    """
    if dtype not in _DTYPES:
        raise ConfigurationError(f"dtype is one of {', '.join(_DTYPES)}, got {dtype!r}")
    if embedder.stateful:
        raise ConfigurationError("means are stored of sentences that stand alone, got a stateful embedder")
    path = Path(output)
    description = _describe(embedder, sentences, dtype)
    files = JobFiles(path)
    files.lock()
    try:
        if path.exists():
            found = read_layer_means(path)
            _check_same(path, dict(found.description), description)
            return found
        means = _run(files.partial, embedder, sentences, description, progress or SilentProgress())
        contents = LayerMeans(torch.from_numpy(means), description)
        write_layer_means(path, contents)
        files.remove_partial()
        return contents
    finally:
        files.unlock()


def _run(
    partial: Path,
    embedder: ElmoEmbedder,
    sentences: Sequence[Sequence[str]],
    description: dict[str, Any],
    progress: Progress,
) -> NDArray[Any]:
    """All means, those that the partial file does not hold yet being computed and added to it."""
    row_shape, dtype = (embedder.num_layers, embedder.dim), _DTYPES[description["dtype"]]
    with writing_to(partial), _open_partial(partial, description) as file:
        begin = file.tell()
        done = _cut_to_whole_rows(file, begin, row_shape[0] * row_shape[1] * dtype.itemsize)
        progress.start(total=len(sentences), unit="sentence", done=done, label="means of layers")
        try:
            for vectors in embedder.embed_sentences(sentences[number] for number in range(done, len(sentences))):
                total = vectors.sum(axis=1, dtype=np.float64)
                file.write((total / max(vectors.shape[1], 1)).astype(dtype).tobytes())
                progress.advance(1)
        finally:
            progress.finish()
        file.seek(begin)
        rows: NDArray[Any] = np.frombuffer(bytearray(file.read()), dtype=dtype)
        return rows.reshape(len(sentences), *row_shape)


def _describe(embedder: ElmoEmbedder, sentences: Sequence[Sequence[str]], dtype: str) -> dict[str, Any]:
    digest = hashlib.sha256()
    for sentence in sentences:
        check_sentence(sentence)
        digest.update("\0".join(sentence).encode("utf-8", "surrogatepass") + b"\n")
    return {
        "model": embedder.name,
        "model_hash": model_hash(embedder.bilm),
        "precision": embedder.precision,
        "dtype": dtype,
        "num_sentences": len(sentences),
        "sentences_sha256": digest.hexdigest(),
    }


def _open_partial(path: Path, description: dict[str, Any]) -> BinaryIO:
    """The file of a run, at the beginning of its rows: behind one line that describes it."""
    if not path.exists() or not path.stat().st_size:  # killed before its first line
        path.write_bytes(json.dumps(description).encode("utf-8") + b"\n")
    file = path.open("rb+")
    try:
        _check_same(path, _described(file.readline(_LONGEST_DESCRIPTION)), description)
    except LayerFileError:
        file.close()
        raise
    return file


def _described(line: bytes) -> dict[str, Any]:
    """What a line says of a run; nothing if it is no description."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _cut_to_whole_rows(file: BinaryIO, begin: int, row_bytes: int) -> int:
    """How many rows are there; part of one at the end is cut off, and the next row is to be written there."""
    done = (file.seek(0, io.SEEK_END) - begin) // row_bytes
    file.truncate(begin + done * row_bytes)
    file.seek(0, io.SEEK_END)
    return done


def _check_same(path: Path, found: dict[str, Any], wanted: dict[str, Any]) -> None:
    for name, value in wanted.items():
        if found.get(name) != value and name != "model":
            raise LayerFileError(
                f"{path} is of another job: its {name} is {found.get(name)}, this one's is {value}; remove it, or "
                "name another output"
            )
