import multiprocessing
import pickle
import shutil
import subprocess
import sys
from dataclasses import replace

import h5py
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pytorch_elmo.errors import LayerFileError
from pytorch_elmo.storage import LayerFileReader, verify_layer_file

LAYOUTS = ["per-sentence", "packed"]


@pytest.fixture(params=LAYOUTS)
def job(request, small_job):
    job = small_job(layout=request.param)
    job.write_all()
    return job


def assert_equal(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other, strict=True)


def all_of(job):
    return [job.vectors(index) for index in range(len(job.texts))]


def test_what_it_tells(job):
    with LayerFileReader(str(job.path)) as reader:
        assert reader.manifest == replace(job.manifest, complete=True)
        assert (len(reader), reader.num_layers, reader.dim, reader.dtype) == (7, 3, 4, np.float32)
        assert reader.token_counts.tolist() == [3, 2, 3, 1, 0, 3, 1]
        assert reader.token_counts.dtype == np.int64
        assert reader.sentence_to_index == {text: 6 - job.texts[::-1].index(text) for text in job.texts}
        assert (list(reader.keys), reader.keys[1:3], "6" in reader.keys) == (list("0123456"), ["1", "2"], True)
        assert not any(key in reader.keys for key in ("7", "-1", "06", "six", 6))


def test_indexes(job):
    expected = all_of(job)
    with LayerFileReader(job.path) as reader:
        for index in range(-7, 7):
            assert_equal([reader[index], reader[np.int64(index)]], [expected[index]] * 2)
        for index in (-8, 7):
            with pytest.raises(IndexError, match=f"has 7 sentences, got index {index}; count from 0"):
                reader[index]
            with pytest.raises(LayerFileError, match=f"has 7 sentences, got index {index}"):
                reader[index]
        with pytest.raises(TypeError):
            reader["0"]
        assert_equal(list(reader), expected)


def test_slices_are_those_of_a_list(small_job):
    job = small_job(layout="packed")
    expected = all_of(job)
    bounds = st.none() | st.integers(-9, 9)
    with LayerFileReader(job.write_all()) as reader:

        @given(bounds, bounds, bounds.filter(lambda step: step != 0))
        def check(begin, end, step):
            assert_equal(reader[begin:end:step], expected[begin:end:step])

        check()


def test_by_sentence(job):
    with LayerFileReader(job.path) as reader:
        assert_equal([reader.by_sentence("the cat sat"), reader.by_sentence("")], [job.vectors(2), job.vectors(4)])
        with pytest.raises(LayerFileError, match="no sentence 'the dog'; ask for the text as it stood in the input"):
            reader.by_sentence("the dog")


def test_a_file_may_have_forgotten_its_sentences(small_job):
    path = small_job().write_all(sentences=None)
    with LayerFileReader(path) as reader:
        assert not reader.knows_sentences
        with pytest.raises(LayerFileError, match=r"without sentence_to_index \(--forget-sentences\); ask .* index"):
            reader.by_sentence("one")


def test_sentences_as_keys(small_job):
    texts = ("zebra", "and/or", "10", "and/not", "9")
    job = small_job(texts=texts, keys="sentence")
    with LayerFileReader(job.write_all()) as reader:
        assert_equal(list(reader), all_of(job))
        assert reader.sentence_to_index == {text: index for index, text in enumerate(texts)}
        assert_equal([reader.by_sentence("and/not")], [job.vectors(3)])
        assert list(reader.keys) == list(texts)


def test_no_sentences(small_job):
    for layout in LAYOUTS:
        job = small_job(texts=(), layout=layout, name=f"{layout}.hdf5")
        with LayerFileReader(job.write_all()) as reader:
            assert (len(reader), list(reader), reader[:], reader.dim) == (0, [], [], 4)


def test_a_closed_reader_says_so(job):
    reader = LayerFileReader(job.path)
    reader.close()
    reader.close()
    with pytest.raises(LayerFileError, match="this reader is closed; make another LayerFileReader"):
        reader[0]
    with pytest.raises(LayerFileError, match="this reader is closed"):
        pickle.loads(pickle.dumps(reader))[0]


READ_IN_ANOTHER_PROCESS = """
import pickle, sys
reader = pickle.load(sys.stdin.buffer)
print([vectors.tolist() for vectors in reader] == eval(sys.argv[1]), len(reader))
"""


def test_a_pickled_reader_opens_the_file_for_itself(job):
    with LayerFileReader(job.path) as reader:
        sent = pickle.dumps(reader)
        assert len(sent) < 3000
    with pickle.loads(sent) as received:
        assert_equal(list(received), all_of(job))
    expected = repr([vectors.tolist() for vectors in all_of(job)])
    command = [sys.executable, "-c", READ_IN_ANOTHER_PROCESS, expected]
    assert subprocess.run(command, input=sent, capture_output=True, check=True).stdout == b"True 7\n"


WORKERS = [
    pytest.param("per-sentence", "fork", 2),
    pytest.param("packed", "fork", 2),
    pytest.param("packed", "spawn", 1, marks=pytest.mark.slow),  # the worker imports torch anew
]


@pytest.mark.parametrize(("layout", "start_method", "num_workers"), WORKERS)
def test_in_workers_of_a_data_loader(small_job, layout, start_method, num_workers):
    job = small_job(layout=layout)
    with LayerFileReader(job.write_all()) as reader:
        assert_equal([reader[0]], [job.vectors(0)])  # the file is open when the workers begin
        loader = torch.utils.data.DataLoader(
            reader,
            num_workers=num_workers,
            batch_size=2,
            collate_fn=list,
            multiprocessing_context=multiprocessing.get_context(start_method),
        )
        assert_equal([vectors for batch in loader for vectors in batch], all_of(job))
        assert_equal(list(reader), all_of(job))


def read_all(reader, results):
    results.put([vectors.tolist() for _ in range(20) for vectors in reader])


def test_parent_and_forked_children_read_at_once(job):
    context = multiprocessing.get_context("fork")
    expected = [vectors.tolist() for _ in range(20) for vectors in all_of(job)]
    with LayerFileReader(job.path) as reader:
        results = context.Queue()
        children = [context.Process(target=read_all, args=(reader, results)) for _ in range(3)]
        for child in children:
            child.start()
        assert [vectors.tolist() for _ in range(20) for vectors in reader] == expected
        for _ in children:
            assert results.get(timeout=60) == expected
        for child in children:
            child.join()
            assert child.exitcode == 0


def test_a_replaced_file_is_noticed_by_who_opens_it_later(small_job):
    job = small_job()
    with LayerFileReader(job.write_all()) as reader:
        sent = pickle.dumps(reader)
    small_job(model_hash="cd34").write_all(overwrite=True)
    with pytest.raises(LayerFileError, match="was replaced while it was read; make another LayerFileReader"):
        pickle.loads(sent)[0]


def test_a_partial_file_is_not_read(small_job):
    job = small_job()
    with job.create() as writer:
        for index in (0, 5):
            writer.write(index, job.vectors(index))
        writer.commit(1)
    partial = job.path.with_name("out.hdf5.partial")
    with pytest.raises(LayerFileError, match=r"must be complete, but .*partial has 2 of 7 sentences; .* --resume"):
        LayerFileReader(partial)
    with pytest.raises(LayerFileError, match=r"out.hdf5 does not exist; finish out.hdf5.partial with --resume"):
        LayerFileReader(job.path)
    shutil.copy(partial, job.path)
    with pytest.raises(LayerFileError, match=r"must be complete, but .*out.hdf5 has not all of 7 sentences"):
        LayerFileReader(job.path)


def test_what_is_no_layer_file(tmp_path):
    with pytest.raises(LayerFileError, match=r"but .*gone.hdf5 does not exist; name a file of vectors"):
        LayerFileReader(tmp_path / "gone.hdf5")
    with pytest.raises(LayerFileError, match=r"but .* is a folder; name a file of vectors"):
        LayerFileReader(tmp_path)
    (tmp_path / "text").write_text("Hello\n" * 500)
    with pytest.raises(LayerFileError, match=r"must be an HDF5 file, but .*text is not; name a file of vectors"):
        LayerFileReader(tmp_path / "text")
    with h5py.File(tmp_path / "weights.hdf5", "w") as file:
        file["char_embed"] = np.zeros((261, 4), dtype=np.float32)
        file["CNN/b_cnn_0"] = np.zeros(3, dtype=np.float32)
    with pytest.raises(LayerFileError, match=r"weights.hdf5 holds a model's weights; name one of vectors"):
        LayerFileReader(tmp_path / "weights.hdf5")
    with h5py.File(tmp_path / "other.hdf5", "w") as file:
        file["0"] = np.zeros(5)
    with (
        LayerFileReader(tmp_path / "other.hdf5") as reader,
        pytest.raises(
            LayerFileError,
            match=r"sentence 0 \('0'\) must hold the vectors of its tokens, got float64 of shape \(5,\)",
        ),
    ):
        reader[0]
    h5py.File(tmp_path / "empty.hdf5", "w").close()
    with LayerFileReader(tmp_path / "empty.hdf5") as reader:
        assert len(reader) == 0
        with pytest.raises(LayerFileError, match="has no sentences, so none tells the shape; name another file"):
            _ = reader.dim


def test_a_file_without_the_right_to_read(job, monkeypatch):
    monkeypatch.setattr(
        type(job.path), "open", lambda *_: (_ for _ in ()).throw(PermissionError(13, "Permission denied"))
    )
    with pytest.raises(
        LayerFileError, match=r"out.hdf5: the file cannot be read \(.*Permission denied\); make or copy"
    ):
        LayerFileReader(job.path)


def test_every_shorter_file_is_refused(job):
    whole = job.path.read_bytes()
    for length in [*range(0, len(whole), 397), len(whole) - 1]:
        job.path.write_bytes(whole[:length])
        with pytest.raises(LayerFileError, match=r"cannot be read|must be an HDF5 file"):
            LayerFileReader(job.path)


def replace_dataset(file, name, content):
    del file[name]
    file[name] = np.asarray(content)


THREE_BY_TWO, TWELVE = np.zeros((3, 2, 4), np.float32), np.zeros((12, 3, 4), np.float32)
DAMAGES = [
    ("per-sentence", lambda file: file.pop("3"), r"sentence 3 \('3'\) cannot be read"),
    ("per-sentence", lambda file: replace_dataset(file, "0", THREE_BY_TWO), r"sentence 0 .* of shape \(3, 2, 4\)"),
    ("per-sentence", lambda file: file.attrs.pop("pytorch_elmo_token_counts"), "list of sentences cannot"),
    ("packed", lambda file: file.pop("vectors"), "list of sentences cannot be read"),
    ("packed", lambda file: replace_dataset(file, "vectors", TWELVE), r"vectors must be .* got .* shape \(12,"),
    ("packed", lambda file: replace_dataset(file, "offsets", [0, 5, 3, 8, 9, 9, 12, 13]), "offsets must rise"),
    ("packed", lambda file: replace_dataset(file, "offsets", np.arange(8)), "tokens 13, got 8 from 0 to 7"),
    ("packed", lambda file: file.attrs.pop("pytorch_elmo_complete"), "manifest cannot be read"),
    ("packed", lambda file: file.attrs.modify("pytorch_elmo_manifest", "{}"), "version must be 1, got None"),
]


@pytest.mark.parametrize(("layout", "change", "message"), DAMAGES)
def test_damage_is_one_line(small_job, layout, change, message):
    path = small_job(layout=layout).write_all()
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(LayerFileError, match=rf"^[^\n]*out.hdf5.*{message}[^\n]*$"):
        list(LayerFileReader(path))
    assert verify_layer_file(path) != []


def test_a_flipped_bit_gives_an_error_or_other_numbers(job):
    """Never another exception, and never another number of sentences or tokens."""
    whole = job.path.read_bytes()
    random = np.random.default_rng(0)
    num_errors = 0
    for position in random.integers(0, len(whole), 150).tolist():
        damaged = bytearray(whole)
        damaged[position] ^= 1 << int(random.integers(8))
        job.path.write_bytes(damaged)
        try:
            with LayerFileReader(job.path) as reader:
                assert [vectors.shape for vectors in reader] == [job.vectors(index).shape for index in range(7)]
        except LayerFileError:
            num_errors += 1
    assert num_errors >= 5
