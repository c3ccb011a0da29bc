"""Vectors of a run put beside a card, which then tells of them."""

from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

import package_swivel
from pytorch_elmo.commands.swivel import command
from pytorch_elmo.files import sha256_of
from pytorch_elmo.static_embeddings import TextEmbedding

CARD = """# Small

## Files
<!-- files -->
old
<!-- /files -->
<!-- texts -->
<!-- /texts -->
<!-- training -->
<!-- /training -->
<!-- neighbours -->
| word | nearest by cosine |
| --- | --- |
| red | old |
| two | |
<!-- /neighbours -->
The end.
"""


@pytest.fixture
def run(tmp_path, monkeypatch) -> Path:
    """A finished run in `run`, and a card in `package/small`."""
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text("red green blue red\none two three four\n" * 10)
    options = ["--min-count", "2", "--dim", "2", "--epochs", "40", "--submatrix-size", "4", "-q"]
    assert CliRunner().invoke(command, ["text.txt", "run", *options]).exit_code == 0
    Path("package/small").mkdir(parents=True)
    Path("package/small/README.md").write_text(CARD)
    return tmp_path / "run"


def test_a_run_is_packaged(run, run_script, monkeypatch):
    monkeypatch.setattr(package_swivel, "PACKAGE", Path("package"))
    monkeypatch.setattr(package_swivel, "NUM_NEIGHBOURS", 2)
    done = run_script("package_swivel.py", run, "small")
    assert done.returncode == 0, done.stderr
    folder = Path("package/small")
    trained, packaged = TextEmbedding.load("run/text_embedding"), TextEmbedding.load(folder)
    assert packaged.vocabulary == trained.vocabulary
    assert torch.equal(packaged.embedding_matrix, trained.embedding_matrix.half().float())
    card = (folder / "README.md").read_text()
    assert "old" not in card
    assert f"| `vocabulary.txt` | {(folder / 'vocabulary.txt').stat().st_size} | `" in card
    assert f"| `text.txt` | 380 | `{sha256_of(Path('text.txt'))}` |" in card
    assert "- 80 tokens, 100.0% of them among the 7 words; the rarest word stands 10 times; " in card
    assert "- settings: tokenizer whitespace, min_count 2, window 10, submatrix_size 4, dim 2, num_epochs 40," in card
    assert "in epoch 1, " in card
    assert "in epoch 40" in card
    assert "\n| red | blue, green |\n" in card or "\n| red | green, blue |\n" in card
    assert card.count("\n| two | ") == 1
    assert card.endswith("<!-- /neighbours -->\nThe end.\n")
    again = run_script("package_swivel.py", run, "small")
    assert without_hash(again.stdout) == without_hash(done.stdout)


def without_hash(card: str) -> list[str]:
    """All lines but that of the file of numbers, whose header has its entries in any order."""
    return [line for line in card.splitlines() if "safetensors" not in line]


def test_a_run_that_is_none(run, refusal):
    Path("run/words.txt").write_text("nothing\n")
    Path("run/text_embedding/vocabulary.txt").unlink()
    assert "run/text_embedding" in refusal("package_swivel.py", run, "small")


@pytest.mark.parametrize(
    ("arguments", "message"), [(("nowhere", "small"), "nowhere"), (("run", "nameless"), "nameless")]
)
def test_folders_that_are_not_there(run, refusal, monkeypatch, arguments, message):
    monkeypatch.setattr(package_swivel, "PACKAGE", Path("package"))
    assert message in refusal("package_swivel.py", *arguments)


def test_a_card_with_other_words(run, refusal, monkeypatch):
    monkeypatch.setattr(package_swivel, "PACKAGE", Path("package"))
    Path("package/small/README.md").write_text(CARD.replace("| two | |", "| mauve | |"))
    said = refusal("package_swivel.py", run, "small")
    assert "the card's words must have vectors, mauve have none; put others there" in said
