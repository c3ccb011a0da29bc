import json

import h5py
import numpy as np
import pytest

from pytorch_elmo.errors import LayerFileError, TextError
from pytorch_elmo.progress import SilentProgress
from pytorch_elmo.storage.creation import create_blank_file, mark_complete
from pytorch_elmo.storage.layout import LayerFileSpec

SUPERBLOCK_VERSION_AT = 8


@pytest.fixture
def blank(small_job):
    """Lay out the file of a small job; returns its path and the sentences' places."""

    def make(**fields):
        job = small_job(**fields)
        texts = {"keys" if job.manifest.keys == "sentence" else "sentences": job.sentences}
        spec = LayerFileSpec(
            manifest=job.manifest, token_counts=job.token_counts, also_sentence_indices="keys" not in texts, **texts
        )
        return job.path, create_blank_file(job.path, spec, SilentProgress())

    return make


@pytest.mark.parametrize("num_layers", [3, None])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_the_per_sentence_layout(blank, num_layers, dtype):
    path, places = blank(num_layers=num_layers, dtype=dtype)
    axes = () if num_layers is None else (num_layers,)
    with h5py.File(path) as file:
        assert set(file) == {*map(str, range(7)), "sentence_to_index", "sentence_indices"}
        for index, num_tokens in enumerate([3, 2, 3, 1, 0, 3, 1]):
            dataset = file[str(index)]
            assert (dataset.shape, dataset.dtype) == ((*axes, num_tokens, 4), np.dtype(dtype))
            assert (dataset.chunks, dataset.compression, len(dataset.attrs)) == (None, None, 0)
            assert (dataset.id.get_offset() or 0) == places[index]
        index = file["sentence_to_index"]
        assert (index.shape, h5py.check_string_dtype(index.dtype)) == ((1,), ("utf-8", None))
        assert json.loads(index[0]) == {
            "the cat sat": "2", 'Übung "macht"': "1", "a/b": "3", "": "4", "東京 😀 !": "5", "one": "6"
        }  # fmt: skip
        assert file["sentence_indices"][0] == index[0]
        assert file.attrs["pytorch_elmo_token_counts"].tolist() == [3, 2, 3, 1, 0, 3, 1]
        assert not file.attrs["pytorch_elmo_complete"]
        assert json.loads(file.attrs["pytorch_elmo_manifest"])["dtype"] == dtype


@pytest.mark.parametrize("num_layers", [3, None])
def test_the_packed_layout(blank, num_layers):
    path, places = blank(num_layers=num_layers, layout="packed")
    axes = () if num_layers is None else (num_layers,)
    with h5py.File(path) as file:
        assert set(file) == {"vectors", "offsets", "sentence_to_index", "sentence_indices"}
        assert file["vectors"].shape == (13, *axes, 4)
        assert (file["vectors"].chunks, file["vectors"].dtype) == (None, np.float32)
        assert file["offsets"].dtype == np.int64
        assert file["offsets"][:].tolist() == [0, 3, 5, 8, 9, 9, 12, 13]
        bytes_per_token = 4 * (num_layers or 1) * 4
        assert (places == file["vectors"].id.get_offset() + file["offsets"][:-1] * bytes_per_token).all()


def test_sentences_as_keys(blank):
    texts = ("x y", "and/or", "and/not", "東京", "..")
    path, _ = blank(texts=texts, keys="sentence")
    with h5py.File(path) as file:
        assert set(file) == {"x y", "and", "東京", ".."}
        assert set(file["and"]) == {"or", "not"}
        assert json.loads(file.attrs["pytorch_elmo_keys"]) == list(texts)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (("a", "b", "a"), "lines 1 and 3 are the same"),
        (("and", "and/or"), "lines 1 and 2 would be a dataset and a group"),
        (("a", "."), "got '.' in line 2"),
        (("a\0b",), "cannot hold a NUL"),
    ],
)
def test_sentences_that_cannot_be_keys(blank, texts, message):
    with pytest.raises(TextError, match=message):
        blank(texts=texts, keys="sentence")


@pytest.mark.parametrize("layout", ["per-sentence", "packed"])
def test_no_sentence_and_no_token(blank, layout):
    path, places = blank(texts=(), layout=layout)
    assert places.tolist() == []
    with h5py.File(path) as file:
        assert file["sentence_to_index"][0] == b"{}"
    path, places = blank(texts=("", ""), layout=layout)
    with h5py.File(path) as file:
        assert file["vectors" if layout == "packed" else "1"].shape[-1] == 4


def test_the_sentences_are_counted(small_job, tmp_path):
    job = small_job()
    spec = LayerFileSpec(manifest=job.manifest, token_counts=job.token_counts, sentences=lambda: ["one"])
    with pytest.raises(LayerFileError, match="7 sentences were counted, now there are 1; start again"):
        create_blank_file(tmp_path / "file", spec, SilentProgress())


def test_old_readers_can_open_it(blank):
    path, _ = blank()
    content = path.read_bytes()
    assert content[SUPERBLOCK_VERSION_AT] == 0  # HDF5 1.0 and later
    assert b"OHDR" not in content  # no object header of the newer kind


def test_the_same_job_gives_the_same_bytes(blank):
    path, _ = blank()
    once = path.read_bytes()
    blank()
    assert path.read_bytes() == once


def test_the_whole_file_has_room_on_disk(small_job):
    job = small_job(texts=("a b c d e f g h",), dim=100_000)
    spec = LayerFileSpec(manifest=job.manifest, token_counts=job.token_counts)
    create_blank_file(job.path, spec, SilentProgress())
    status = job.path.stat()
    assert 9_600_000 < status.st_size < spec.file_bytes
    assert status.st_blocks * 512 >= status.st_size


def test_completing_a_file_changes_one_byte(blank):
    path, _ = blank()
    before = path.read_bytes()
    mark_complete(path)
    after = path.read_bytes()
    assert len(after) == len(before)
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 1
    mark_complete(path)
    assert path.read_bytes() == after
    with h5py.File(path) as file:
        assert file.attrs["pytorch_elmo_complete"]
