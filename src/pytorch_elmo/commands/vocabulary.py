"""`elmo vocabulary TEXT... OUTPUT`: the words of a text by frequency."""

from pathlib import Path

import click

from pytorch_elmo.commands.errors import one_line_errors
from pytorch_elmo.commands.input_options import reading_options
from pytorch_elmo.commands.progress_bar import make_progress
from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.progress import Progress


@click.command("vocabulary")
@click.argument("texts", metavar="TEXT...", nargs=-1, required=True)
@click.argument("output_file", metavar="OUTPUT", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--min-count", type=click.IntRange(min=1), default=1, show_default=True, help="Occurrences of a word.")
@click.option("--max-size", type=click.IntRange(min=4), help="Entries at most, <S>, </S> and <UNK> counted.")
@reading_options
@click.option("--overwrite", is_flag=True, help="Replace an existing OUTPUT.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
def command(
    texts: tuple[str, ...],
    output_file: Path,
    min_count: int,
    max_size: int | None,
    tokenizer: str,
    field: str | None,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Write the words of TEXT to OUTPUT, one a line, as `elmo pretrain` and bilm-tf read them.

    <S>, </S> and <UNK> come first, then the most frequent words; equal counts stand in alphabetical order. TEXT is
    files, globs or folders: text, .gz, .xz, .bz2 or tar archives of it, or tables with --field.
    """
    with one_line_errors():
        if not overwrite and output_file.exists():
            raise ConfigurationError(
                f"OUTPUT, the last argument, is a new file, {output_file} exists; name another, or --overwrite it"
            )
        if not output_file.parent.is_dir():
            raise ConfigurationError(
                f"the folder of the output must exist, {output_file.parent} does not; make it first"
            )
        _run(texts, output_file, (min_count, max_size), tokenizer, field, make_progress(quiet=quiet, lines=False))


def _run(
    texts: tuple[str, ...],
    output_file: Path,
    limits: tuple[int, int | None],
    tokenizer: str,
    field: str | None,
    progress: Progress,
) -> None:
    from pytorch_elmo.text.documents import read_sentences, refuse_field_without_table
    from pytorch_elmo.text.inputs import find_inputs, heard, size_of
    from pytorch_elmo.text.prose import processes_for
    from pytorch_elmo.text.word_counts import write_vocabulary

    inputs = find_inputs(texts)
    refuse_field_without_table(inputs, field)
    size = size_of(inputs)
    progress.start(total=size, unit="B", label="counting words")
    sentences = read_sentences(
        heard(inputs, progress.advance), tokenizer=tokenizer, field=field, num_processes=processes_for(size)
    )
    min_count, max_size = limits
    num_entries = write_vocabulary(
        (sentence for sentence in sentences if sentence is not None),
        output_file,
        min_count=min_count,
        max_size=max_size,
    )
    progress.finish()
    progress.note(f"wrote {output_file}: {num_entries:,} entries")
