"""What `from allennlp.commands.elmo import ElmoEmbedder` gives: AllenNLP 0.9's class over this package's embedder."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import IO

from pytorch_elmo import embedder
from pytorch_elmo.allennlp_plugin.model_files import ORIGINAL, ORIGINAL_OPTIONS, ORIGINAL_WEIGHTS, local_files
from pytorch_elmo.embedder.batches import BatchRule
from pytorch_elmo.embedder.file_job import FileJob, batches_by, make_manifest
from pytorch_elmo.embedder.file_job import embed_file as run_job
from pytorch_elmo.embedder.setup import ALLENNLP_BATCH_SIZE
from pytorch_elmo.errors import ConfigurationError, DownloadError, TextError
from pytorch_elmo.model import BiLM
from pytorch_elmo.pretrained import ModelFiles, resolve
from pytorch_elmo.progress import Progress, SilentProgress
from pytorch_elmo.text.lines import InputFile, read_lines
from pytorch_elmo.text.sources import SentenceSource, blank_lines_error, open_source, scan
from pytorch_elmo.weights.load import load_bilm, load_model_files

__all__ = ["DEFAULT_BATCH_SIZE", "DEFAULT_OPTIONS_FILE", "DEFAULT_WEIGHT_FILE", "ElmoEmbedder"]

DEFAULT_VARIABLE = "PYTORCH_ELMO_DEFAULT"
DEFAULT_OPTIONS_FILE, DEFAULT_WEIGHT_FILE = ORIGINAL_OPTIONS, ORIGINAL_WEIGHTS
DEFAULT_BATCH_SIZE = ALLENNLP_BATCH_SIZE
OUTPUT_FORMATS = ("all", "top", "average")


class ElmoEmbedder(embedder.ElmoEmbedder):
    """AllenNLP 0.9's `ElmoEmbedder`: its arguments, its methods, and its state carried from call to call.

    Without files it takes the original model, or the one that `PYTORCH_ELMO_DEFAULT` names. What this package does
    otherwise on purpose stays so: a sentence without tokens gives float32 (num_layers, 0, dim) and a batch of them
    no error, the mask is bool as in AllenNLP 2, and a string is refused where a list of tokens is meant.

    Args:
        options_file: a path or an address, with `weight_file`.
        weight_file: a path or an address, with `options_file`.
        cuda_device: a GPU's number, -1 for the CPU.
        model: a model's name or folder, or a biLM, instead of the two files.
        stateful: False gives every sentence the same vectors whatever came before it.
        progress: hears bytes of a model fetched.

    Raises:
        ConfigurationError: one of the two files without the other, or no such device.
        PytorchElmoError: the model cannot be found, fetched or read.
    """

    def __init__(
        self,
        options_file: str | Path | None = None,
        weight_file: str | Path | None = None,
        cuda_device: int = -1,
        *,
        model: str | Path | BiLM | None = None,
        stateful: bool = True,
        progress: Progress | None = None,
    ) -> None:
        bilm, name = _load(options_file, weight_file, model, progress)
        super().__init__(None, None, cuda_device, model=bilm, batch_size=DEFAULT_BATCH_SIZE, stateful=stateful)
        self.name = name
        self.cuda_device = cuda_device

    def embed_file(
        self,
        input_file: str | Path | IO[str],
        output_file_path: str | Path,
        output_format: str = "all",
        batch_size: int | None = DEFAULT_BATCH_SIZE,
        forget_sentences: bool = False,
        use_sentence_keys: bool = False,
        *,
        overwrite: bool = True,
        progress: Progress | None = None,
    ) -> None:
        """Write a text's vectors to a file with a dataset for each line, as AllenNLP 0.9 lays it out.

        An existing file is replaced, and a missing folder made, once the text is known to be good; a run that fails
        leaves the old file. An open file is read to its end and closed. States go on from the calls before it, as
        in 0.9.

        Args:
            input_file: one tokenised sentence a line: any open text file, or the path of a UTF-8 file.
            output_file_path: HDF5 file to write.
            output_format: all, top or average.
            batch_size: sentences run together; 64 if None.
            forget_sentences: leave `sentence_to_index` out.
            use_sentence_keys: name datasets by their sentence.
            overwrite: replace an existing file.
            progress: hears tokens.

        Raises:
            ConfigurationError: another output format, or a batch size below 1.
            TextError: the text cannot be read or has blank lines, or a sentence cannot be a key.
            LayerFileError: the output cannot be written.
        """
        if output_format not in OUTPUT_FORMATS:
            raise ConfigurationError(f"output_format is one of {', '.join(OUTPUT_FORMATS)}, got {output_format!r}")
        rule = BatchRule(batch_size=DEFAULT_BATCH_SIZE if batch_size is None else batch_size)
        listener = progress or SilentProgress()
        job = FileJob(
            output=Path(output_file_path),
            layers=output_format,
            forget_sentences=forget_sentences,
            use_sentence_keys=use_sentence_keys,
            overwrite=overwrite,
        )
        with _open_sentences(input_file) as source, batches_by(self, rule):
            summary = scan(source, listener)
            if summary.blank_lines:
                raise blank_lines_error(source, summary.blank_lines, "remove them")
            job.output.absolute().parent.mkdir(parents=True, exist_ok=True)
            manifest = make_manifest(self, summary, job)
            run_job(self, source, summary, job, manifest=manifest, progress=listener)
        if not isinstance(input_file, str | Path):
            input_file.close()


def _load(
    options_file: str | Path | None,
    weight_file: str | Path | None,
    model: str | Path | BiLM | None,
    progress: Progress | None,
) -> tuple[BiLM, str]:
    """The biLM that the arguments name, and what to call it."""
    if (options_file is None) != (weight_file is None):
        given = "options_file" if weight_file is None else "weight_file"
        raise ConfigurationError(
            f"options_file and weight_file go together, got {given} alone; give both, or neither"
        )
    if options_file is not None and weight_file is not None:
        if model is not None:
            raise ConfigurationError("a model replaces options_file and weight_file, got all three; leave it out")
        options, weights = local_files(options_file, weight_file, progress=progress)
        return load_bilm(options, weights), str(weight_file)
    if isinstance(model, BiLM):
        return model, "biLM"
    files = _default_files(progress) if model is None else resolve(model, progress=progress)
    return load_model_files(files), files.name


def _default_files(progress: Progress | None) -> ModelFiles:
    """The files of the model that the environment names, or of the original one.

    Raises:
        DownloadError: there is no such model, or it cannot be fetched.
    """
    named = os.environ.get(DEFAULT_VARIABLE)
    try:
        return resolve(named or ORIGINAL, progress=progress)
    except DownloadError as error:
        if named:
            raise DownloadError(f"{DEFAULT_VARIABLE} names the model here: {error}") from error
        raise DownloadError(f"{error}; set {DEFAULT_VARIABLE} to a model's name or folder to use another") from error


def _open_sentences(input_file: str | Path | IO[str]) -> SentenceSource:
    """The lines of a text as AllenNLP 0.9 takes them, whatever the file is called.

    Raises:
        TextError: it cannot be read.
    """
    read: Callable[[], Iterator[str]]
    if isinstance(input_file, str | Path):
        if not Path(input_file).is_file():
            return open_source(input_file, blank_lines="empty")  # `-`, a pipe, or an error
        name, read = str(input_file), partial(read_lines, InputFile(Path(input_file), str(input_file)))
    else:
        name = str(getattr(input_file, "name", "the input"))
        lines = _all_lines(input_file, name)
        read = partial(iter, lines)
    return SentenceSource(
        description=name,
        unit="line",
        read=read,
        prose_tokenizer=None,
        blank_lines="empty",
        resources=ExitStack(),
    )


def _all_lines(input_file: IO[str], name: str) -> list[str]:
    """An open file may be anything that can be read once, with line ends and an encoding of its own."""
    try:
        return list(input_file)
    except UnicodeDecodeError as error:
        raise TextError(
            f"{name} must be text in the encoding that it was opened with, {error}; name another"
        ) from error
