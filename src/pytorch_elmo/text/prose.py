"""Raw prose split and tokenised in several processes, in the order in which it comes."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from multiprocessing.connection import wait

from pytorch_elmo.errors import PytorchElmoError
from pytorch_elmo.text.tokenizers import make_tokenizer, sentences_of_prose

ContentOrEnd = str | list[str] | None  # text, tokens, or the end of a document

_CHARACTERS_A_TASK = 1 << 16  # a tenth of a second of work; sending them costs nothing beside it
_TASKS_PER_PROCESS = 4
_BYTES_WORTH_A_PROCESS = 4 << 20  # a process takes a second to start
_MOST_PROCESSES = 16

_tokenizer = cache(make_tokenizer)  # one a process


def processes_for(num_bytes: int) -> int:
    """How many processes should tokenise so much prose: at most one a processor that this process may use."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(usable, _MOST_PROCESSES, num_bytes // _BYTES_WORTH_A_PROCESS))


def tokenized_prose(
    contents: Iterable[ContentOrEnd], tokenizer: str, num_processes: int
) -> Iterator[list[str] | None]:
    """Tokenised sentences of paragraphs; lists of tokens and ends of documents (None) are passed on.

    A program that calls this with several processes has the usual `if __name__ == "__main__":`.

    Raises:
        PytorchElmoError: a process was ended from outside.
    """
    tasks = _tasks(contents)
    if num_processes == 1:
        done: Iterable[list[str | None]] = (_tokenize(tokenizer, task) for task in tasks)
    else:
        done = _in_processes(tokenizer, tasks, num_processes)
    for sentences in done:
        for sentence in sentences:
            yield None if sentence is None else sentence.split(" ")


def _tasks(contents: Iterable[ContentOrEnd]) -> Iterator[list[ContentOrEnd]]:
    task: list[ContentOrEnd] = []
    size = 0
    for content in contents:
        task.append(content)
        size += 1 if content is None else len(content)
        if size >= _CHARACTERS_A_TASK:
            yield task
            task, size = [], 0
    yield task


def _tokenize(tokenizer: str, contents: list[ContentOrEnd]) -> list[str | None]:
    """Sentences as tokens between single spaces: strings are sent between processes much faster than lists."""
    sentences: list[str | None] = []
    for content in contents:
        if content is None:
            sentences.append(None)
        elif isinstance(content, list):
            if tokens := " ".join(content).split():
                sentences.append(" ".join(tokens))
        else:
            sentences.extend(map(" ".join, sentences_of_prose(content, _tokenizer(tokenizer))))
    return sentences


def _in_processes(
    tokenizer: str, tasks: Iterator[list[ContentOrEnd]], num_processes: int
) -> Iterator[list[str | None]]:
    context = multiprocessing.get_context("spawn")  # a fork of a process that runs threads may hang
    pool = ProcessPoolExecutor(num_processes, mp_context=context, initializer=_begin)
    waiting: deque[Future[list[str | None]]] = deque()
    try:
        for task in tasks:
            waiting.append(pool.submit(_tokenize, tokenizer, task))
            if len(waiting) >= _TASKS_PER_PROCESS * num_processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise PytorchElmoError(
            f"one of {num_processes} tokenising processes ended before its work did; start again, with more memory "
            'or fewer processors, and from a program with if __name__ == "__main__"'
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """Leave Ctrl-C to the process that reads, and end when it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
