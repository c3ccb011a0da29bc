"""Tokenise a folder of raw prose into a folder of sentences, name by name.

    python scripts/tokenize_corpus.py IN_FOLDER OUT_FOLDER --processes 2

Each IN_FOLDER/NAME.txt holds one paragraph a line, blank lines between documents. OUT_FOLDER/NAME.txt gets one
sentence a line, tokens between single spaces, no blank lines: a document's end leaves no trace. Sentences and tokens
are those of `pytorch_elmo.text.tokenizers` (Moses rules for English). The counts of each file are printed.
"""

import argparse
import multiprocessing
import sys
from collections.abc import Iterator
from functools import cache
from itertools import islice
from multiprocessing.pool import Pool
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from pytorch_elmo.errors import ConfigurationError, PytorchElmoError, TextError
from pytorch_elmo.files import whole_file
from pytorch_elmo.text.tokenizers import moses_tokenizer, sentences_of_prose

PARAGRAPHS_A_TASK = 500  # large enough that sending text between processes costs nothing
_tokenizer = cache(moses_tokenizer)  # one a process


class TokenizedText(NamedTuple):
    """Lines of tokenised sentences, each ended by a line feed; how many; their bytes before tokenisation."""

    text: str
    num_sentences: int
    num_tokens: int
    num_raw_bytes: int


def tokenize_paragraphs(paragraphs: list[bytes]) -> TokenizedText:
    """The sentences of some paragraphs (UTF-8, one a line) in order; blank ones give none."""
    sentences = [
        sentence for line in paragraphs for sentence in sentences_of_prose(line.decode("utf-8").strip(), _tokenizer())
    ]
    return TokenizedText(
        text="".join(" ".join(sentence) + "\n" for sentence in sentences),
        num_sentences=len(sentences),
        num_tokens=sum(map(len, sentences)),
        num_raw_bytes=sum(map(len, paragraphs)),
    )


def paragraph_tasks(path: Path) -> Iterator[list[bytes]]:
    """The lines of a file in runs of `PARAGRAPHS_A_TASK`; only a line feed ends a line."""
    with path.open("rb") as file:
        while paragraphs := list(islice(file, PARAGRAPHS_A_TASK)):
            yield paragraphs


def tokenize_file(source: Path, target: Path, pool: Pool, progress: "tqdm[None]") -> tuple[int, int]:
    """Write the sentences of `source` to `target`, whole or not at all; returns their number and the tokens'.

    Raises:
        TextError: `source` is not UTF-8.
    """
    num_sentences = num_tokens = 0
    with whole_file(target) as partial, partial.open("w", encoding="utf-8", newline="\n") as file:
        try:
            for done in pool.imap(tokenize_paragraphs, paragraph_tasks(source)):
                file.write(done.text)
                num_sentences += done.num_sentences
                num_tokens += done.num_tokens
                progress.update(done.num_raw_bytes)
        except UnicodeDecodeError as error:
            raise TextError(f"{source}: text must be UTF-8, got {error.reason}; convert it") from error
    return num_sentences, num_tokens


def tokenize_folder(in_folder: Path, out_folder: Path, processes: int) -> None:
    """Tokenise every .txt file of a folder and print its counts.

    Raises:
        ConfigurationError: `processes` is below 1.
        TextError: there is no such file, or one is not UTF-8.
    """
    if processes < 1:
        raise ConfigurationError(f"--processes must be at least 1, got {processes}; leave it out for 1")
    sources = sorted(in_folder.glob("*.txt"))
    if not sources:
        raise TextError(
            f"a folder of raw text must hold files NAME.txt, got none in {in_folder}; name another folder"
        )
    out_folder.mkdir(parents=True, exist_ok=True)
    size = sum(source.stat().st_size for source in sources)
    context = multiprocessing.get_context("spawn")  # a fork of a process that runs threads may hang
    with context.Pool(processes) as pool, tqdm(total=size, unit="B", unit_scale=True) as bar:
        for source in sources:
            num_sentences, num_tokens = tokenize_file(source, out_folder / source.name, pool, bar)
            bar.write(f"{source.name}: {num_sentences:,} sentences, {num_tokens:,} tokens")


def main() -> None:
    """Read the arguments and tokenise."""
    parser = argparse.ArgumentParser(description="Tokenise a folder of raw prose, one sentence a line.")
    parser.add_argument("in_folder", type=Path, help="holds NAME.txt, one paragraph a line")
    parser.add_argument("out_folder", type=Path, help="gets NAME.txt, one sentence a line")
    parser.add_argument("--processes", type=int, default=1, help="at least 1 (default: %(default)s)")
    arguments = parser.parse_args()
    try:
        tokenize_folder(arguments.in_folder, arguments.out_folder, arguments.processes)
    except (PytorchElmoError, OSError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
