"""Readers of any table or data set: a configuration names the data in its paths, and the columns here.

    dataset_reader: {
      type: 'dataset_classification', text_column: 'sentence', label_column: 'label',
      token_indexers: { elmo: { type: 'elmo_characters' } },
    },
    train_data_path: 'stanfordnlp/sst2#train',  // of the hub; glue:cola#train with a configuration
    validation_data_path: 'reviews/dev.tsv',    // or .jsonl, .csv, .parquet, a folder

`pytorch_elmo.text.data_sets` says what a path may be. Classes come by their names, not their numbers.
"""

# ruff: noqa: UP007, UP045 -- AllenNLP's from_params reads Optional and Union, not `X | None`

from collections.abc import Iterator
from typing import Any, Optional, Union

from allennlp.data import DatasetReader, Instance, Token, TokenIndexer, Tokenizer
from allennlp.data.dataset_readers.dataset_utils.span_utils import InvalidTagSequence, to_bioul
from allennlp.data.fields import LabelField, MetadataField, SequenceLabelField, TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer
from allennlp.data.tokenizers import WhitespaceTokenizer

from pytorch_elmo.errors import ConfigurationError, TextError
from pytorch_elmo.text.data_sets import read_data_set
from pytorch_elmo.text.tables import checked_content


class _TableReader(DatasetReader):
    """What both readers share: rows into instances with the text field `tokens`."""

    _columns: tuple[Optional[str], ...]  # those that are read; None: not there

    def __init__(self, token_indexers: Optional[dict[str, TokenIndexer]] = None, **options: Any) -> None:
        super().__init__(manual_distributed_sharding=True, manual_multiprocess_sharding=True, **options)
        self._token_indexers = token_indexers or {"tokens": SingleIdTokenIndexer()}

    def _read(self, file_path: str) -> Iterator[Instance]:
        columns = [column for column in self._columns if column is not None]
        for where, row in self.shard_iterable(read_data_set(str(file_path), columns)):
            yield self._row_to_instance(row, where)

    def _row_to_instance(self, row: dict[str, Any], where: str) -> Instance:
        raise NotImplementedError

    def apply_token_indexers(self, instance: Instance) -> None:
        """Give the tokens of an instance their indexers, which stay with the reader where workers read."""
        instance["tokens"].token_indexers = self._token_indexers


@DatasetReader.register("dataset_classification", exist_ok=True)
class DatasetClassificationReader(_TableReader):
    """A text and its class a row, as the fields `tokens` and `label` of AllenNLP's `text_classification_json`.

    Args:
        text_column: text, which the tokenizer splits, or tokens.
        label_column: text, a whole number, or a class; None leaves the labels out, for prediction.
        tokenizer: AllenNLP's; splits at white space if None.
        token_indexers: AllenNLP's; `{"tokens": "single_id"}` if None.
        max_sequence_length: longer texts are cut to so many tokens.
        options: those of every reader of AllenNLP.
    """

    def __init__(
        self,
        text_column: str = "text",
        label_column: Optional[str] = "label",
        tokenizer: Optional[Tokenizer] = None,
        token_indexers: Optional[dict[str, TokenIndexer]] = None,
        max_sequence_length: Optional[int] = None,
        **options: Any,
    ) -> None:
        super().__init__(token_indexers, **options)
        self._columns = self._text_column, self._label_column = text_column, label_column
        self._tokenizer = tokenizer or WhitespaceTokenizer()
        self._max_sequence_length = max_sequence_length

    def text_to_instance(self, text: Union[str, list[str]], label: Optional[str] = None) -> Instance:
        """One text, or the tokens of one."""
        tokens = self._tokenizer.tokenize(text) if isinstance(text, str) else list(map(Token, text))
        fields: dict[str, Any] = {"tokens": TextField(tokens[: self._max_sequence_length])}
        if label is not None:
            fields["label"] = LabelField(label)
        return Instance(fields)

    def _row_to_instance(self, row: dict[str, Any], where: str) -> Instance:
        text = checked_content(row[self._text_column], where, self._text_column)
        label = None if self._label_column is None else _label(row[self._label_column], where, self._label_column)
        return _with_tokens(self.text_to_instance(text, label), where, self._text_column)


@DatasetReader.register("dataset_tagging", exist_ok=True)
class DatasetTaggingReader(_TableReader):
    """Tokens and as many tags a row, as the fields `tokens`, `tags` and `metadata` of AllenNLP's `sequence_tagging`.

    Args:
        tokens_column: lists of tokens, or text with blanks between tokens.
        tags_column: lists of tags: text, whole numbers or classes, or text with blanks between tags; None leaves the
            tags out, for prediction.
        token_indexers: AllenNLP's; `{"tokens": "single_id"}` if None.
        convert_to_coding_scheme: `BIOUL` for tags in BIO form that a model wants so; None leaves them as they are.
        options: those of every reader of AllenNLP.

    Raises:
        ConfigurationError: another coding scheme.
    """

    def __init__(
        self,
        tokens_column: str = "tokens",
        tags_column: Optional[str] = "tags",
        token_indexers: Optional[dict[str, TokenIndexer]] = None,
        convert_to_coding_scheme: Optional[str] = None,
        **options: Any,
    ) -> None:
        super().__init__(token_indexers, **options)
        if convert_to_coding_scheme not in (None, "BIOUL"):
            raise ConfigurationError(
                f"convert_to_coding_scheme must be BIOUL, got {convert_to_coding_scheme!r}; leave it out for none"
            )
        self._columns = self._tokens_column, self._tags_column = tokens_column, tags_column
        self._to_bioul = convert_to_coding_scheme is not None

    def text_to_instance(self, tokens: list[Token], tags: Optional[list[str]] = None) -> Instance:
        """One sentence, with its tags as they are to be predicted."""
        sequence = TextField(tokens)
        words = [token.text for token in tokens]
        fields: dict[str, Any] = {"tokens": sequence, "metadata": MetadataField({"words": words})}
        if tags is not None:
            fields["tags"] = SequenceLabelField(tags, sequence)
        return Instance(fields)

    def _row_to_instance(self, row: dict[str, Any], where: str) -> Instance:
        words = _split(checked_content(row[self._tokens_column], where, self._tokens_column))
        tags = None if self._tags_column is None else self._tags(row[self._tags_column], len(words), where)
        return _with_tokens(self.text_to_instance(list(map(Token, words)), tags), where, self._tokens_column)

    def _tags(self, value: Any, num_tokens: int, where: str) -> list[str]:
        column = self._tags_column
        values = value.split() if isinstance(value, str) else value
        if not isinstance(values, list) or len(values) != num_tokens:
            met = f"{len(values)}" if isinstance(values, list) else f"{values!r:.40}"
            raise TextError(
                f"{where}: {column} must have a tag for each of the {num_tokens} tokens, got {met}; mend it"
            )
        tags = [_label(tag, where, column) for tag in values]
        try:
            return to_bioul(tags, encoding="BIO") if self._to_bioul else tags
        except InvalidTagSequence as error:
            raise TextError(f"{where}: {column} must be in BIO form, got {' '.join(tags):.60}; mend it") from error


def _split(content: Union[str, list[str]]) -> list[str]:
    return content.split() if isinstance(content, str) else content


def _label(value: Any, where: str, column: Optional[str]) -> str:
    if isinstance(value, (str, int)) and value != "":
        return str(value)
    met = "nothing" if value is None or value == "" else f"{value!r:.40}"
    raise TextError(
        f"{where}: {column} must be text, a whole number or a class, got {met}; leave the row out, or name no column "
        "of labels to predict them"
    )


def _with_tokens(instance: Instance, where: str, column: str) -> Instance:
    if not len(instance["tokens"]):
        raise TextError(f"{where}: {column} must have at least one token, got none; leave the row out")
    return instance
