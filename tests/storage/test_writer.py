import os
import shutil
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pytorch_elmo.errors import LayerFileError
from pytorch_elmo.storage import LayerFileReader, partial_state, verify_layer_file

FORMS = [
    {"layout": layout, "num_layers": num_layers, "dtype": dtype}
    for layout in ("per-sentence", "packed")
    for num_layers in (3, None)
    for dtype in ("float32", "float16")
]


def assert_holds(job):
    with LayerFileReader(job.path) as reader:
        assert len(reader) == len(job.texts)
        for index, vectors in enumerate(reader):
            expected = job.vectors(index)
            assert vectors.dtype == expected.dtype
            assert vectors.shape == expected.shape
            assert (vectors == expected).all()
    assert verify_layer_file(job.path, token_counts=job.token_counts, sentences=job.sentences) == []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(3))
def test_what_is_written_in_any_order_is_read(small_job, form, seed):
    job = small_job(**form)
    order = np.random.default_rng(seed).integers(0, len(job.texts), 60).tolist()
    assert set(order) == set(range(len(job.texts)))
    with job.create() as writer:
        for step, index in enumerate(order):
            writer.write(index, job.vectors(index))
            if step % 7 == seed:
                writer.commit(step)
        writer.finish()
    assert_holds(job)
    assert os.listdir(job.path.parent) == ["out.hdf5"]


def test_sentences_as_keys(small_job):
    job = small_job(texts=("x y", "and/or", "and/not", "東京 x", "5"), keys="sentence")
    job.write_all()
    assert_holds(job)


def test_any_float_is_converted(small_job):
    job = small_job(dtype="float16")
    with job.create() as writer:
        for index in range(len(job.texts)):
            writer.write(index, job.vectors(index).astype(np.float64 if index % 2 else ">f4"))
        writer.finish()
    assert_holds(job)


@pytest.mark.parametrize("form", FORMS)
def test_destinations_are_filled_in_place(small_job, form):
    job = small_job(**form)
    with job.create() as writer:
        for index in range(len(job.texts)):
            destination, vectors = writer.destination(index), job.vectors(index)
            assert destination.shape == vectors.shape
            assert destination.dtype == vectors.dtype
            for token in range(vectors.shape[-2]):
                destination[..., token, :] = vectors[..., token, :]
                writer.commit(index, {"token": token})
            assert not writer.written[index]
            writer.mark_written(index)
        writer.finish()
    assert_holds(job)


def test_a_document_is_gone_on_with(small_job):
    job = small_job(layout="packed")
    with job.create() as writer:
        writer.destination(0)[:, :2] = job.vectors(0)[:, :2]
        writer.commit(0, {"tokens done": 2})
    with job.resume() as writer:
        assert writer.extra == {"tokens done": 2}
        assert not writer.written.any()
        destination = writer.destination(0)
        assert (destination[:, :2] == job.vectors(0)[:, :2]).all()
        destination[:, 2:] = job.vectors(0)[:, 2:]
        writer.mark_written(0)
        for index in range(1, len(job.texts)):
            writer.write(index, job.vectors(index))
        writer.finish()
    assert_holds(job)


def test_resume_knows_what_was_committed(small_job):
    job = small_job()
    with job.create() as writer:
        assert (writer.batches_done, writer.extra) == (0, None)
        writer.write(np.int64(5), job.vectors(5))
        writer.commit(np.int64(1), {"state": [0.1, -2.5e-8]})
        writer.write(2, job.vectors(2))
        writer.commit(2)
        writer.write(0, job.vectors(0))
        assert writer.written.nonzero()[0].tolist() == [0, 2, 5]
    assert partial_state(job.path) == "partial"
    with job.resume() as writer:
        assert (writer.batches_done, writer.extra) == (2, None)
        assert writer.written.nonzero()[0].tolist() == [2, 5]
        writer.commit(3, {"state": (1, 2)})
    with job.resume() as writer:
        assert (writer.batches_done, writer.extra) == (3, {"state": [1, 2]})
        for index in (0, 1, 3, 4, 6):
            writer.write(index, job.vectors(index))
        writer.finish()
    assert_holds(job)


def test_a_finished_output_is_recognised(small_job):
    job = small_job()
    job.write_all()
    left_behind = job.path.with_name("out.hdf5.partial.journal")
    left_behind.touch()
    assert job.resume() is None
    assert os.listdir(job.path.parent) == ["out.hdf5"]
    other = replace(job.manifest, model_hash="cd34")
    with pytest.raises(LayerFileError, match="complete and another job's: model_hash was 'ab12' and is now 'cd34'"):
        job.resume(manifest=other)


def test_a_file_of_another_program_is_not_gone_on_with(small_job):
    import h5py

    job = small_job()
    h5py.File(job.path, "w").close()
    with pytest.raises(LayerFileError, match=r"file with a manifest can be gone on with, but .*out.hdf5 has none"):
        job.resume()


def test_there_must_be_something_to_go_on_with(small_job):
    with pytest.raises(LayerFileError, match=r"nothing to go on with: .*partial does not exist; leave out --resume"):
        small_job().resume()


def test_an_existing_output_is_kept(small_job):
    job = small_job()
    job.path.write_text("precious")
    with pytest.raises(LayerFileError, match=r"output must be a new file, but .*out.hdf5 exists; .*--overwrite"):
        job.create()
    assert job.path.read_text() == "precious"
    writer = job.create(overwrite=True)
    assert job.path.read_text() == "precious"
    writer.close()
    assert job.path.read_text() == "precious"
    job.write_all(overwrite=True)
    assert_holds(job)


def test_a_partial_file_is_kept(small_job):
    job = small_job()
    with job.create() as writer:
        writer.write(0, job.vectors(0))
        writer.write(4, job.vectors(4))
        writer.commit(1)
    message = r"out.hdf5.partial is a partial file: 2 of 7 sentences are safe; go on with --resume, or .*--overwrite"
    with pytest.raises(LayerFileError, match=message):
        job.create()
    with job.create(overwrite=True) as writer:
        assert not writer.written.any()
    job.resume().close()


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"identity": {"settings": "9999", "batch sizes": [3, 4]}}, "settings was '5f3e' and is now '9999'"),
        ({"identity": {"settings": "5f3e"}}, r"batch sizes was \[3, 4\] and is now 'nothing'"),
        ({"manifest": "moses"}, "tokenizer was 'whitespace' and is now 'moses'"),
    ],
)
def test_another_job_is_not_gone_on_with(small_job, changes, difference):
    job = small_job()
    job.create().close()
    if "manifest" in changes:
        changes = {"manifest": replace(job.manifest, tokenizer=changes["manifest"])}
    message = f"partial must be gone on with as it was begun, but {difference}; use the former value, or .*"
    with pytest.raises(LayerFileError, match=message):
        job.resume(**changes)
    with job.resume(identity={"settings": "5f3e", "batch sizes": (3, 4)}) as writer:  # a tuple is a list in JSON
        assert writer.batches_done == 0


def test_one_writer_at_a_time(small_job):
    job = small_job()
    in_use = r"another process is writing .*out.hdf5; wait for it"
    with job.create():
        for begin in (job.create, job.resume, lambda: job.create(overwrite=True)):
            with pytest.raises(LayerFileError, match=in_use):
                begin()
    job.resume().close()


def test_a_file_that_cannot_fit_is_refused(small_job, monkeypatch):
    free = namedtuple("free", ["free"])
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: free(free=5_000))
    job = small_job()
    with pytest.raises(LayerFileError, match=r"needs about 69.7 kB, but its disk has 5 kB free; make room or choose"):
        job.create()
    assert list(job.path.parent.iterdir()) == []


def test_a_failed_beginning_leaves_nothing(small_job):
    job = small_job()
    with pytest.raises(LayerFileError, match="now there are 1; start again"):
        job.create(sentences=lambda: ["one"])
    assert list(job.path.parent.iterdir()) == []
    job.write_all()


def test_the_output_must_have_a_folder(small_job):
    with pytest.raises(LayerFileError, match=r"folder of the output must exist, but .*nowhere does not; create it"):
        small_job(name="nowhere/out.hdf5").create()


def test_wrong_vectors_are_refused(small_job):
    job = small_job(dtype="float16")
    with job.create() as writer:
        vectors = job.vectors(1)
        with pytest.raises(LayerFileError, match=r"sentence 1 needs floats of shape \(3, 2, 4\), got .* \(3, 3, 4\)"):
            writer.write(1, job.vectors(0))
        with pytest.raises(LayerFileError, match=r"needs floats of shape .*, got int64 of shape \(3, 2, 4\)"):
            writer.write(1, vectors.astype(np.int64))
        with pytest.raises(LayerFileError, match="beyond the range of float16; store float32"):
            writer.write(1, vectors.astype(np.float32) + 70_000)
        for index in (-1, 7):
            with pytest.raises(LayerFileError, match=f"has sentences 0 to 6, got {index}; count sentences from 0"):
                writer.write(index, vectors)
            with pytest.raises(LayerFileError, match=f"has sentences 0 to 6, got {index}"):
                writer.destination(index)
            with pytest.raises(LayerFileError, match=f"has sentences 0 to 6, got {index}"):
                writer.mark_written(index)
        assert not writer.written.any()


def test_all_sentences_must_be_there_to_finish(small_job):
    job = small_job()
    with job.create() as writer:
        for index in (0, 1, 3, 4, 6):
            writer.write(index, job.vectors(index))
        with pytest.raises(LayerFileError, match="all its 7 sentences, but 2 were not written, first sentence 2"):
            writer.finish()
        writer.write(2, job.vectors(2))
        writer.write(5, job.vectors(5))
        writer.finish()
    assert_holds(job)


def test_a_closed_writer_says_so(small_job):
    job = small_job()
    writer = job.create()
    writer.close()
    writer.close()
    for act in (lambda: writer.write(0, job.vectors(0)), lambda: writer.commit(1), writer.finish):
        with pytest.raises(LayerFileError, match=r"this writer is closed; go on with LayerFileWriter.resume\(\)"):
            act()


def test_a_damaged_partial_file_says_so(small_job):
    job = small_job()
    job.create().close()
    partial = Path(f"{job.path}.partial")
    os.truncate(partial, partial.stat().st_size // 2)
    with pytest.raises(LayerFileError, match=r"partial: the file cannot be read \(.*truncated.*\); make or copy"):
        job.resume()
    job.create(overwrite=True).close()
    Path(f"{job.path}.partial.journal").unlink()
    with pytest.raises(LayerFileError, match=r"journal is missing; start again with --overwrite"):
        job.resume()


def test_progress_hears_of_every_sentence(small_job):
    heard = []

    class Listener:
        def start(self, *, total, unit, done=0, label=""):
            heard.append((total, unit))

        def advance(self, amount):
            heard.append(amount)

        def finish(self):
            heard.append("end")

    small_job(texts=("a",) * 2500).create(progress=Listener()).close()
    assert heard == [(2500, "sentence"), 1000, 1000, 500, "end"]
