"""Put a trained model into the package as `default`, measure it there, and write its card.

    python scripts/package_default_model.py RUN HELDOUT NGRAMS

RUN is the output folder of `elmo pretrain configs/default_bilm.jsonnet`; HELDOUT holds tokenised text by domain
(scripts/tokenize_corpus.py); NGRAMS is the JSON of scripts/ngram_baselines.py on the same text and vocabulary.
What is measured is what ships: the half-precision files, read back from the package.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import torch
from tqdm import tqdm

from pytorch_elmo.files import sha256_of, whole_file
from pytorch_elmo.pretrained import resolve
from pytorch_elmo.pretrained.model_files import BILM_FILE, SOFTMAX_FILE
from pytorch_elmo.pretraining.evaluate import Perplexity, evaluate_perplexity
from pytorch_elmo.weights.load import model_hash
from pytorch_elmo.weights.own_format import read_bilm, read_softmax, save_bilm, save_softmax

PACKAGE = Path(__file__).parents[1] / "src" / "pytorch_elmo" / "pretrained" / "default"
DOMAINS = ("novels", "openstax", "wikipedia_en", "wikitext2", "wikinews")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One held-out domain: our perplexities beside those of the n-gram models on the same predictions."""

    domain: str
    perplexity: Perplexity
    unigram: float
    trigram_forward: float
    trigram_backward: float


def store(run: Path) -> None:
    """Write both files in half precision."""
    PACKAGE.mkdir(exist_ok=True)
    save_bilm(read_bilm(run / "model" / BILM_FILE), PACKAGE / BILM_FILE, dtype=torch.float16)
    softmax, vocabulary = read_softmax(run / "model" / SOFTMAX_FILE)
    save_softmax(softmax, vocabulary, PACKAGE / SOFTMAX_FILE, dtype=torch.float16)


def measure(heldout: Path, ngrams: dict[str, Any]) -> list[Row]:
    """Perplexities of the packaged model on every domain."""
    bilm, (softmax, vocabulary) = read_bilm(PACKAGE / BILM_FILE), read_softmax(PACKAGE / SOFTMAX_FILE)
    rows = []
    for domain in tqdm(DOMAINS, unit="domain"):
        with (heldout / f"{domain}.txt").open(encoding="utf-8") as lines:
            perplexity = evaluate_perplexity(bilm, softmax, vocabulary, map(str.split, lines))
        other = ngrams[domain]
        if other["tokens"] != perplexity.num_tokens or abs(other["oov_rate"] - perplexity.unknown_rate) > 1e-9:
            raise click.ClickException(f"{domain}: the n-gram models saw other tokens; run them on the same text")
        rows.append(
            Row(
                domain=domain,
                perplexity=perplexity,
                **other["perplexity"],
            )
        )
    return rows


def table(rows: list[Row]) -> str:
    """The measurements as a Markdown table."""
    lines = [
        "| held-out text | tokens | OOV | unigram | trigram → | trigram ← | **biLM →** | **biLM ←** |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        lines.append(
            f"| {row.domain} | {row.perplexity.num_tokens:,} | {row.perplexity.unknown_rate:.2%} | {row.unigram:.0f} "
            f"| {row.trigram_forward:.1f} | {row.trigram_backward:.1f} "
            f"| **{row.perplexity.forward:.1f}** | **{row.perplexity.backward:.1f}** |"
        )
    return "\n".join(lines)


def files_table() -> str:
    """Names, sizes and hashes of what ships."""
    lines = ["| file | bytes | sha256 |", "| --- | ---: | --- |"]
    for name in (BILM_FILE, SOFTMAX_FILE):
        path = PACKAGE / name
        lines.append(f"| `{name}` | {path.stat().st_size:,} | `{sha256_of(path)}` |")
    bilm = resolve("default").bilm
    assert bilm is not None
    lines.append(f"\nModel hash (shape and float32 parameters): `{model_hash(read_bilm(bilm))}`")
    return "\n".join(lines)


def replace_between(text: str, name: str, content: str) -> str:
    """Put `content` between the marks `<!-- name -->` and `<!-- /name -->`."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, rest = text.split(begin)
    return f"{before}{begin}\n{content}\n{end}{rest.split(end)[1]}"


@click.command()
@click.argument("run", type=click.Path(path_type=Path, exists=True))
@click.argument("heldout", type=click.Path(path_type=Path, exists=True))
@click.argument("ngrams", type=click.Path(path_type=Path, exists=True))
@click.option("--measure-only", is_flag=True, help="Leave the model files as they are.")
def main(run: Path, heldout: Path, ngrams: Path, measure_only: bool) -> None:
    """Put a trained model into the package, measure it there, and fill in its card."""
    if not measure_only:
        store(run)
    rows = measure(heldout, by_domain(json.loads(ngrams.read_text("utf-8"))))
    card = PACKAGE / "README.md"
    text = replace_between(card.read_text("utf-8"), "perplexity", table(rows))
    text = replace_between(text, "files", files_table())
    with whole_file(card) as partial:
        partial.write_text(text, encoding="utf-8")
    with whole_file(PACKAGE / "perplexity.json") as partial:
        partial.write_text(json.dumps([asdict(row) for row in rows], indent=2), encoding="utf-8")
    click.echo(table(rows))


def by_domain(document: dict[str, Any]) -> dict[str, Any]:
    """The n-gram results by the stem of the held-out file."""
    return {Path(result["file"]).stem: result for result in document["heldout"]}


if __name__ == "__main__":
    main()
