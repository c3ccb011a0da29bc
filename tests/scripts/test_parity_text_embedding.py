"""The part of the parity script on text embeddings: all is compared, and a change is found."""

import json
import shutil

import numpy as np
import pytest

from checks import ledger, text_embedding

NAMES = ("hub", "hub_v1", "bundles", "hub_outputs.*", "hub_v1_outputs.*", "bundles.*", "graph_facts.json",
         "fingerprint64.json", "token_files.json")  # fmt: skip


@pytest.fixture
def folder(test_data, tmp_path):
    """A copy of the golden files, to be altered."""
    for pattern in NAMES:
        for path in (test_data / "golden" / "tf").glob(pattern):
            target = tmp_path / path.name
            if path.is_dir():
                shutil.copytree(path, target, copy_function=shutil.copyfile)
            else:
                shutil.copyfile(path, target)
    for path in tmp_path.rglob("*"):
        path.chmod(0o755)
    return tmp_path


def checked(folder):
    golden = ledger.Golden(folder)
    for check in text_embedding.CHECKS:
        check(golden)
    return golden


def test_everything_is_compared(folder):
    golden = checked(folder)
    assert golden.all_faults() == []
    assert golden.files.keys() == set(golden.found("**/*"))
    compared = {name: file.compared for name, file in golden.files.items() if file.compared}
    assert compared == {
        "hub_outputs.json": 6,
        "hub_outputs.npz": 12,
        "hub_v1_outputs.json": 4,
        "hub_v1_outputs.npz": 8,
        "graph_facts.json": 10,
        "fingerprint64.json": 12,
        "token_files.json": 19,
        "bundles.json": compared["bundles.json"],
        "bundles.npz": compared["bundles.npz"],
    }
    assert compared["bundles.json"] + compared["bundles.npz"] > 270


def altered(path, change):
    document = json.loads(path.read_text("utf-8"))
    change(document)
    path.write_text(json.dumps(document), encoding="utf-8")


def test_what_was_altered_is_found(folder):
    altered(folder / "hub_outputs.json", lambda all_: all_["models"]["swivel20-oov1"]["token_ids"][3].append(7))
    altered(folder / "graph_facts.json", lambda all_: all_["hub_v1/cord8-oov1"].update(schema_version=1))
    altered(folder / "fingerprint64.json", lambda all_: all_["buckets"]["7"].append(1))
    altered(folder / "token_files.json", lambda all_: all_["files"][2]["ids"].update(a=1))
    altered(folder / "bundles.json", lambda all_: all_["bundles"]["bundles/grid"]["62"].update(bytes="00000000"))
    with np.load(folder / "hub_v1_outputs.npz") as file:
        arrays = dict(file)
    arrays["cord8-oov1/out"][0, 0] += 1e-4
    arrays["cord8-oov1/embeddings"][0, 0] += 1e-6
    np.savez(folder / "hub_v1_outputs.npz", **arrays)
    assert [" ".join(fault.split(" ")[:3]) for fault in sorted(checked(folder).all_faults())] == [
        "bundles.json: bundles/grid: b",
        "fingerprint64.json: buckets of",
        "graph_facts.json: hub_v1/cord8-oov1 is",
        "hub_outputs.json: swivel20-oov1: token_ids",
        "hub_v1_outputs.npz: cord8-oov1/embeddings is",
        "hub_v1_outputs.npz: cord8-oov1/out differs",
        "token_files.json: the file",
    ]
