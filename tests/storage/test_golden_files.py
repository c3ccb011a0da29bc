"""Files written by `allennlp elmo` 0.9: read by our reader, and written once more, the same, by our writer."""

import json

import h5py
import numpy as np
import pytest

from pytorch_elmo.storage import LayerFileReader, LayerFileWriter, verify_layer_file

NUM_FILES = 39
INDEX_NAME = "sentence_to_index"


@pytest.fixture
def cases(golden_folder):
    """For each file: its path, the lines of its input, whether sentences are keys, its content as described."""
    folder = golden_folder / "goldens_0.9.0" / "cli"
    described = json.loads((folder / "index.json").read_text("utf-8"))
    found = []
    for case in described.values():
        if "file" in case:
            name = case["arguments"][0].replace("-", "sentences_unique.txt")
            with (golden_folder / "inputs" / name).open(encoding="utf-8") as file:
                lines = [line.strip() for line in file]
            found.append((folder / case["file"], lines, "--use-sentence-keys" in case["arguments"], case["content"]))
    assert len(found) == NUM_FILES
    return found


def datasets_of(path):
    """Path -> dtype, shape and bytes of every dataset; groups have None."""
    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Group):
            found[name] = None
            return
        assert len(item.attrs) == 0
        assert (item.chunks, item.compression, item.maxshape) == (None, None, item.shape)
        content = item[0] if name == INDEX_NAME else item[...].tobytes()
        found[name] = (item.dtype, h5py.check_string_dtype(item.dtype), item.shape, content)

    with h5py.File(path) as file:
        file.visititems(visit)
    return found


@pytest.mark.golden
def test_every_file_is_read(cases):
    for path, lines, has_sentence_keys, content in cases:
        with LayerFileReader(path) as reader, h5py.File(path) as file:
            shapes = [item["shape"] for key, item in content.items() if item != "group" and key != INDEX_NAME]
            assert reader.manifest is None
            assert len(reader) == len(shapes)
            assert sorted(list(vectors.shape) for vectors in reader) == sorted(shapes)
            for key, vectors in zip(reader.keys, reader, strict=True):
                np.testing.assert_array_equal(vectors, file[key][...], strict=True)
            if len(reader):
                last = reader[-1]
                assert reader.num_layers == (last.shape[0] if last.ndim == 3 else None)
                assert (reader.dim, reader.dtype) == (last.shape[-1], np.float32)
            assert reader.token_counts.tolist() == [vectors.shape[-2] for vectors in reader]
            assert reader.knows_sentences == (INDEX_NAME in content or (has_sentence_keys and len(reader) > 0))
            for text in lines if reader.knows_sentences and len(reader) == len(lines) else ():
                key = text if has_sentence_keys else json.loads(content[INDEX_NAME]["value"])[text]
                np.testing.assert_array_equal(reader.by_sentence(text), file[key][...], strict=True)


@pytest.mark.golden
def test_every_file_is_whole_or_said_not_to_be(cases):
    for path, lines, has_sentence_keys, _ in cases:
        assert verify_layer_file(path) == []
        token_counts = np.array([len(line.split()) for line in lines], dtype=np.int64)
        stopped = path.stem in {"batch_size_0", "batch_size_minus_1"} or path.stem.startswith("sentence_keys_")
        if stopped and path.stem not in {"sentence_keys_forget", "sentence_keys_slash"}:
            findings = verify_layer_file(path, token_counts=token_counts, sentences=lambda lines=lines: lines)
            assert any("the input has" in line for line in findings)
        elif has_sentence_keys:  # in the order of the names, so that lengths cannot be compared
            assert verify_layer_file(path, sentences=lambda lines=lines: lines) == []
        else:
            assert verify_layer_file(path, token_counts=token_counts, sentences=lambda lines=lines: lines) == []


@pytest.mark.golden
def test_every_file_is_written_the_same(cases, small_job, tmp_path):
    num_written = 0
    for path, lines, has_sentence_keys, content in cases:
        with LayerFileReader(path) as theirs:
            if len(theirs) != len(lines):
                continue  # AllenNLP stopped half-way
            order = [lines.index(key) for key in theirs.keys] if has_sentence_keys else range(len(lines))
            vectors = dict(zip(order, theirs, strict=True))
            manifest = small_job(
                num_sentences=len(lines),
                num_tokens=sum(array.shape[-2] for array in vectors.values()),
                num_layers=theirs.num_layers if lines else 2,
                dim=theirs.dim if lines else 10,
                keys="sentence" if has_sentence_keys else "index",
            ).manifest
        with LayerFileWriter.create(
            tmp_path / path.name,
            manifest=manifest,
            token_counts=np.array([vectors[index].shape[-2] for index in range(len(lines))], dtype=np.int64),
            identity={},
            sentences=(lambda lines=lines: lines) if INDEX_NAME in content else None,
            keys=(lambda lines=lines: lines) if has_sentence_keys else None,
        ) as writer:
            for index, array in vectors.items():
                writer.write(index, array)
            writer.finish()
        assert datasets_of(tmp_path / path.name) == datasets_of(path)
        num_written += 1
    assert num_written >= 34
