"""A file of sentences to a layer file: planned from the input alone, so that a stopped job can go on."""

import math
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pytorch_elmo import __version__
from pytorch_elmo.elmo.layer_choice import Layers, choose_layers
from pytorch_elmo.embedder.background import (
    BackgroundWriter,
    FinishedBatch,
    committed_state,
    remove_states,
)
from pytorch_elmo.embedder.batches import BatchRule
from pytorch_elmo.embedder.embedder import ElmoEmbedder, Vectors
from pytorch_elmo.errors import TextError
from pytorch_elmo.progress import Progress, SilentProgress
from pytorch_elmo.storage import LayerFileWriter, Manifest, partial_state
from pytorch_elmo.text.sources import InputSummary, Line, SentenceSource, open_source, scan
from pytorch_elmo.weights.load import model_hash


@dataclass(frozen=True, kw_only=True)
class FileJob:
    """What is to be written, and how an existing output is treated.

    `use_sentence_keys` names datasets by their sentences; `forget_sentences` leaves `sentence_to_index` out;
    `include_sentence_indices` writes it under the name `sentence_indices` too.
    """

    output: Path
    layers: Layers = "all"
    dtype: str = "float32"
    layout: str = "per-sentence"
    tokenizer: str = "whitespace"
    use_sentence_keys: bool = False
    forget_sentences: bool = False
    include_sentence_indices: bool = False
    resume: bool = False
    overwrite: bool = False


@dataclass(frozen=True, kw_only=True)
class FileReport:
    """How a job ended: `finished`, or stopped after `sentences_done` sentences that are safe; `sentences_run` were
    run by this process.
    """

    finished: bool
    sentences_done: int
    sentences_run: int
    tokens_run: int


def make_manifest(embedder: ElmoEmbedder, summary: InputSummary, job: FileJob) -> Manifest:
    """What the job's file will say of itself."""
    choice = choose_layers(job.layers, embedder.num_layers)
    return Manifest(
        project_version=__version__,
        model=embedder.name,
        model_hash=model_hash(embedder.bilm),
        layers=choice.description,
        num_layers=embedder.num_layers if choice.keeps_layers else None,
        dim=embedder.dim,
        dtype=job.dtype,
        precision=embedder.precision,
        state_mode="stateful" if embedder.stateful else "each sentence from the start state",
        start_state="zeros" if embedder.bilm.lstm.start is None else "the model's own",
        layout=job.layout,
        keys="sentence" if job.use_sentence_keys else "index",
        num_sentences=summary.num_sentences,
        num_tokens=summary.num_tokens,
        input_sha256=summary.sha256,
        tokenizer=job.tokenizer,
        batch_plan=embedder.rule.description,
    )


def write_file(embedder: ElmoEmbedder, path: str | Path, job: FileJob, rule: BatchRule) -> None:
    """Embed a text file in one go, with batches by `rule`.

    Raises:
        PytorchElmoError: as `embed_file`, or the input cannot be read.
    """
    with open_source(path) as source, batches_by(embedder, rule):
        summary = scan(source)
        manifest = make_manifest(embedder, summary, job)
        embed_file(embedder, source, summary, job, manifest=manifest, progress=SilentProgress())


@contextmanager
def batches_by(embedder: ElmoEmbedder, rule: BatchRule) -> Iterator[None]:
    """Let an embedder use another rule for a while."""
    before, embedder.rule = embedder.rule, rule
    try:
        yield
    finally:
        embedder.rule = before


def embed_file(
    embedder: ElmoEmbedder,
    source: SentenceSource,
    summary: InputSummary,
    job: FileJob,
    *,
    manifest: Manifest,
    progress: Progress,
    stop: Callable[[], bool] = lambda: False,
) -> FileReport:
    """Write every sentence's vectors to `job.output`.

    Args:
        embedder: computes the vectors.
        source: the sentences; read twice.
        summary: of `source`.
        job: what to write.
        manifest: from `make_manifest`.
        progress: hears tokens.
        stop: asked after each batch; True ends the job so that it can be resumed.

    Raises:
        LayerFileError: the output exists or cannot be written, or an unfinished one is of another job.
        TextError: the input changed while it was read, or a sentence cannot be a key.
    """
    writer = _open_writer(manifest, source, summary, job, progress)
    if writer is None:
        remove_states(job.output)
        return FileReport(finished=True, sentences_done=summary.num_sentences, sentences_run=0, tokens_run=0)
    with closing(writer):
        if embedder.stateful and job.resume:  # a new file goes on from the calls before it, as AllenNLP's does
            embedder.carried_state = committed_state(writer)
        done = _Done(sentences_before=int(writer.written.sum()))
        finished = _run(embedder, source, summary, job, writer, progress, stop, done)
        if finished:
            writer.finish()
            remove_states(job.output)
    return FileReport(
        finished=finished,
        sentences_done=done.sentences_before + done.sentences,
        sentences_run=done.sentences,
        tokens_run=done.tokens,
    )


@dataclass
class _Done:
    sentences_before: int
    sentences: int = 0
    tokens: int = 0


def _open_writer(
    manifest: Manifest, source: SentenceSource, summary: InputSummary, job: FileJob, progress: Progress
) -> LayerFileWriter | None:
    identity = {"forget_sentences": job.forget_sentences, "include_sentence_indices": job.include_sentence_indices}
    if job.resume and partial_state(job.output) != "none":
        return LayerFileWriter.resume(job.output, manifest=manifest, identity=identity)

    def texts() -> Iterator[str]:
        return (line.text for line in source)

    with_map = not (job.forget_sentences or job.use_sentence_keys)
    return LayerFileWriter.create(
        job.output,
        manifest=manifest,
        token_counts=summary.token_counts,
        identity=identity,
        sentences=texts if with_map else None,
        keys=texts if job.use_sentence_keys else None,
        also_sentence_indices=job.include_sentence_indices,
        overwrite=job.overwrite,
        progress=progress,
    )


def _run(
    embedder: ElmoEmbedder,
    source: SentenceSource,
    summary: InputSummary,
    job: FileJob,
    writer: LayerFileWriter,
    progress: Progress,
    stop: Callable[[], bool],
    done: _Done,
) -> bool:
    """Run the batches that are not committed yet; whether all were run."""
    batches = _batches(embedder, source, summary)
    first, tokens_before = writer.batches_done, 0
    for _ in range(first):
        tokens_before += sum(len(line.tokens) for line in next(batches))
    progress.start(total=summary.num_tokens, unit="token", done=tokens_before, label="embedding")
    background = BackgroundWriter(writer)
    stopped = False
    try:
        for number, batch in enumerate(batches, start=first + 1):
            vectors = _run_batch(embedder, batch, job, writer, background)
            background.put(FinishedBatch(number, vectors, embedder.carried_state if embedder.stateful else None))
            num_tokens = sum(len(line.tokens) for line in batch)
            done.sentences += len(batch)
            done.tokens += num_tokens
            progress.advance(num_tokens)
            if stopped := stop():
                break
    finally:
        background.close()
        progress.finish()
    return not stopped or done.sentences_before + done.sentences == summary.num_sentences


def _batches(embedder: ElmoEmbedder, source: SentenceSource, summary: InputSummary) -> Iterator[list[Line]]:
    """Consecutive lines by the embedder's rule, checked against the first reading."""
    batch: list[Line] = []
    num_tokens = count = 0
    for count, line in enumerate(source, start=1):
        if count > summary.num_sentences or len(line.tokens) != summary.token_counts[count - 1]:
            break
        batch.append(line)
        num_tokens += len(line.tokens)
        if embedder.rule.ends(len(batch), num_tokens):
            yield batch
            batch, num_tokens = [], 0
    else:
        if count == summary.num_sentences:
            if batch:
                yield batch
            return
    raise TextError(
        f"{source.description} changed at {source.unit} {count} while it was read; leave it alone, and start again"
    )


def _run_batch(
    embedder: ElmoEmbedder, batch: list[Line], job: FileJob, writer: LayerFileWriter, background: BackgroundWriter
) -> list[tuple[int, Vectors]]:
    """Vectors by sentence index; a sentence too long for one piece goes straight into the file."""
    longest = math.inf if embedder.stateful else embedder.rule.chunk_tokens
    long = [line for line in batch if len(line.tokens) > longest]
    short = [line for line in batch if len(line.tokens) <= longest]
    vectors = embedder.embed_batch([line.tokens for line in short], layers=job.layers)
    for line in long:
        background.drain()
        embedder.embed_document(line.tokens, writer.destination(line.number - 1), layers=job.layers)
        writer.mark_written(line.number - 1)
    return [(line.number - 1, array) for line, array in zip(short, vectors, strict=True)]
