"""`embed-to-hdf5 INPUT OUTPUT`: a file of sentences in, a file of vectors out."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pytorch_elmo import __version__
from pytorch_elmo.commands.errors import INTERRUPTED, one_line_errors, stop_when_asked
from pytorch_elmo.commands.input_options import input_options
from pytorch_elmo.commands.progress_bar import make_progress
from pytorch_elmo.commands.trust_options import trust_options
from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.progress import Progress

if TYPE_CHECKING:  # PyTorch is loaded when it is needed, so that --help and usage errors take no time
    from pytorch_elmo.embedder.embedder import ElmoEmbedder
    from pytorch_elmo.embedder.file_job import FileJob, FileReport
    from pytorch_elmo.storage import Manifest
    from pytorch_elmo.text.sources import InputSummary


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(__version__, prog_name="embed-to-hdf5")
@click.argument("input_file", metavar="INPUT", type=click.Path(exists=True, allow_dash=True))
@click.argument("output_file", metavar="OUTPUT", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--all", "layers", flag_value="all", default=True, help="All layers: (layers, tokens, dim) a sentence.")
@click.option("--top", "layers", flag_value="top", help="The top layer alone: (tokens, dim).")
@click.option("--average", "layers", flag_value="average", help="The mean of all layers: (tokens, dim).")
@click.option(
    "--model", metavar="NAME|FOLDER", help="A named model (see `elmo models`) or a folder.  [default: default]"
)
@click.option("--options-file", type=click.Path(path_type=Path), help="options.json, with --weight-file.")
@click.option("--weight-file", type=click.Path(path_type=Path), help="weights.hdf5, with --options-file.")
@click.option("--batch-tokens", type=click.IntRange(min=1), help="Tokens run together.  [default: 16384]")
@click.option("--batch-size", type=click.IntRange(min=1), help="Sentences run together, instead of --batch-tokens.")
@click.option("--device", metavar="NAME", help="cpu, cuda, cuda:1, …  [default: cpu]")
@click.option("--cuda-device", type=int, help="A GPU's number; -1 is the CPU.")
@click.option("--precision", type=click.Choice(["fp32", "bf16", "fp16"]), default="fp32", help="Of matrix products.")
@click.option("--dtype", type=click.Choice(["float32", "float16"]), default="float32", help="Of the vectors on disk.")
@click.option(
    "--layout",
    type=click.Choice(["per-sentence", "packed"]),
    default="per-sentence",
    help="per-sentence: a dataset each, as AllenNLP's. packed: one dataset and offsets, much faster to read.",
)
@click.option("--use-sentence-keys", is_flag=True, help="Name datasets by their sentence instead of its index.")
@click.option("--forget-sentences", is_flag=True, help="Do not write sentence_to_index.")
@click.option("--include-sentence-indices", is_flag=True, help="Write sentence_to_index as sentence_indices too.")
@click.option("--stateful", is_flag=True, help="Carry states from batch to batch, exactly as AllenNLP does.")
@input_options
@click.option("--file-friendly-logging", is_flag=True, help="Progress as lines, not as a bar.")
@click.option("--resume", is_flag=True, help="Go on with a stopped job; without one, begin.")
@click.option("--overwrite", is_flag=True, help="Replace an existing OUTPUT once the new one is finished.")
@trust_options
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
def command(**options: Any) -> None:
    """Write the contextual vectors of every sentence of INPUT to OUTPUT, an HDF5 file.

    INPUT is text (one tokenised sentence a line), .gz or .xz of it, - for standard input, or .jsonl, .csv, .parquet
    with --field. A sentence's key is its line's index, counted from 0.
    """
    with one_line_errors():
        _run(options)


def _run(options: dict[str, Any]) -> None:
    from pytorch_elmo.embedder.file_job import FileJob, embed_file, make_manifest
    from pytorch_elmo.storage import refuse_existing_output
    from pytorch_elmo.text.sources import open_source, scan

    _check(options)
    progress = make_progress(quiet=options["quiet"], lines=options["file_friendly_logging"])
    job = FileJob(output=options["output_file"], **{name: options[name] for name in _JOB_OPTIONS})
    if not (job.resume or job.overwrite):
        refuse_existing_output(job.output)  # before minutes of reading; asked again, under its lock, when it is made
    source_options = {name: options[name] for name in ("field", "tokenizer", "blank_lines")}
    with open_source(options["input_file"], **source_options) as source:
        summary = scan(source, progress)
        embedder = _make_embedder(options, progress)
        manifest = make_manifest(embedder, summary, job)
        _announce(embedder, summary, manifest, job, progress)
        began = time.monotonic()
        with stop_when_asked() as stop:
            report = embed_file(embedder, source, summary, job, manifest=manifest, progress=progress, stop=stop)
    _tell_how_it_ended(report, summary, job, time.monotonic() - began, progress)


def _make_embedder(options: dict[str, Any], progress: Progress) -> "ElmoEmbedder":
    from pytorch_elmo.embedder.embedder import ElmoEmbedder

    return ElmoEmbedder(
        options["options_file"],
        options["weight_file"],
        -1 if options["cuda_device"] is None else options["cuda_device"],
        model=_model(options, progress),
        device=options["device"],
        precision=options["precision"],
        stateful=options["stateful"],
        batch_size=options["batch_size"],
        **({"batch_tokens": options["batch_tokens"]} if options["batch_tokens"] else {}),
    )


def _announce(
    embedder: "ElmoEmbedder", summary: "InputSummary", manifest: "Manifest", job: "FileJob", progress: Progress
) -> None:
    from pytorch_elmo.storage.layout import file_bytes

    progress.note(f"{embedder!r}")
    progress.note(
        f"{summary.num_sentences:,} sentences, {summary.num_tokens:,} tokens; "
        f"{job.output} will have {_size(file_bytes(manifest))}"
    )
    if summary.num_cut_tokens:
        progress.note(f"{summary.num_cut_tokens:,} tokens are longer than 48 bytes; the model sees the first 48")


def _tell_how_it_ended(
    report: "FileReport", summary: "InputSummary", job: "FileJob", seconds: float, progress: Progress
) -> None:
    if not report.finished:
        click.echo(
            f"stopped: {report.sentences_done:,} of {summary.num_sentences:,} sentences are safe in "
            f"{job.output}.partial; the same command with --resume goes on",
            err=True,
        )
        raise SystemExit(INTERRUPTED)
    progress.note(
        f"wrote {job.output}: {report.sentences_run:,} sentences, {report.tokens_run:,} tokens in {seconds:.1f} s, "
        f"{report.tokens_run / max(seconds, 1e-9):,.0f} tokens a second"
    )


_JOB_OPTIONS = (
    "layers",
    "dtype",
    "layout",
    "tokenizer",
    "use_sentence_keys",
    "forget_sentences",
    "include_sentence_indices",
    "resume",
    "overwrite",
)


def _check(options: dict[str, Any]) -> None:
    """Options that contradict each other."""
    pairs = (
        ("model", "options_file"),
        ("model", "weight_file"),
        ("sha256", "weight_file"),
        ("batch_tokens", "batch_size"),
        ("device", "cuda_device"),
        ("stateful", "batch_tokens"),
        ("resume", "overwrite"),
        ("use_sentence_keys", "include_sentence_indices"),
        ("forget_sentences", "include_sentence_indices"),
    )
    for one, other in pairs:
        if options[one] and options[other] is not None and options[other] is not False:
            names = [f"--{name.replace('_', '-')}" for name in (one, other)]
            raise ConfigurationError(f"{names[0]} and {names[1]} exclude each other, both were given; leave one out")
    if options["use_sentence_keys"] and options["layout"] == "packed":
        raise ConfigurationError(
            "--use-sentence-keys needs a dataset for each sentence and --layout packed has one for all, both were "
            "given; leave one out"
        )
    folder = options["output_file"].absolute().parent
    if not folder.is_dir():
        raise ConfigurationError(f"the folder of the output must exist, {folder} does not; make it first")


def _model(options: dict[str, Any], progress: Progress) -> Any:
    """The model to load; a named one is fetched here, so that its progress is seen."""
    from pytorch_elmo.pretrained import DEFAULT, resolve

    if options["options_file"] or options["weight_file"]:
        return DEFAULT
    name = options["model"] or DEFAULT
    resolve(name, progress=progress, sha256=options["sha256"], trust_first_download=options["trust_first_download"])
    return name


def _size(num_bytes: int) -> str:
    return f"{num_bytes / 1e9:,.2f} GB" if num_bytes >= 1e9 else f"{num_bytes / 1e6:,.1f} MB"
