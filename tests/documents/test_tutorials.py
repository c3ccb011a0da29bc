"""The tutorial notebooks run from top to bottom on tiny data of the form of the real ones."""

import json
import random
import re
from pathlib import Path

import pytest

from notebooks import PATHS, TUTORIALS, cells_of, run

WORDS = ["the", "film", "a", "story", "plot", "scene", "actor", "and", "so", "very", "of", "it", "was", "music"]
TONES = {"neg": ["bad", "dull", "awful"], "pos": ["good", "fine", "lovely"]}
CLASSES = {"method": "we used", "background": "is known", "result": "agrees with"}
REVIEWS = 12
# What the cell that names the sizes says instead; 002 has smaller vocabularies than the tiny data have words.
TINY = {
    "000": "SEEDS, STEPS, EVAL_EVERY, BATCH_SIZE, LEARNING_RATE, ELMO_EPOCHS = (1, 2), 40, 10, 4, 0.01, 2",
    "001": f"SEEDS, EPOCHS, BATCH_SIZE, REVIEWS_PER_FOLDER = (1, 2), 2, 8, {REVIEWS}",
    "002": "SEEDS, EPOCHS, BATCH_SIZE, VOCABULARY_SIZE, NEW_VOCABULARY_SIZE = (1, 2), 2, 8, 15, 20\n"
    f"SEQUENCE_LENGTH, DIMENSION, REVIEWS_PER_FOLDER = 10, 16, {REVIEWS}",
    "004": f"SEEDS, EPOCHS, BATCH_SIZE, NUM_WORDS, REVIEWS_PER_FOLDER = (1, 2), 2, 8, 6, {REVIEWS}",
}


def words(chance: random.Random, tone: list[str]) -> str:
    return " ".join(chance.choices(WORDS + 4 * tone, k=12)) + ".<br />"


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """`imdb/aclImdb` and `scicite/`, made up."""
    folder, chance = tmp_path_factory.mktemp("data"), random.Random(5)
    for part in ("train", "test"):
        for name, tone in TONES.items():
            reviews = folder / "imdb" / "aclImdb" / part / name
            reviews.mkdir(parents=True)
            for number in range(REVIEWS):
                (reviews / f"{number}_{9 if name == 'pos' else 2}.txt").write_text(
                    words(chance, tone), encoding="utf-8"
                )
        lines = [
            json.dumps(
                {
                    "string": f"{words(chance, [phrase])} {phrase} it",
                    "label": label,
                    "unique_id": f"{part}{number}{label}",
                }
            )
            for number in range(10)
            for label, phrase in CLASSES.items()
        ]
        (folder / "scicite").mkdir(exist_ok=True)
        (folder / "scicite" / f"{part}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def sources(path: Path) -> list[str]:
    """The cells, with tiny sizes in place of the real ones."""
    cells = ["".join(cell["source"]) for cell in cells_of(path)]
    (place,) = [number for number, cell in enumerate(cells) if cell.startswith("SEEDS")]
    given = set(re.findall(r"[A-Z_]{2,}", cells[place]))
    assert given == set(re.findall(r"[A-Z_]{2,}", TINY[path.stem[:3]]))
    cells[place] = TINY[path.stem[:3]]
    return cells


@pytest.mark.slow
@pytest.mark.parametrize("name", TUTORIALS)
def test_it_runs(name, data, tmp_path):
    for package in ("matplotlib", "pandas", "tensorboard"):
        pytest.importorskip(package)
    folder = tmp_path / "notebooks"
    folder.mkdir()
    path = next(path for path in PATHS if path.stem == name)
    ended = run(sources(path), folder, DATA=data)
    assert ended.returncode == 0, ended.stderr
    assert "±" in ended.stdout


@pytest.mark.parametrize("name", TUTORIALS)
def test_excerpts_of_the_data_are_few(name):
    """A data set is not ours to print: at most ten of its texts, each cut short."""
    path = next(path for path in PATHS if path.stem == name)
    shown = "".join(
        json.dumps(cell["outputs"]) for cell in cells_of(path) if "image/png" not in json.dumps(cell["outputs"])
    )
    assert shown.count(" ...\\n") <= 10
    texts = re.findall(r"<td>([^<]{30,})</td>", shown)
    assert len(texts) <= 20
    assert all(len(text) <= 70 for text in texts)
