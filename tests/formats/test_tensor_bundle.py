"""TensorFlow's checkpoints: its own, and those of a slow writer, whole, sliced and damaged."""

import hashlib
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from damage import refusal, with_a_changed_bit
from pytorch_elmo.errors import WeightsError
from pytorch_elmo.formats import TensorBundle
from pytorch_elmo.formats.bundle_entry import Extent, slice_key
from slow_bundle import (
    DTYPES,
    bytes_field,
    entry,
    header,
    number_field,
    shape_message,
    table,
    tensor_bytes,
    varint,
    write_bundle,
)

NUMERIC = [name for name in DTYPES if name != "object"]
SHAPES = arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
NUMBERS = st.sampled_from(NUMERIC).flatmap(lambda name: arrays.arrays(np.dtype(name), SHAPES))
STRINGS = SHAPES.flatmap(lambda shape: arrays.arrays(object, shape, elements=st.binary(max_size=200)))
TENSORS = st.dictionaries(st.text(min_size=1, max_size=9).filter(lambda name: name[0] != "\0"), NUMBERS | STRINGS)
EXAMPLE = {
    "lm/W": np.arange(12, dtype=np.float32).reshape(3, 4),
    "lm/b": np.arange(4, dtype=np.float32),
    "words": np.array([b"one", b"", b"three"], dtype=object),
}


def same(ours: np.ndarray, theirs: np.ndarray) -> bool:
    if theirs.dtype == object:
        return ours.shape == theirs.shape and ours.reshape(-1).tolist() == theirs.reshape(-1).tolist()
    return (ours.dtype, ours.shape, ours.tobytes()) == (theirs.dtype, theirs.shape, theirs.tobytes())


@settings(max_examples=60)
@given(TENSORS, st.integers(1, 3), st.integers(1, 9), st.sampled_from([0, 1]))
def test_what_is_written_is_read(tmp_path_factory, tensors, num_shards, keys_per_block, packing):
    prefix = tmp_path_factory.mktemp("bundle") / "model.ckpt-7"
    write_bundle(prefix, tensors, num_shards=num_shards, keys_per_block=keys_per_block, packing=packing)
    bundle = TensorBundle(prefix)
    assert sorted(bundle) == sorted(tensors)
    assert len(bundle) == len(tensors)
    for name, array in tensors.items():
        assert name in bundle
        assert bundle.shape(name) == array.shape
        assert DTYPES[array.dtype.name] == DTYPES.get(bundle.dtype(name), DTYPES["object"])
        assert bundle.num_bytes(name) == len(tensor_bytes(array))
        assert same(bundle.read(name), array)


def key_of(name: str) -> str:
    """The name that the golden files give a key."""
    key = name.encode("utf-8", "surrogateescape")
    return key.hex() if len(key) < 200 else "sha256:" + hashlib.sha256(key).hexdigest()


def test_every_tensor_that_tensorflow_wrote(test_data):
    folder = test_data / "golden" / "tf"
    described = json.loads((folder / "bundles.json").read_text("utf-8"))["bundles"]
    compared = 0
    with np.load(folder / "bundles.npz") as stored:
        for prefix, tensors in described.items():
            bundle = TensorBundle(folder / prefix)
            names = {key_of(name): name for name in bundle}
            assert names.keys() == tensors.keys()
            for key, expected in tensors.items():
                assert bundle.dtype(names[key]) == expected["dtype"]
                assert list(bundle.shape(names[key])) == expected["shape"]
                assert_equal(bundle.read(names[key]), expected, stored)
                compared += 1
    assert compared > 250


def assert_equal(values: np.ndarray, expected: dict, stored) -> None:
    assert list(values.shape) == expected["shape"]
    if expected["dtype"] == "bfloat16":
        assert values.dtype == np.float32
        values = (values.view(np.uint32) >> 16).astype(np.uint16)
    if "length" in expected:
        assert len(values[()]) == expected["length"]
    elif "hex" in expected:
        assert [element.hex() for element in values.reshape(-1)] == expected["hex"]
    else:
        raw = bytes.fromhex(expected["bytes"]) if "bytes" in expected else stored[expected["array"]].tobytes()
        assert values.tobytes() == raw


def test_a_checkpoint_of_bilm_tf(golden_folder):
    folder = golden_folder / "bilm_tf_checkpoint"
    bundle = TensorBundle(folder / "model.ckpt-60")
    expected = json.loads((folder / "variables.json").read_text("utf-8"))["variables"]
    assert {name: {"shape": list(bundle.shape(name)), "dtype": bundle.dtype(name)} for name in bundle} == expected
    with np.load(folder / "tensorflow.npz") as file:
        names = [name for name in bundle if f"variable__{name.replace('/', '__')}" in file.files]
        assert len(names) > 30
        for name in names:
            assert same(bundle.read(name), file[f"variable__{name.replace('/', '__')}"])


def sliced(name: str, array: np.ndarray, parts: list[tuple[slice, ...]], extents: list[list[Extent]]) -> dict:
    """Entries of a tensor in slices whose bytes stand in one data file, and these bytes."""
    messages, stored, content = b"", {}, b""
    for places, part in zip(parts, extents, strict=True):
        extent_messages = b"".join(
            bytes_field(1, number_field(1, start) + (b"" if length < 0 else varint(2 << 3) + varint(length)))
            for start, length in part
        )
        messages += bytes_field(7, extent_messages)
        values = tensor_bytes(array[places])
        stored[slice_key(name.encode(), tuple(part))] = entry(
            1, array[places].shape, offset=len(content), content=values
        )
        content += values
    stored[name.encode()] = entry(1, array.shape, slices=messages)
    return stored | {b"content": content}


ARRAY = np.arange(15, dtype=np.float32).reshape(3, 5)
PARTS = [(slice(0, 2), slice(0, 5)), (slice(2, 3), slice(0, 5))]
EXTENTS = [[Extent(0, 2), Extent(0, -1)], [Extent(2, 1), Extent(0, -1)]]


def write_sliced(prefix, change=lambda stored: None) -> None:
    stored = sliced("part", ARRAY, PARTS, EXTENTS)
    content = stored.pop(b"content")
    change(stored)
    write_bundle(prefix, {}, extra=stored)
    prefix.with_name(prefix.name + ".data-00000-of-00001").write_bytes(content)


def test_slices_are_joined(tmp_path):
    write_sliced(tmp_path / "model")
    bundle = TensorBundle(tmp_path / "model")
    assert list(bundle) == ["part"]
    assert bundle.num_bytes("part") == ARRAY.nbytes
    assert same(bundle.read("part"), ARRAY)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda s: s.pop(slice_key(b"part", tuple(EXTENTS[1]))),
            "the data of one of its slices are not in the index",
        ),
        (
            lambda s: s.update({slice_key(b"part", tuple(EXTENTS[1])): entry(1, (5,), content=bytes(20))}),
            r"one of its slices has the shape \(5,\), which is not the slice's",
        ),
        (
            lambda s: s.update({b"part": s[b"part"].replace(shape_message((3, 5)), shape_message((4, 5)))}),
            "its slices are not the whole tensor",
        ),
        (
            lambda s: s.update({b"part": s[b"part"].replace(shape_message((3, 5)), shape_message((2, 5)))}),
            "a slice from 2 to 3 lies outside an axis of 2",
        ),
        (
            lambda s: s.update({b"part": entry(1, (15,), slices=bytes_field(7, bytes_field(1, b"") * 2))}),
            "a slice has 2 axes, the tensor 1",
        ),
    ],
)
def test_slices_that_do_not_fit(tmp_path, change, reason):
    write_sliced(tmp_path / "model", change)
    with pytest.raises(WeightsError, match=rf"model\.index(: part)?: {reason}.*; fetch the checkpoint anew"):
        TensorBundle(tmp_path / "model").read("part")


@pytest.mark.parametrize(
    ("number", "written"),
    [(0, "80"), (63, "bf"), (-1, "7f"), (-64, "40"), (64, "c040"), (-65, "3fbf"), (8191, "dfff"), (8192, "e02000")],
)
def test_numbers_in_keys_of_slices(number, written):
    """The order of the bytes is that of the numbers."""
    key = slice_key(b"", (Extent(number, 0),))
    assert key.removeprefix(b"\0\0\1\1\1").removesuffix(b"\x80").hex() == written


@given(st.lists(st.integers(-(2**40), 2**40), min_size=2, max_size=20))
def test_keys_of_slices_sort_as_their_numbers(numbers):
    keys = [slice_key(b"a\0\xff", (Extent(number, 0),)) for number in numbers]
    assert sorted(keys) == [slice_key(b"a\0\xff", (Extent(number, 0),)) for number in sorted(numbers)]


def test_a_changed_bit_of_the_data_is_always_found(tmp_path):
    write_bundle(tmp_path / "model", EXAMPLE)
    path = tmp_path / "model.data-00000-of-00001"
    content = path.read_bytes()
    for damaged in with_a_changed_bit(content, 200):
        path.write_bytes(damaged)
        bundle = TensorBundle(tmp_path / "model")
        refused = [refusal(bundle.read, name) for name in bundle]
        assert sum(message is not None for message in refused) == 1


def test_a_changed_bit_of_the_index_is_found_or_changes_nothing(tmp_path):
    write_bundle(tmp_path / "model", EXAMPLE)
    path = tmp_path / "model.index"
    content = path.read_bytes()
    for damaged in with_a_changed_bit(content, 200):
        path.write_bytes(damaged)
        message = refusal(TensorBundle, tmp_path / "model")
        if message is None:
            bundle = TensorBundle(tmp_path / "model")
            assert all(same(bundle.read(name), array) for name, array in EXAMPLE.items())
        else:
            assert "model.index: " in message
            assert message.endswith("; fetch the checkpoint anew")


def test_cut_off(tmp_path):
    write_bundle(tmp_path / "model", EXAMPLE)
    index, data = tmp_path / "model.index", tmp_path / "model.data-00000-of-00001"
    whole = data.read_bytes()
    data.write_bytes(whole[:-1])
    with pytest.raises(WeightsError, match=r"00001: words: it ends at byte 79, the file at 78: it is cut off"):
        TensorBundle(tmp_path / "model").read("words")
    assert same(TensorBundle(tmp_path / "model").read("lm/W"), EXAMPLE["lm/W"])  # the others are whole
    index.write_bytes(index.read_bytes()[:-1])
    with pytest.raises(WeightsError, match=r"model\.index: it does not end as a table does: it is cut off, or"):
        TensorBundle(tmp_path / "model")


def test_files_that_are_missing(tmp_path):
    with pytest.raises(
        WeightsError, match=r"cannot read the index of a checkpoint, .*model\.index: No such file .*name"
    ):
        TensorBundle(tmp_path / "model")
    write_bundle(tmp_path / "model", EXAMPLE, num_shards=2)
    (tmp_path / "model.data-00001-of-00002").unlink()
    bundle = TensorBundle(tmp_path / "model")
    assert same(bundle.read("lm/W"), EXAMPLE["lm/W"])
    message = r"model\.data-00001-of-00002: lm/b: cannot read it: No such file or directory; all files .* fetch them"
    with pytest.raises(WeightsError, match=message):
        bundle.read("lm/b")


def test_names_that_are_not_there(tmp_path):
    write_bundle(tmp_path / "model", EXAMPLE)
    for read in (TensorBundle.read, TensorBundle.shape, TensorBundle.dtype, TensorBundle.num_bytes):
        with pytest.raises(WeightsError, match=r"the checkpoint .*model has no tensor lm/X; it has 3 others"):
            read(TensorBundle(tmp_path / "model"), "lm/X")
    assert "lm/X" not in TensorBundle(tmp_path / "model")


def test_a_dtype_that_is_not_known(tmp_path):
    write_bundle(tmp_path / "model", EXAMPLE, extra={b"new": entry(21, (2,), content=b"ab")})
    bundle = TensorBundle(tmp_path / "model")
    assert bundle.dtype("new") == "dtype 21"
    with pytest.raises(WeightsError, match=r"model: new has the unknown dtype 21; known are float32, float64, int32"):
        bundle.read("new")
    assert same(bundle.read("lm/W"), EXAMPLE["lm/W"])


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (b"", "it has no header"),
        (header(endianness=1), "its numbers are big-endian, which is not read here"),
        (header(oldest_reader=2), "it is of a version that came later"),
        (b"\xff", "a number at byte 0 is cut off or too long"),
    ],
)
def test_headers(tmp_path, first, reason):
    write_bundle(tmp_path / "model", EXAMPLE, first=first)
    with pytest.raises(WeightsError, match=rf"model\.index: {reason}; fetch the checkpoint anew"):
        TensorBundle(tmp_path / "model")


def test_a_table_without_a_header(tmp_path):
    (tmp_path / "model.index").write_bytes(table([(b"a", entry(1, ()))]))
    with pytest.raises(WeightsError, match=r"model\.index: it has no header; fetch"):
        TensorBundle(tmp_path / "model")


@pytest.mark.parametrize(
    ("stored", "content", "reason"),
    [
        (entry(1, (3,), content=b"abcd"), b"abcd", r"it has 4 bytes, its shape \(3,\) does not"),
        (entry(1, (1,), content=b"abcd"), b"abce", "its check sum is wrong"),
        (entry(7, (9,), content=b"abcd"), b"abcd", r"it has 4 bytes, too few for the shape \(9,\)"),
        (entry(7, (1,), content=b"\3aaaabcd"), b"\3aaaabcd", "the check sum of its lengths is wrong"),
        (entry(7, (1,), content=b"\4aaaabcd"), b"\4aaaabcd", "its strings have 4 bytes, there are 3"),
        (entry(7, (1,), content=b"\xff\xff"), b"\xff\xff", "a number at byte 0 is cut off or too long"),
        (entry(1, (2**40, 2**40)), b"", "it has 0 bytes, its shape"),
    ],
)
def test_entries_that_contradict_their_data(tmp_path, stored, content, reason):
    write_bundle(tmp_path / "model", {}, extra={b"x": stored})
    (tmp_path / "model.data-00000-of-00001").write_bytes(content)
    with pytest.raises(WeightsError, match=rf"00001: x: ({reason}).*; fetch the checkpoint anew"):
        TensorBundle(tmp_path / "model").read("x")


def test_a_shape_that_is_not_known(tmp_path):
    write_bundle(tmp_path / "model", {}, extra={b"x": entry(1, (-1,))})
    with pytest.raises(WeightsError, match=r"a shape must be known, \(-1,\) is not"):
        TensorBundle(tmp_path / "model")


def test_bfloat16_becomes_float32(tmp_path):
    numbers = np.array([1.0, -2.5, 0.0, 3e38], dtype=np.float32)
    upper = (numbers.view(np.uint32) >> 16).astype(np.uint16)
    write_bundle(tmp_path / "model", {}, extra={b"x": entry(14, (2, 2), content=upper.tobytes())})
    (tmp_path / "model.data-00000-of-00001").write_bytes(upper.tobytes())
    bundle = TensorBundle(tmp_path / "model")
    assert bundle.dtype("x") == "bfloat16"
    assert same(bundle.read("x"), (upper.astype(np.uint32) << 16).view(np.float32).reshape(2, 2))
