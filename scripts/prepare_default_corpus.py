"""Lay out the text that the `default` model is trained on, and what is held out, by name.

    python scripts/prepare_default_corpus.py DATA OUT

DATA holds the folders modern, novels, wikitext2 and wikinews. OUT gets train/DOMAIN.txt and heldout/DOMAIN.txt:
raw prose, one paragraph a line, a blank line between documents. WikiText-2 comes tokenised with its rare words
replaced; sentences that lost a word are left out and the rest is put back into raw form.
"""

import lzma
import re
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

from sacremoses import MosesDetokenizer

HELD_OUT = {"novels": 5, "wikipedia_en": 300, "openstax": 100, "blog18f": 0, "wikinews": 30}
HELD_OUT_SHARE_OF_WIKITEXT = 0.05
Document = list[str]


def documents_between_blank_lines(text: str) -> list[Document]:
    """Documents of a file in which a blank line ends each."""
    return [block.split("\n") for block in re.split(r"\n\s*\n", text.strip())]


def modern(path: Path) -> list[Document]:
    """Wikipedia, OpenStax or 18F: one document a block."""
    with lzma.open(path, "rt", encoding="utf-8") as file:
        return documents_between_blank_lines(file.read())


def novels(folder: Path) -> list[Document]:
    """The novels in the order of novels.tsv, each one document."""
    names = [line.split("\t")[0] for line in (folder / "novels.tsv").read_text("utf-8").splitlines()]
    books = []
    with tarfile.open(folder / "novels.tar.xz") as archive:
        members = {Path(member.name).name: member for member in archive if member.isfile()}
        for name in names:
            if name in members and (file := archive.extractfile(members[name])) is not None:
                books.append([line for line in file.read().decode("utf-8").split("\n") if line.strip()])
    return books


def wikinews(path: Path) -> list[Document]:
    """Articles begin with a line `# DATE TITLE`, which is no prose and is dropped."""
    with lzma.open(path, "rt", encoding="utf-8") as file:
        articles = re.split(r"^# .*$", file.read(), flags=re.MULTILINE)
    return [[line for line in article.split("\n") if line.strip()] for article in articles if article.strip()]


def whole_sentences(paragraph: str, detokenize: MosesDetokenizer) -> Iterator[str]:
    """Raw sentences of a WikiText paragraph, those with a lost word (`<unk>`) left out."""
    for sentence in re.split(r"(?<= [.!?]) (?=[A-Z\"])", paragraph):
        if "<unk>" not in sentence:
            joined = re.sub(r" @([-,.])@ ", r"\1", sentence)
            yield detokenize.detokenize(joined.split())


def wikitext(path: Path) -> list[Document]:
    """Articles begin with a heading of one equals sign; headings are no prose and are dropped."""
    detokenize = MosesDetokenizer("en")
    articles: list[Document] = []
    with lzma.open(path, "rt", encoding="utf-8") as file:
        for line in map(str.strip, file):
            if re.fullmatch(r"= [^=].* =", line):
                articles.append([])
            elif line and not line.startswith("= ") and articles:
                articles[-1].append(" ".join(whole_sentences(line, detokenize)))
    return [kept for article in articles if (kept := [line for line in article if line])]


def write(path: Path, documents: list[Document]) -> None:
    """Documents with a blank line between them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join("\n".join(document) for document in documents) + "\n", encoding="utf-8")
    words = sum(len(line.split()) for document in documents for line in document)
    print(f"{path}: {len(documents):,} documents, {words:,} words")


def main(data: Path, out: Path) -> None:
    """Split every domain by document and write both sides."""
    domains = {name: modern(data / "modern" / f"{name}.txt.xz") for name in ("wikipedia_en", "openstax", "blog18f")}
    domains["novels"] = novels(data / "novels")
    domains["wikinews"] = wikinews(data / "wikinews" / "wikinews.txt.xz")
    domains["wikitext2"] = wikitext(data / "wikitext2" / "wikitext2_train.txt.xz")
    for name, documents in domains.items():
        held_out = HELD_OUT.get(name, round(len(documents) * HELD_OUT_SHARE_OF_WIKITEXT))
        write(out / "train" / f"{name}.txt", documents[: len(documents) - held_out])
        if held_out:
            write(out / "heldout" / f"{name}.txt", documents[len(documents) - held_out :])


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
