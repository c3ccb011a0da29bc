"""Raw prose to tokenised sentences, through the command that people type."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "tokenize_corpus.py"


def run_script(in_folder, out_folder, *options):
    return subprocess.run(
        [sys.executable, str(SCRIPT), str(in_folder), str(out_folder), *options], capture_output=True, text=True
    )


def test_every_file_is_tokenised_in_order(tmp_path):
    raw, tokenized = tmp_path / "raw", tmp_path / "tokenized"
    raw.mkdir()
    first = 'Mr. Smith didn\'t stay. "Why?" he asked.\nOne\u2028line,\u00a0still one paragraph.\n\nA new document.\n'
    (raw / "first.txt").write_text(first, encoding="utf-8")
    # More paragraphs than one task holds, so that the order of the tasks shows.
    (raw / "second.txt").write_text("".join(f"Paragraph {number}.\n" for number in range(1200)), encoding="utf-8")

    done = run_script(raw, tokenized, "--processes", "2")

    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tokenized.iterdir()) == ["first.txt", "second.txt"]
    assert (tokenized / "first.txt").read_text(encoding="utf-8") == (
        'Mr. Smith didn \'t stay .\n" Why ? " he asked .\nOne line , still one paragraph .\nA new document .\n'
    )
    expected = [f"Paragraph {number} ." for number in range(1200)]
    assert (tokenized / "second.txt").read_text(encoding="utf-8").splitlines() == expected
    assert "first.txt: 4 sentences, 24 tokens" in done.stdout
    assert "second.txt: 1,200 sentences, 3,600 tokens" in done.stdout


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (None, [], r"must hold files NAME\.txt, got none in .*raw; name another folder"),
        (b"Fine.\n\xff\n", [], r"raw/text\.txt: text must be UTF-8, got invalid start byte; convert it"),
        (b"Fine.\n", ["--processes", "0"], "--processes must be at least 1, got 0; leave it out for 1"),
    ],
)
def test_what_cannot_be_tokenised_is_refused_and_nothing_is_written(tmp_path, content, options, message):
    raw, tokenized = tmp_path / "raw", tmp_path / "tokenized"
    raw.mkdir()
    if content is not None:
        (raw / "text.txt").write_bytes(content)
    done = run_script(raw, tokenized, *options)
    assert done.returncode == 1
    assert list(tokenized.glob("**/*")) == []
    assert re.search(message, done.stderr)
    assert "Traceback" not in done.stderr
