"""ELMoForManyLangs: recognised, and refused by the names of what does not fit."""

import re
import shutil

import pytest

from pytorch_elmo.errors import WeightsError
from pytorch_elmo.weights.many_langs import is_many_langs, refusal_of_many_langs


@pytest.mark.parametrize(
    ("model", "words", "characters"),
    [("model", "(38, 5)", "(56, 4)"), ("model_chars", None, "(56, 3)")],
)
def test_what_does_not_fit_is_named(golden_folder, model, words, characters):
    folder = golden_folder / "elmoformanylangs" / model
    assert is_many_langs(folder)
    message = str(refusal_of_many_langs(folder))
    assert ("word_emb_layer.embedding.weight" in message) == (words is not None)
    assert words is None or f"word_emb_layer.embedding.weight {words}, vectors of words" in message
    assert f"char_emb_layer.embedding.weight {characters}, Unicode characters" in message
    assert re.search("the 16 parameters of its LSTM layers alone would fit, so nothing was converted; go on", message)
    assert "\n" not in message


def test_a_damaged_model(golden_folder, tmp_path):
    folder = shutil.copytree(golden_folder / "elmoformanylangs" / "model", tmp_path / "model")
    path = folder / "encoder.pkl"
    path.chmod(0o644)
    folder.chmod(0o755)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(WeightsError, match=r"encoder\.pkl must hold tensors and nothing else"):
        refusal_of_many_langs(folder)


def test_other_folders(small_model_folder, tmp_path):
    assert not is_many_langs(small_model_folder)
    assert not is_many_langs(tmp_path / "none")
