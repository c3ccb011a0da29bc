"""Checkpoints that were cut short do not stop `--recover`."""

from types import SimpleNamespace

import pytest

pytest.importorskip("allennlp")

from allennlp.training.checkpointer import Checkpointer


def save(checkpointer: Checkpointer, epochs: int, value: object) -> None:
    state = {"epochs_completed": epochs, "batches_in_epoch_completed": 0, "value": value}
    tcps = SimpleNamespace(model_state={"value": value}, trainer_state=state)
    checkpointer.save_checkpoint(SimpleNamespace(get_checkpoint_state=lambda: tcps))


@pytest.fixture
def checkpointer(tmp_path) -> Checkpointer:
    made = Checkpointer(serialization_dir=tmp_path)
    save(made, 1, "one")
    save(made, 2, "two")
    return made


def test_the_newest_whole_one_is_loaded_and_the_rest_is_removed(tmp_path, checkpointer):
    assert checkpointer.load_checkpoint().model_state == {"value": "two"}
    (tmp_path / "training_state_e2_b0.th").unlink()
    assert checkpointer.load_checkpoint().model_state == {"value": "one"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model_state_e1_b0.th", "training_state_e1_b0.th"]


class Interrupting:
    """What cannot be saved, as the signal comes meanwhile."""

    def __reduce__(self):
        raise KeyboardInterrupt


def test_a_file_that_was_not_finished_is_not_there(tmp_path, checkpointer):
    with pytest.raises(KeyboardInterrupt):
        save(checkpointer, 3, Interrupting())
    assert not list(tmp_path.glob("*_e3_*"))
    assert checkpointer.load_checkpoint().trainer_state["value"] == "two"
