"""`allennlp elmo INPUT OUTPUT`: the command that AllenNLP had until release 0.9, with its flags and its results."""

import argparse
import time
from pathlib import Path
from typing import Any

import click
from allennlp.commands.subcommand import Subcommand

from pytorch_elmo.allennlp_plugin.elmo_embedder import (
    DEFAULT_BATCH_SIZE,
    DEFAULT_VARIABLE,
    OUTPUT_FORMATS,
    ElmoEmbedder,
)
from pytorch_elmo.commands.errors import one_line_errors
from pytorch_elmo.commands.progress_bar import make_progress
from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.progress import Progress
from pytorch_elmo.storage import partial_state
from pytorch_elmo.text.sources import STANDARD_INPUT

_PROGRAM = "allennlp elmo"


@Subcommand.register("elmo", exist_ok=True)
class ElmoCommand(Subcommand):
    """Writes the vectors of a text's lines, each batch row going on from the state of the batch before.

    Two things of 0.9 are left out: `stdout.log` and `stderr.log` beside the output, and half a file where a run
    fails.
    """

    def add_subparser(self, parser: Any) -> argparse.ArgumentParser:
        """Add the command and its arguments."""
        subparser: argparse.ArgumentParser = parser.add_parser(
            self.name,
            description="Write the ELMo vectors of a text to an HDF5 file, as AllenNLP 0.9 did; embed-to-hdf5 can "
            "be resumed, and gives a sentence the same vectors wherever it stands.",
            help="Write ELMo vectors as AllenNLP 0.9 did.",
        )
        _add_files_and_layers(subparser)
        subparser.add_argument(
            "--options-file",
            help=f"options.json, a path or an address, with --weight-file; without both, the original model or the "
            f"one that ${DEFAULT_VARIABLE} names",
        )
        subparser.add_argument("--weight-file", help="weights.hdf5, a path or an address, with --options-file")
        subparser.add_argument(
            "--batch-size", type=_batch_size, default=DEFAULT_BATCH_SIZE, help="sentences run together"
        )
        subparser.add_argument("--cuda-device", type=int, default=-1, help="a GPU's number; -1 is the CPU")
        subparser.add_argument(
            "--forget-sentences", action="store_true", help="do not write sentence_to_index (texts to keys, JSON)"
        )
        subparser.add_argument(
            "--use-sentence-keys",
            action="store_true",
            help="name datasets by their sentence, not by its line's index",
        )
        subparser.add_argument(
            "--file-friendly-logging", action="store_true", help="progress as a line every ten seconds, not as a bar"
        )
        subparser.add_argument("--vocab-path", help="is ignored, as it was in AllenNLP")
        subparser.set_defaults(func=run)
        return subparser


def _add_files_and_layers(subparser: argparse.ArgumentParser) -> None:
    subparser.add_argument("input_file", type=_input_file, help="one tokenised sentence a line; - is standard input")
    subparser.add_argument("output_file", type=Path, help="HDF5 file to write; an existing one is replaced")
    layers = subparser.add_mutually_exclusive_group(required=True)
    layers.add_argument("--all", action="store_true", help="all layers: (layers, tokens, dim) a sentence")
    layers.add_argument("--top", action="store_true", help="the top layer: (tokens, dim)")
    layers.add_argument("--average", action="store_true", help="the mean of all layers: (tokens, dim)")


def run(args: argparse.Namespace) -> None:
    """Do what the arguments ask for; what goes wrong is a line and an exit code."""
    with click.Context(click.Command("elmo"), info_name=_PROGRAM), one_line_errors():
        _embed(args)


def _embed(args: argparse.Namespace) -> None:
    if (args.options_file is None) != (args.weight_file is None):
        given = "--options-file" if args.weight_file is None else "--weight-file"
        raise ConfigurationError(f"--options-file and --weight-file go together, got {given} alone; give both")
    progress = make_progress(quiet=False, lines=args.file_friendly_logging)
    if args.vocab_path is not None:
        progress.note(f"--vocab-path {args.vocab_path} is ignored, as AllenNLP ignored it")
    began = time.monotonic()
    embedder = ElmoEmbedder(args.options_file, args.weight_file, args.cuda_device, progress=progress)
    progress.note(f"{embedder!r}")
    layers = next(name for name in OUTPUT_FORMATS if getattr(args, name))
    try:
        embedder.embed_file(
            args.input_file,
            args.output_file,
            layers,
            args.batch_size,
            args.forget_sentences,
            args.use_sentence_keys,
            progress=progress,
        )
    except KeyboardInterrupt:
        _tell_how_to_go_on(args, progress)
        raise
    progress.note(f"wrote {args.output_file} in {time.monotonic() - began:.1f} s")


def _tell_how_to_go_on(args: argparse.Namespace, progress: Progress) -> None:
    if partial_state(args.output_file) == "partial":
        progress.note(
            f"{args.output_file}.partial is unfinished: the same command begins anew; embed-to-hdf5 with its "
            f"arguments, --stateful, --batch-size {args.batch_size} and --resume goes on"
        )


def _input_file(text: str) -> str:
    """A file that is there; a missing one is a mistake in the command line, as in 0.9."""
    if text != STANDARD_INPUT and not Path(text).exists():
        raise argparse.ArgumentTypeError(f"no file {text!r}; name a text file, or - for standard input")
    return text


def _batch_size(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"a batch has a whole number of sentences, at least 1, got {text!r}")
    return int(text)
