"""The text embeddings in the package: found by name, small, and what their cards say."""

import re
from pathlib import Path

import pytest
import torch

from pytorch_elmo.files import sha256_of
from pytorch_elmo.pretrained.text_embeddings import TEXT_EMBEDDINGS, text_embedding_folder
from pytorch_elmo.static_embeddings import TextEmbedding

MOST_BYTES = 5_000_000


def test_names_and_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    packaged = text_embedding_folder("swivel-20")
    assert packaged.name == "swivel-20"
    assert (packaged / "README.md").is_file()
    assert text_embedding_folder("./swivel-20") == Path("swivel-20")
    assert text_embedding_folder(Path("swivel-20")) == Path("swivel-20")
    TextEmbedding(["here"], torch.ones(2, 3)).save("swivel-20")
    assert TextEmbedding.load("./swivel-20").vocabulary == ["here"]


@pytest.fixture(params=TEXT_EMBEDDINGS)
def folder(request) -> Path:
    """Of a packaged embedding."""
    return text_embedding_folder(request.param)


def test_it_is_small_and_its_card_is_its_own(folder):
    card = (folder / "README.md").read_text("utf-8")
    files = sorted(path for path in folder.iterdir() if path.name != "README.md")
    assert [path.name for path in files] == ["text_embedding.safetensors", "vocabulary.txt"]
    for path in files:
        assert path.stat().st_size <= MOST_BYTES
        assert f"| `{path.name}` | {path.stat().st_size:,} | `{sha256_of(path)}` |" in card
    assert "EPOCHS" not in card
    rows = re.findall(r"^\| (\S+) \| (\S+, ){5}\S+ \|$", card, flags=re.MULTILINE)
    assert len(rows) == 10


def test_its_words_are_nobodys(folder):
    embedding = TextEmbedding.load(folder.name)
    assert not [word for word in embedding.vocabulary if "@" in word or re.search(r"\d{5}", word)]
    assert (len(embedding), embedding.dimension) == {
        "swivel-20": (20_001, 20),
        "swivel-100": (24_001, 100),
        "swivel-science-128": (19_001, 128),
    }[folder.name]


def test_nine_terms_of_three_kinds():
    """Mean inner products within each kind are above all between two, as in the picture of TensorFlow's tutorial."""
    embedding = TextEmbedding.load("swivel-science-128")
    terms = embedding(
        ["coronavirus", "SARS", "MERS", "Italy", "Spain", "Europe", "cough", "fever", "throat"]
    ).detach()
    kinds = (terms @ terms.T).view(3, 3, 3, 3).permute(0, 2, 1, 3)  # kind, kind, term, term
    within = [kind[~torch.eye(3, dtype=torch.bool)].mean() for kind in kinds[range(3), range(3)]]
    between = [kinds[first, second].mean() for first in range(3) for second in range(first)]
    assert min(within) > max(between)
