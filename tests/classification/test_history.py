"""Histories as files."""

import pytest

from pytorch_elmo.classification.history import History
from pytorch_elmo.errors import TextError

ROWS = [
    {"round": 1, "step": 30, "loss": 0.1 + 0.2, "val_loss": 1e-7},
    {"round": 2, "step": 60, "loss": 1 / 3, "val_loss": 2.0},
]


def test_a_history_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "history.csv"
    History(ROWS, [0.5] * 60).write_csv(path)
    assert path.read_text("utf-8").splitlines()[:2] == [
        "round,step,loss,val_loss",
        "1,30,0.30000000000000004,1e-07",
    ]
    history = History.read_csv(path)
    assert history.rows == ROWS
    assert history.column("loss") == [0.1 + 0.2, 1 / 3]
    assert isinstance(history.rows[0]["round"], int)


def test_an_empty_history(tmp_path):
    History().write_csv(tmp_path / "history.csv")
    assert History.read_csv(tmp_path / "history.csv").rows == []


@pytest.mark.parametrize("line", [b"1,x", b"1", b"1,2,3", b"1,\xff"])
def test_what_is_no_number_names_its_line(tmp_path, line):
    path = tmp_path / "history.csv"
    path.write_bytes(b"round,loss\n1,2\n%b\n" % line)
    with pytest.raises(TextError, match=r"history.csv, line 3: a history holds numbers alone .*; write it anew"):
        History.read_csv(path)
