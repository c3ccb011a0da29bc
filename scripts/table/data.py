"""The data of docs/results.md: from the published files of each set to what the configurations read.

DATA holds the sets as they are published, some packed, under the paths that `SOURCES` names. A task's three splits
are made once, by the scripts that anyone may run, and then stay.
"""

import gzip
import hashlib
import itertools
import json
import os
import random
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import prepare_coref
import prepare_glove
import prepare_imdb
import prepare_ner
import prepare_squad
import prepare_srl
import prepare_texts
from pytorch_elmo.errors import TextError
from pytorch_elmo.files import sha256_of

SRL_SENTENCES = 3220  # with 10,010 predicates; of the development and test parts all, which have fewer
IMDB_SIZES = {"train": 5000, "dev": 1000, "test": 25000}
SQUAD_ONE_IN = 6  # articles to test; every second one after them is held out
PROCESSES = 2
SNLI = {"train": "snli_train_subset_24495", "dev": "snli_1.0_dev", "test": "snli_1.0_test"}


class Splits(NamedTuple):
    """Where the three parts are; files, or folders of files."""

    train: Path
    dev: Path
    test: Path

    @classmethod
    def below(cls, folder: Path, ending: str) -> "Splits":
        """Of their usual names."""
        return cls(*(folder / f"{name}{ending}" for name in cls._fields))


def _ner(source: Path, out: Path) -> None:
    prepare_ner.prepare(source, out)


def _sst5(source: Path, out: Path) -> None:
    for split in Splits._fields:
        shutil.copyfile(source / f"{split}.txt", out / f"{split}.txt")


def _scicite(source: Path, out: Path) -> None:
    for split in Splits._fields:
        _write_texts("scicite", source / f"{split}.jsonl", out / f"{split}.jsonl")


def _snli(source: Path, out: Path) -> None:
    for split, name in SNLI.items():
        _write_texts("snli", source / f"{name}.jsonl.xz", out / f"{split}.jsonl")


def _imdb(source: Path, out: Path) -> None:
    for split, examples in prepare_imdb.split(prepare_imdb.read_reviews(source)).items():
        first = itertools.islice(examples, IMDB_SIZES[split])  # by number, of each number a review of either kind
        prepare_texts.write_examples(first, "label", out / f"{split}.jsonl", PROCESSES)


def _srl(source: Path, out: Path) -> None:
    out.rmdir()  # it is to be new
    prepare_srl.prepare(source, out, None, SRL_SENTENCES)


def _squad(source: Path, out: Path) -> None:
    parts: dict[str, list[prepare_squad.Json]] = {split: [] for split in Splits._fields}
    for number, article in enumerate(prepare_squad.read_articles(source)):
        is_test, is_dev = number % SQUAD_ONE_IN == 0, number % (2 * SQUAD_ONE_IN) == 1
        parts["test" if is_test else "dev" if is_dev else "train"].append(article)
    for split, articles in parts.items():
        prepare_squad.mend(articles)
        text = json.dumps({"version": "1.1", "data": articles}, ensure_ascii=False)
        (out / f"{split}.json").write_text(text, encoding="utf-8")


def _coref(source: Path, out: Path) -> None:
    prepare_coref.prepare(source, out, None)


def _write_texts(kind: str, source: Path, out: Path) -> None:
    label = prepare_texts.KINDS[kind].label
    examples = prepare_texts.read_examples(source, prepare_texts.KINDS[kind])
    prepare_texts.write_examples(examples, label, out, PROCESSES)


class Source(NamedTuple):
    """Where a task's data are in DATA, how the splits are made, how their names end, and where they are from."""

    path: str
    make: Callable[[Path, Path], None]
    ending: str
    origin: str


SOURCES = {
    "ner": Source(
        "ner/bc5cdr_typed",
        _ner,
        ".txt",
        "`data/BC5CDR-IOB` of github.com/cambridgeltl/MTL-Bioinformatics-2016 (df0df02), `devel.tsv` named `dev.tsv`",
    ),
    "sst5": Source("sst/trees", _sst5, ".txt", "`train.txt`, `dev.txt`, `test.txt` of trainDevTestTrees_PTB"),
    "scicite": Source("scicite_official", _scicite, ".jsonl", "the three files of github.com/allenai/scicite"),
    "imdb": Source("imdb/aclImdb_v1.tar.xz", _imdb, ".jsonl", "aclImdb_v1 of ai.stanford.edu, packed anew"),
    "snli": Source(
        "snli",
        _snli,
        ".jsonl",
        "development and test of snli_1.0, packed; the training pairs are the first 3,000, the originals of "
        "github.com/acmi-lab/counterfactually-augmented-data (6f232a1), and a sample of 20,000 of "
        "github.com/academic-repository/cat (9c98ebb), each pair once",
    ),
    "srl": Source(
        "srl_ewt/srl_ewt.tar.xz",
        _srl,
        "",
        "github.com/propbank/propbank-release (4abade0), words from github.com/UniversalDependencies/UD_English-EWT "
        "(15d613d), as `{train,dev,test}/*.gold_conll`",
    ),
    "squad": Source("squad/dev-v1.1.json.gz", _squad, ".json", "`dev-v1.1.json` of SQuAD 1.1, packed"),
    "coref": Source(
        "coref_litbank/coref_litbank.tar.xz",
        _coref,
        ".gold_conll",
        "`coref/conll` of github.com/dbamman/litbank (3e50db0), fold 0 of github.com/dbamman/lrec2020-coref "
        "(e30de53), as `{train,dev,test}/*.gold_conll`",
    ),
}


def splits_of(task: str, work: Path) -> Splits:
    """Where a task's splits are below `work`, or will be."""
    return Splits.below(work / "data", SOURCES[task].ending)


def check_source(task: str, data: Path, work: Path) -> None:
    """See that a task's splits are there, or what they are made of.

    Raises:
        TextError: neither is.
    """
    source = SOURCES[task]
    if not (work / "data").exists() and not (data / source.path).exists():
        raise TextError(
            f"the folder of the data must have {source.path} for {task}, got none in {data}; name it with --data, "
            "docs/results.md says where the sets are from"
        )


def prepare(task: str, data: Path, work: Path) -> Splits:
    """A task's splits below `work`, made if they are not there.

    Raises:
        TextError: DATA does not have the task's files, or they break a rule.
    """
    check_source(task, data, work)
    source, folder = SOURCES[task], work / "data"
    if not folder.exists():
        partial = work / "data.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        source.make(data / source.path, partial)
        os.replace(partial, folder)
    return splits_of(task, work)


def data_sha256(splits: Iterable[Path]) -> str:
    """Of all files of the splits, by their names."""
    digest = hashlib.sha256()
    for split in splits:
        files = sorted(path for path in split.rglob("*") if path.is_file()) if split.is_dir() else [split]
        for path in files:
            digest.update(f"{path.relative_to(split.parent)} {sha256_of(path)}\n".encode())
    return digest.hexdigest()


def share_path(train: Path, percent: int) -> Path:
    """Where a share of the training part is."""
    return train if percent == 100 else train.with_name(f"{train.stem}-{percent}pc{train.suffix}")


def share_of(train: Path, percent: int) -> Path:
    """A file beside it with a share of its sentences, blank lines between; a larger share has the smaller in it."""
    path = share_path(train, percent)
    if path.exists():
        return path
    sentences = [text.strip("\n") for text in train.read_text(encoding="utf-8").split("\n\n") if text.strip()]
    order = random.Random(0).sample(range(len(sentences)), len(sentences))
    chosen = sorted(order[: max(len(sentences) * percent // 100, 1)])
    prepare_srl.write(path, "\n\n".join(sentences[index] for index in chosen) + "\n")
    return path


def word_vectors(source: str, work: Path) -> Path:
    """Word vectors in GloVe's format below `work`, from a name or a file that scripts/prepare_glove.py takes.

    Raises:
        TextError: there are none.
    """
    path = work / f"{Path(source).name.removesuffix('.gz').removesuffix('.txt')}.txt.gz"
    if not path.exists():
        for _ in prepare_glove.prepare(Path(source), path, ""):
            pass
    return path


def word_vectors_sha256(path: Path) -> str:
    """Of the vectors themselves, however well they are packed."""
    with gzip.open(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
