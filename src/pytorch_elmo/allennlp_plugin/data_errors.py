"""Data that a command cannot use: files that are missing or empty, labels that training never saw, broken lines."""

import errno
import functools
import importlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from pytorch_elmo.errors import ConfigurationError, DownloadError, TextError


class UnknownLabelError(ConfigurationError, KeyError):
    """A label has no number; AllenNLP raises KeyError."""

    __str__ = Exception.__str__  # KeyError's own is for one key


def mend_file_utils(file_utils: ModuleType) -> None:
    """All of AllenNLP finds its files through `cached_path`, whose errors do not hold the file's name as such."""
    cached_path: Callable[..., str] = file_utils.cached_path

    @functools.wraps(cached_path)
    def named(url_or_filename: str | os.PathLike[str], *args: Any, **kwargs: Any) -> str:
        name = os.fspath(url_or_filename)
        try:
            return cached_path(url_or_filename, *args, **kwargs)
        except FileNotFoundError as error:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name) from error
        except OSError as error:  # the errors of requests too
            if "://" not in name:
                raise
            reason = str(error).partition("\n")[0]
            raise DownloadError(
                f"{name} could not be fetched: {reason}; download it by hand and name the copy, or name another file"
            ) from error

    file_utils.cached_path = named  # type: ignore[attr-defined]


def mend_dataset_reader(module: ModuleType) -> None:
    """Since 1.0 a reader may give nothing, and a model is trained on that; 0.9 refused it."""
    reader: Any = module.DatasetReader
    read = reader.read

    @functools.wraps(read)
    def not_empty(self: Any, file_path: Any) -> Iterator[Any]:
        found = False
        for instance in read(self, file_path):
            found = True
            yield instance
        shared = self.get_worker_info() or self.get_distributed_info()  # then another process may have them all
        if not found and not shared:
            raise TextError(
                f"data must hold at least one instance, {type(self).__name__} found none in {file_path}; give the "
                "path of data in the form that this reader reads"
            )

    reader.read = not_empty


def mend_vocabulary(module: ModuleType) -> None:
    """AllenNLP's error says nothing of training, where the label had to be known."""
    vocabulary: Any = module.Vocabulary

    @functools.wraps(vocabulary.get_token_index)
    def get_token_index(self: Any, token: str, namespace: str = "tokens") -> int:
        indices: dict[str, int] = self._token_to_index[namespace]
        index = indices.get(token)
        if index is None:
            index = indices.get(self._oov_token)
        if index is None:
            raise UnknownLabelError(
                f"every label must be one that training knew, {token!r} is not among the {len(indices)} {namespace}; "
                "train with this data as test_data_path (TEST_DATA_PATH=FILE with this project's configurations), "
                "which makes its labels known"
            )
        return index

    vocabulary.get_token_index = get_token_index


def mend_predict(predict: ModuleType) -> None:
    """A line that a predictor cannot read is named by its number, and what was predicted before it is written."""
    manager: Any = predict._PredictManager
    run: Callable[[Any], None] = manager.run

    @functools.wraps(run)
    def run_and_close(self: Any) -> None:
        try:
            run(self)
        finally:
            if self._output_file is not None:
                self._output_file.close()

    def get_json_data(self: Any) -> Iterator[Any]:
        if self._input_file == "-":
            yield from _loaded(self._predictor, sys.stdin, "standard input")
            return
        file_utils = importlib.import_module("allennlp.common.file_utils")
        with file_utils.open_compressed(file_utils.cached_path(self._input_file)) as lines:
            yield from _loaded(self._predictor, lines, self._input_file)

    manager.run, manager._get_json_data = run_and_close, get_json_data


def mend_ontonotes(module: ModuleType) -> None:
    """A row of CoNLL-2012 that cannot be read ended in a traceback that names neither the file nor the row."""
    ontonotes: Any = module.Ontonotes
    to_sentence, documents = ontonotes._conll_rows_to_sentence, ontonotes.dataset_document_iterator

    @functools.wraps(to_sentence)
    def readable(self: Any, conll_rows: list[str]) -> Any:
        try:
            return to_sentence(self, conll_rows)
        except (ValueError, IndexError, KeyError, AssertionError, AttributeError) as error:
            widths = [len(row.split()) for row in conll_rows]
            usual = max(set(widths), key=widths.count)
            odd = next((row for row, width in zip(conll_rows, widths, strict=True) if width != usual), conll_rows[0])
            raise TextError(
                f"a sentence must be rows of CoNLL-2012's columns, the one with the row {odd.strip()[:80]!r} cannot "
                f"be read ({error}); correct it, or make the file with scripts/prepare_srl.py, which checks every row"
            ) from error

    @functools.wraps(documents)
    def named(self: Any, file_path: str) -> Iterator[Any]:
        try:
            yield from documents(self, file_path)
        except TextError as error:
            raise TextError(f"{file_path}: {error}") from error

    ontonotes._conll_rows_to_sentence, ontonotes.dataset_document_iterator = readable, named


def _loaded(predictor: Any, lines: Iterator[str], source: str) -> Iterator[Any]:
    for number, line in enumerate(lines, 1):
        if line.isspace():
            continue
        try:
            yield predictor.load_line(line)
        except json.JSONDecodeError as error:
            raise TextError(
                f"line {number} of {source}: a line must be JSON, got {line.strip()[:80]!r}: {error.msg} at "
                f"character {error.pos + 1}; correct or remove it"
            ) from error
        except TextError as error:
            raise TextError(f"line {number} of {source}: {error}") from error


# Module of AllenNLP -> what is to be done to it once it has been executed.
MENDS: dict[str, tuple[Callable[[ModuleType], None], ...]] = {
    "allennlp.commands.predict": (mend_predict,),
    "allennlp.common.file_utils": (mend_file_utils,),
    "allennlp.data.dataset_readers.dataset_reader": (mend_dataset_reader,),
    "allennlp.data.vocabulary": (mend_vocabulary,),
    "allennlp_models.common.ontonotes": (mend_ontonotes,),
}
