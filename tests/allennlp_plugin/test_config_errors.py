"""Errors of jsonnet and of JSON in one line, with the file and the line."""

import pytest

pytest.importorskip("allennlp")

from allennlp.common import Params
from allennlp.common.params import evaluate_file

from pytorch_elmo.allennlp_plugin.config_errors import explain_jsonnet
from pytorch_elmo.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "STATIC ERROR: a.jsonnet:2:11: unexpected end of file.",
            "a.jsonnet:2: unexpected end of file; correct it there",
        ),
        ("STATIC ERROR: a.jsonnet:(2:11)-(4:1): odd", "a.jsonnet:2: odd; correct it there"),
        ("STATIC ERROR: 1:6: unexpected end of file.", "SOURCE: unexpected end of file; correct it there"),
        (
            "RUNTIME ERROR: EPOCHS is few; set it\n\tcommon/a b.libsonnet:16:10-119\tf\n\tb.jsonnet:1:1-2\tobject\n",
            "common/a b.libsonnet:16: EPOCHS is few; set it",
        ),
        (
            "RUNTIME ERROR: deep\n\tb.jsonnet:(44:12)-(50:4)\tobject\n",
            "b.jsonnet:44: deep; correct it there",
        ),
        ("RUNTIME ERROR: something else", "SOURCE: something else; correct it there"),
    ],
)
def test_jsonnets_errors(text, line):
    assert explain_jsonnet(text, "SOURCE") == line


def test_an_import_that_is_missing(tmp_path):
    path = tmp_path / "a.jsonnet"
    path.write_text("\nimport 'none.libsonnet'", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"^\S+a\.jsonnet:2: couldn't open import .*; correct it there$"):
        Params.from_file(path)


def test_where_jsonnet_is_not_installed_it_is_jsons_error(tmp_path, monkeypatch):
    import allennlp.common.params as params

    from pytorch_elmo.allennlp_plugin.config_errors import mend_params

    monkeypatch.setattr(params, "evaluate_file", lambda filename, **_: "{\n a: 1}")
    monkeypatch.setattr(params, "evaluate_snippet", params.evaluate_snippet)
    mend_params(params)
    with pytest.raises(ConfigurationError, match=r"^a\.json:2: Expecting property name .*; correct it$"):
        params.evaluate_file("a.json")
    assert evaluate_file is not params.evaluate_file
