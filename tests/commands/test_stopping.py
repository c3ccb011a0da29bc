"""Jobs that are stopped, or in the way of each other: nothing that was said to be safe is lost."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pytorch_elmo.storage import partial_state, verify_layer_file

BATCHES_OF_TWO = ("--batch-size", 2)  # `text` is three of them


@pytest.fixture
def in_peace(text, embed) -> bytes:
    """The bytes of the file that nothing has stopped."""
    assert embed(text, "peace.hdf5", *BATCHES_OF_TWO).code == 0
    content = Path("peace.hdf5").read_bytes()
    Path("peace.hdf5").unlink()
    return content


@pytest.fixture
def stopped(text, embed, in_peace, during_embedding):
    """`out.hdf5.partial` of a job that was stopped after its first batch of two sentences."""
    during_embedding(lambda: signal.raise_signal(signal.SIGINT), batch=1)
    ended = embed(text, "out.hdf5", *BATCHES_OF_TWO)
    during_embedding(None)
    assert ended.code == 130
    assert partial_state(Path("out.hdf5")) == "partial"
    return ended


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_batch_and_says_how_to_go_on(text, embed, in_peace, during_embedding, number):
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    during_embedding(lambda: signal.raise_signal(number), batch=2)
    ended = embed(text, "out.hdf5", *BATCHES_OF_TWO)
    assert ended.code == 130
    assert ended.err.splitlines() == [
        "stopping after this batch; once more stops at once",
        "stopped: 4 of 6 sentences are safe in out.hdf5.partial; the same command with --resume goes on",
    ]
    assert not Path("out.hdf5").exists()
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers
    during_embedding(None)
    assert embed(text, "out.hdf5", *BATCHES_OF_TWO, "--resume").code == 0
    assert Path("out.hdf5").read_bytes() == in_peace
    assert sorted(os.listdir()) == ["out.hdf5", "text.txt"]


def test_a_second_signal_stops_at_once(text, embed, in_peace, during_embedding):
    def twice() -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    during_embedding(twice, batch=2)
    ended = embed(text, "out.hdf5", *BATCHES_OF_TWO)
    assert ended.code == 130
    assert ended.last_line == "embed-to-hdf5: error: interrupted"
    during_embedding(None)
    assert embed(text, "out.hdf5", *BATCHES_OF_TWO, "--resume").code == 0
    assert Path("out.hdf5").read_bytes() == in_peace


def test_a_signal_during_the_last_batch_changes_nothing(text, embed, in_peace, during_embedding):
    during_embedding(lambda: signal.raise_signal(signal.SIGINT), batch=3)
    assert embed(text, "out.hdf5", *BATCHES_OF_TWO).code == 0
    assert Path("out.hdf5").read_bytes() == in_peace


def test_a_signal_before_the_start_leaves_nothing(text, embed, monkeypatch):
    monkeypatch.setattr("pytorch_elmo.text.sources.scan", lambda *_: signal.raise_signal(signal.SIGINT))
    ended = embed(text, "out.hdf5")
    assert (ended.code, ended.err) == (130, "embed-to-hdf5: error: interrupted\n")
    assert os.listdir() == ["text.txt"]


def test_resume_begins_where_nothing_is(text, embed, in_peace):
    assert embed(text, "out.hdf5", *BATCHES_OF_TWO, "--resume").code == 0
    assert Path("out.hdf5").read_bytes() == in_peace


def test_resume_of_a_finished_job_does_nothing(text, embed, in_peace):
    for _ in range(2):
        ended = embed(text, "out.hdf5", *BATCHES_OF_TWO, "--resume")
        assert ended.code == 0
    assert "wrote out.hdf5: 0 sentences, 0 tokens in" in ended.last_line
    assert Path("out.hdf5").read_bytes() == in_peace


def test_a_name_with_signs_of_a_pattern(text, embed, during_embedding):
    during_embedding(lambda: signal.raise_signal(signal.SIGINT), batch=1)
    assert embed(text, "out[1]*.hdf5", "--stateful", *BATCHES_OF_TWO).code == 130
    during_embedding(None)
    Path(".out[1]*.hdf5.partial.state-2.77.partial").touch()  # of a process that was killed while it wrote
    assert embed(text, "out[1]*.hdf5", "--stateful", *BATCHES_OF_TWO, "--resume").code == 0
    assert sorted(os.listdir()) == ["out[1]*.hdf5", "text.txt"]


def test_resume_runs_what_is_left_alone(text, embed, stopped):
    ended = embed(text, "out.hdf5", *BATCHES_OF_TWO, "--resume")
    assert "wrote out.hdf5: 4 sentences, 21 tokens in" in ended.last_line


def test_a_stopped_job_is_named_and_not_begun_anew(text, embed, in_peace, stopped):
    ended = embed(text, "out.hdf5", *BATCHES_OF_TWO, "-q")
    assert ended.code == 1
    assert ended.err == (
        "embed-to-hdf5: error: out.hdf5.partial is a partial file: 2 of 6 sentences are safe; "
        "go on with --resume, or start again with --overwrite\n"
    )
    assert embed(text, "out.hdf5", *BATCHES_OF_TWO, "--resume").code == 0
    assert Path("out.hdf5").read_bytes() == in_peace


def test_overwrite_begins_a_stopped_job_anew(text, embed, in_peace, stopped):
    ended = embed(text, "out.hdf5", *BATCHES_OF_TWO, "--overwrite")
    assert "6 sentences, 29 tokens in" in ended.last_line
    assert Path("out.hdf5").read_bytes() == in_peace
    assert sorted(os.listdir()) == ["out.hdf5", "text.txt"]


OTHER_MODEL = Path(__file__).parents[1] / "golden" / "deep"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", OTHER_MODEL], "dim was 10 and is now 8"),
        (["--top"], "layers was 'all' and is now 'top'"),
        (["--dtype", "float16"], "dtype was 'float32' and is now 'float16'"),
        (["--layout", "packed"], "layout was 'per-sentence' and is now 'packed'"),
        (["--batch-size", 3], "batch_plan was '2 sentences' and is now '3 sentences'"),
        (["--stateful"], "state_mode was 'each sentence from the start state' and is now 'stateful'"),
        (["--forget-sentences"], "forget_sentences was False and is now True"),
        (["--include-sentence-indices"], "include_sentence_indices was False and is now True"),
    ],
)
def test_resume_with_something_else(text, embed, in_peace, stopped, options, message):
    ended = embed(text, "out.hdf5", *BATCHES_OF_TWO, "--resume", "-q", *options)
    assert ended.code == 1
    assert ended.err == (
        f"embed-to-hdf5: error: out.hdf5.partial must be gone on with as it was begun, but {message}; "
        "use the former value, or start again with --overwrite\n"
    )
    assert embed(text, "out.hdf5", *BATCHES_OF_TWO, "--resume").code == 0
    assert Path("out.hdf5").read_bytes() == in_peace


def test_resume_with_changed_input(text, embed, stopped):
    text.write_text(text.read_text("utf-8").replace("dog", "hen"), encoding="utf-8")
    ended = embed(text, "out.hdf5", *BATCHES_OF_TWO, "--resume", "-q")
    assert ended.code == 1
    assert "must be gone on with as it was begun, but input_sha256 was '" in ended.err
    assert len(ended.err.splitlines()) == 1


def test_input_that_changes_while_it_is_read(text, embed, during_embedding):
    during_embedding(lambda: text.write_text("quite another text\n", encoding="utf-8"))
    ended = embed(text, "out.hdf5", *BATCHES_OF_TWO)
    assert ended.code == 1
    assert "text.txt changed at line 1 while it was read; leave it alone, and start again" in ended.err


@pytest.mark.parametrize(
    ("harm", "word"), [(Path.unlink, "missing"), (lambda path: path.write_bytes(b"?"), "damaged")]
)
def test_a_carried_state_that_is_gone(text, embed, during_embedding, harm, word):
    during_embedding(lambda: signal.raise_signal(signal.SIGINT), batch=1)
    assert embed(text, "out.hdf5", "--stateful", *BATCHES_OF_TWO).code == 130
    during_embedding(None)
    harm(Path("out.hdf5.partial.state-1"))
    ended = embed(text, "out.hdf5", "--stateful", *BATCHES_OF_TWO, "--resume", "-q")
    assert ended.code == 1
    assert f"out.hdf5.partial.state-1 with the carried state is {word}" in ended.err
    assert ended.err.endswith("start again with --overwrite\n")
    assert len(ended.err.splitlines()) == 1
    assert embed(text, "out.hdf5", "--stateful", *BATCHES_OF_TWO, "--overwrite").code == 0
    assert sorted(os.listdir()) == ["out.hdf5", "text.txt"]


PROGRAM = "from pytorch_elmo.commands.main import embed_to_hdf5; embed_to_hdf5()"


def test_two_processes_and_a_real_interrupt(folder, embed, small_model_folder):
    """One output belongs to one process at a time; Ctrl-C ends it in order, and another goes on."""
    Path("text.txt").write_text("".join(f"sentence number {n} of many\n" for n in range(1000)), encoding="utf-8")
    arguments = ["text.txt", "out.hdf5", "--batch-size", "2"]
    command = [sys.executable, "-W", "error", "-c", PROGRAM, *arguments, "--model", str(small_model_folder)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while partial_state(Path("out.hdf5")) == "none" and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGSTOP)  # so that it does not finish before the others have tried
    for option in ((), ("--resume",), ("--overwrite",)):
        refused = embed(*arguments, *option, "-q")
        assert refused.code == 1
        assert refused.err == (
            "embed-to-hdf5: error: one process at a time may write a file, but another process is writing out.hdf5; "
            "wait for it or choose another output\n"
        )
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGCONT)
    err = process.communicate()[1]
    assert process.returncode == 130, err
    assert err.splitlines()[-1].endswith("the same command with --resume goes on")
    assert embed(*arguments, "--resume").code == 0
    assert embed("text.txt", "peace.hdf5", "--batch-size", 2).code == 0
    assert Path("out.hdf5").read_bytes() == Path("peace.hdf5").read_bytes()
    assert verify_layer_file(Path("out.hdf5")) == []
