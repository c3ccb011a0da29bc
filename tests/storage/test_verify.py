import os
import shutil

import h5py
import numpy as np
import pytest

from pytorch_elmo.storage import verify_layer_file


@pytest.fixture(params=["per-sentence", "packed"])
def job(request, small_job):
    job = small_job(layout=request.param)
    job.write_all()
    return job


def findings_of(job, **arguments):
    given = {"token_counts": job.token_counts, "sentences": job.sentences, **arguments}
    return verify_layer_file(job.path, **given)


def spoil(job, index, value):
    """Put a value into one sentence behind the writer's back."""
    with h5py.File(job.path, "r+") as file:
        if "vectors" in file:
            begin, end = file["offsets"][index : index + 2]
            file["vectors"][begin:end] = value
        else:
            file[str(index)][...] = value


def test_a_whole_file_has_no_findings(job):
    assert findings_of(job) == []
    assert verify_layer_file(job.path) == []


@pytest.mark.parametrize(
    ("value", "finding"),
    [
        (np.nan, "sentence 3 (line 4) has values that are no numbers (NaN) or infinite"),
        (-np.inf, "sentence 3 (line 4) has values that are no numbers (NaN) or infinite"),
        (0, "sentence 3 (line 4) has nothing but zeros, as if it had never been written"),
    ],
)
def test_values(job, value, finding):
    spoil(job, 3, value)
    assert findings_of(job) == [finding]


def test_many_findings_are_counted(small_job):
    job = small_job(texts=("a b",) * 50)
    job.write_all()
    for index in range(10, 45):
        spoil(job, index, np.nan)
    findings = findings_of(job)
    assert len(findings) == 21
    assert findings[0].startswith("sentence 10 (line 11)")
    assert findings[-1] == "and 15 more of this kind: values"


def test_a_file_that_cannot_be_opened(job):
    os.truncate(job.path, 3000)
    (finding,) = findings_of(job)
    assert "out.hdf5: the file cannot be read" in finding


def test_a_file_that_is_not_complete(small_job):
    job = small_job()
    job.create().close()
    shutil.copy(f"{job.path}.partial", job.path)
    (finding,) = findings_of(job)
    assert "a layer file must be complete" in finding


def test_a_missing_sentence(small_job):
    job = small_job()
    job.write_all()
    with h5py.File(job.path, "r+") as file:
        del file["5"]
    (finding,) = findings_of(job)
    assert finding.startswith("sentence 5 (line 6): ")
    assert "doesn't exist" in finding


def test_sentences_missing_at_the_end(job):
    token_counts = np.append(job.token_counts, 2)
    findings = findings_of(job, token_counts=token_counts, sentences=lambda: [*job.texts, "good bye"])
    assert findings == [
        "the input has 8 sentences, the file 7",
        "sentence 7 (line 8) of the input is not in the file: 'good bye'",
    ]


def test_an_input_that_is_shorter(job):
    findings = findings_of(job, token_counts=job.token_counts[:6], sentences=lambda: job.texts[:6])
    assert findings == ["the input has 6 sentences, the file 7", "sentence 6 of the file is not in the input: 'one'"]


def test_other_lengths_and_texts(job):
    texts = list(job.texts)
    texts[1], texts[6] = 'Übung macht "den" Meister', "the cat sat"
    findings = findings_of(job, token_counts=np.array([3, 4, 3, 1, 0, 3, 3]), sentences=lambda: texts)
    assert findings == [
        "sentence 1 (line 2) has 2 tokens, in the input it has 4",
        "sentence 6 (line 7) has 1 tokens, in the input it has 3",
        "sentence 6 (line 7) of the input is sentence 2 in the file: 'the cat sat'",
        "sentence 1 (line 2) of the input is not in the file: 'Übung macht \"den\" Meister'",
        "sentence 1 of the file is not in the input: 'Übung \"macht\"'",
        "sentence 6 of the file is not in the input: 'one'",
    ]


def test_sentences_as_keys(small_job):
    job = small_job(texts=("b", "a/x", "a/y y"), keys="sentence")
    job.write_all()
    assert findings_of(job) == []
    assert findings_of(job, sentences=lambda: ["b", "a/y y", "a//x"], token_counts=None) == [
        "sentence 1 (line 2) of the input is sentence 2 in the file: 'a/y y'",
        "sentence 2 (line 3) of the input is sentence 1 in the file: 'a/x'",
    ]


def test_foreign_datasets(job):
    with h5py.File(job.path, "r+") as file:
        file["07"] = np.zeros((3, 1, 4))
        file["group/7"] = np.zeros((3, 1, 4))
    assert findings_of(job) == [
        "dataset '07' is neither a sentence nor a part of the layout",
        "dataset 'group/7' is neither a sentence nor a part of the layout",
    ]


def test_files_without_manifest(small_job):
    job = small_job()
    job.write_all()
    with h5py.File(job.path, "r+") as file:
        for name in list(file.attrs):
            del file.attrs[name]
    assert findings_of(job) == []
    with h5py.File(job.path, "r+") as file:
        del file["1"], file["2"], file["3"]
        file["2"] = np.ones((3, 3, 5), dtype=np.float32)
        file["3"] = np.ones((3, 1, 4), dtype=np.float64)
    findings = findings_of(job)
    assert [line.split(" (")[0] for line in findings] == ["sentence 1", "sentence 2", "sentence 3"]
    assert "float32 of shape (3, 3, 5), where num_layers, num_tokens, dim are (3, 3, 4)" in findings[1]
    assert "float64 of shape (3, 1, 4)" in findings[2]


def test_progress_hears_of_every_sentence(job):
    heard = []

    class Listener:
        def start(self, *, total, unit, done=0, label=""):
            heard.append((total, unit))

        def advance(self, amount):
            heard.append(amount)

        def finish(self):
            heard.append("end")

    findings_of(job, progress=Listener())
    assert heard == [(7, "sentence"), *[1] * 7, "end"]
