"""A small job, and what its file must hold."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from pytorch_elmo.storage import LayerFileWriter, Manifest

TEXTS = ("the cat sat", 'Übung "macht"', "the cat sat", "a/b", "", "東京 😀 !", "one")
IDENTITY = {"settings": "5f3e", "batch sizes": [3, 4]}


@dataclass(frozen=True)
class SmallJob:
    """Everything that `LayerFileWriter.create` asks for, and vectors that any process would compute alike."""

    path: Path
    manifest: Manifest
    texts: tuple[str, ...] = TEXTS

    @property
    def token_counts(self) -> np.ndarray:
        return np.array([len(text.split()) for text in self.texts], dtype=np.int64)

    def sentences(self) -> Iterator[str]:
        return iter(self.texts)

    def vectors(self, index: int) -> np.ndarray:
        shape = (int(self.token_counts[index]), self.manifest.dim)
        if self.manifest.num_layers is not None:
            shape = (self.manifest.num_layers, *shape)
        return np.random.default_rng(index).standard_normal(shape).astype(self.manifest.dtype)

    def create(self, **arguments) -> LayerFileWriter:
        has_keys = self.manifest.keys == "sentence"
        texts = {"keys" if has_keys else "sentences": self.sentences}
        given = {"manifest": self.manifest, "token_counts": self.token_counts, "identity": IDENTITY, **texts}
        return LayerFileWriter.create(self.path, **{**given, **arguments})

    def resume(self, **arguments) -> LayerFileWriter | None:
        return LayerFileWriter.resume(self.path, **{"manifest": self.manifest, "identity": IDENTITY, **arguments})

    def write_all(self, **arguments) -> Path:
        with self.create(**arguments) as writer:
            for index in range(len(self.texts)):
                writer.write(index, self.vectors(index))
            writer.finish()
        return self.path


def manifest_of(texts: tuple[str, ...] = TEXTS, **fields) -> Manifest:
    manifest = Manifest(
        project_version="0.1.0",
        model="default",
        model_hash="ab12",
        layers="all",
        num_layers=3,
        dim=4,
        dtype="float32",
        precision="float32",
        state_mode="fresh",
        start_state="zeros",
        layout="per-sentence",
        keys="index",
        num_sentences=len(texts),
        num_tokens=sum(len(text.split()) for text in texts),
        input_sha256="00ff",
        tokenizer="whitespace",
        batch_plan="2 batches",
    )
    return replace(manifest, **fields)


@pytest.fixture
def small_job(tmp_path) -> Callable[..., SmallJob]:
    """Make a job for `out.hdf5`; manifest fields may be given by name."""

    def make(*, texts: tuple[str, ...] = TEXTS, name: str = "out.hdf5", **fields) -> SmallJob:
        return SmallJob(path=tmp_path / name, manifest=manifest_of(texts, **fields), texts=texts)

    return make


@pytest.fixture
def manifest() -> Manifest:
    return manifest_of()
