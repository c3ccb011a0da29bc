"""SavedModels: what TensorFlow's say of themselves, and those of a slow writer, whole and damaged."""

import json
from importlib import import_module

import numpy as np
import pytest

from damage import refusal, with_a_changed_bit
from pytorch_elmo.errors import WeightsError
from pytorch_elmo.formats import read_saved_model
from slow_saved_model import KEY, meta_graph, text_nodes, write_saved_model

facts_of = import_module("checks.graphs").facts_of


def test_every_fact_of_tensorflows_own(test_data):
    folder = test_data / "golden" / "tf"
    described = json.loads((folder / "graph_facts.json").read_text("utf-8"))
    assert len(described) == 10
    for name, expected in described.items():
        saved = read_saved_model(folder / name)
        assert facts_of(saved) == expected
        assert saved.is_hub_module == name.startswith("hub_v1/")
        assert list(saved.meta_graphs[0].assets) == ["tokens.txt"]
        assert saved.asset("tokens.txt").is_file()


@pytest.mark.parametrize("old", [False, True])
def test_what_is_written_is_read(tmp_path, old):
    nodes = text_nodes(num_buckets=5)
    saved = read_saved_model(write_saved_model(tmp_path / "model", nodes, old=old))
    assert saved.schema_version == (0 if old else 1)
    assert saved.is_hub_module == old
    (graph,) = saved.meta_graphs
    assert graph.tags == ("serve",)
    assert graph.assets == {"tokens.txt": "asset:0"}
    assert [(node.name, node.op, list(node.inputs)) for node in graph.nodes] == [part[:3] for part in nodes]
    assert {node.scope for node in graph.nodes} == {"" if old else "embed"}
    named = {node.name: node for node in graph.nodes}
    assert named["bucket"].number("num_buckets") == 5
    assert named["start"].number("key_index") == -2
    assert named["bucket"].number("seed") is None
    assert named["bucket"].text("pattern") is None
    assert graph.source_of(named["split"], 1) == named["space"]
    assert graph.source_of(named["split"], 0) is None  # an argument
    assert graph.source_of(named["split"], 2) is None
    assert named["space"].constant_strings == [b" "]
    assert list(saved.variables) == ["embeddings" if old else KEY]
    np.testing.assert_array_equal(saved.variables.read("embeddings" if old else KEY), [[0, 1], [2, 3], [4, 5]])


def test_parts_that_are_missing(tmp_path):
    with pytest.raises(
        WeightsError, match=r"must hold saved_model\.pb, cannot read .*: No such file.*; name the fold"
    ):
        read_saved_model(tmp_path)
    folder = write_saved_model(tmp_path / "model", text_nodes())
    (folder / "variables" / "variables.index").unlink()
    with pytest.raises(
        WeightsError, match=r"must hold variables/variables\.index and .*model does not; copy the who"
    ):
        read_saved_model(folder)


@pytest.mark.parametrize("name", ["../secret.txt", "/etc/hostname", "gone.txt", ""])
def test_an_asset_that_is_not_in_the_folder(tmp_path, name):
    folder = write_saved_model(tmp_path / "model", text_nodes(), asset=name)
    (folder / "secret.txt").write_text("a\n")
    saved = read_saved_model(folder)
    with pytest.raises(WeightsError, match=r"model: its asset '.*' is not in its folder assets; fetch it anew"):
        saved.asset(name)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it has no graph"),
        (b"\x12\x09ab", "a field at byte 2 is cut off"),
        (b"\x12\x04\x12\x02\x0a\xff", "a number|a field"),
        (b"\x10\x01", "field 2 of a message is not of the kind that it should be"),
    ],
)
def test_damaged_graphs(tmp_path, content, reason):
    folder = write_saved_model(tmp_path / "model", text_nodes())
    (folder / "saved_model.pb").write_bytes(content)
    with pytest.raises(WeightsError, match=rf"saved_model\.pb: ({reason}).*; fetch the model anew"):
        read_saved_model(folder)


def test_a_module_of_another_format(tmp_path):
    folder = write_saved_model(tmp_path / "model", text_nodes(), old=True)
    (folder / "tfhub_module.pb").write_bytes(b"\x08\x04")
    with pytest.raises(WeightsError, match=r"a module of TF1's hub must have the format 3, got 4; fetch the model"):
        read_saved_model(folder)


def test_a_changed_bit_is_refused_or_read(tmp_path):
    """The format has no check sum; what is read may differ, but nothing else goes wrong."""
    folder = write_saved_model(tmp_path / "model", text_nodes())
    path = folder / "saved_model.pb"
    messages = set()
    for damaged in with_a_changed_bit(path.read_bytes(), 200):
        path.write_bytes(damaged)
        messages.add(refusal(read_saved_model, folder))
    assert len(messages) > 3


def test_several_graphs(tmp_path):
    graphs = [meta_graph(text_nodes(), tags=()), meta_graph(text_nodes(), tags=("train",))]
    saved = read_saved_model(write_saved_model(tmp_path / "model", [], graphs=graphs))
    assert [graph.tags for graph in saved.meta_graphs] == [(), ("train",)]
