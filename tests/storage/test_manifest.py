import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytorch_elmo.errors import LayerFileError
from pytorch_elmo.storage.manifest import Manifest, first_difference


def changed(manifest: Manifest, **fields) -> str:
    stored = manifest.to_dict() | fields
    return json.dumps({key: value for key, value in stored.items() if value is not ...})


@pytest.mark.parametrize("complete", [True, False])
def test_json_gives_back_the_manifest(manifest, complete):
    manifest = replace(manifest, num_layers=None, model="größer", complete=complete)
    assert Manifest.from_json(manifest.to_json(), complete=complete) == manifest
    assert manifest.to_json().isascii()
    assert "complete" not in manifest.to_dict()


def test_missing_keys_are_named(manifest):
    with pytest.raises(LayerFileError, match=r"lacks the key\(s\) dim, tokenizer; make the file again"):
        Manifest.from_json(changed(manifest, dim=..., tokenizer=...), complete=True)


def test_unknown_keys_are_named(manifest):
    with pytest.raises(LayerFileError, match=r"has the unknown key\(s\) colour; make the file again"):
        Manifest.from_json(changed(manifest, colour="red"), complete=True)


def test_another_version_is_refused(manifest):
    with pytest.raises(LayerFileError, match=r"format version must be 1, got 2; read the file with .*\(0\.1\.0\)"):
        Manifest.from_json(changed(manifest, format_version=2, more=1), complete=True)


@pytest.mark.parametrize(("text", "what"), [("{", "must be JSON"), ("[1]", "must be a JSON object")])
def test_what_is_no_json_object_is_refused(text, what):
    with pytest.raises(LayerFileError, match=what):
        Manifest.from_json(text, complete=True)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("dim", "4", r"dim of a manifest must be of type int, got '4'"),
        ("dim", True, r"dim of a manifest must be of type int, got True"),
        ("num_layers", 2.0, r"num_layers of a manifest must be of type int \| None, got 2.0"),
        ("layout", "chunked", r"layout of a manifest must be one of per-sentence, packed, got 'chunked'"),
        ("dtype", "float64", r"dtype of a manifest must be one of float32, float16, got 'float64'"),
        ("keys", "line", r"keys of a manifest must be one of index, sentence, got 'line'"),
        ("dim", 0, r"at least 1, got 0 and 3"),
        ("num_layers", 0, r"at least 1, got 4 and 0"),
    ],
)
def test_impossible_values_are_refused(manifest, field, value, message):
    with pytest.raises(LayerFileError, match=message):
        replace(manifest, **{field: value})
    with pytest.raises(LayerFileError, match=message):
        Manifest.from_json(changed(manifest, **{field: value}), complete=True)


def test_sentence_keys_need_datasets(manifest):
    with pytest.raises(LayerFileError, match="one dataset a sentence, got the packed layout; use index keys"):
        replace(manifest, layout="packed", keys="sentence")


def test_the_first_difference_tells_both_values(manifest):
    other = replace(manifest, model_hash="cd34", tokenizer="moses")
    assert first_difference(manifest.to_dict(), manifest.to_dict()) is None
    assert first_difference(manifest.to_dict(), other.to_dict()) == "model_hash was 'ab12' and is now 'cd34'"
    assert first_difference({"a": 1}, {}) == "a was 1 and is now 'nothing'"


@given(st.dictionaries(st.text(), st.integers()), st.dictionaries(st.text(), st.integers()))
def test_there_is_a_difference_if_and_only_if_records_differ(one, other):
    assert (first_difference(one, other) is None) == (one == other)
