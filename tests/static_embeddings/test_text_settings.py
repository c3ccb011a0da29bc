"""Settings: what they may be, and that JSON keeps them."""

import json

import pytest

from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.static_embeddings.text_settings import TextSettings


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"num_oov_buckets": -1}, r"num_oov_buckets must be a whole number from 0, got -1; 1 is usual"),
        ({"num_oov_buckets": True}, r"num_oov_buckets must be a whole number from 0, got True"),
        ({"num_oov_buckets": 1.5}, r"num_oov_buckets must be a whole number from 0, got 1\.5"),
        ({"combiner": "max"}, r"combiner must be sqrtn, mean, sum, got 'max'; the hub's is sqrtn"),
        ({"split": "no"}, r"split must be True or False, got 'no'; choose one"),
        ({"remove_punctuation": None}, r"remove_punctuation must be True or False, got None"),
    ],
)
def test_values_that_cannot_be(wrong, message):
    with pytest.raises(ConfigurationError, match=message):
        TextSettings(**wrong)


def test_json_keeps_them():
    settings = TextSettings(num_oov_buckets=3, combiner="mean", split=False)
    assert TextSettings.from_document(json.loads(json.dumps(settings.to_document()))) == settings


@pytest.mark.parametrize("document", [None, [], {}, {"combiner": "sum"}])
def test_documents_that_are_not_whole(document):
    with pytest.raises(
        ConfigurationError, match=r"settings must be combiner, keep_empty_tokens, num_oov_buckets, .*go"
    ):
        TextSettings.from_document(document)


def test_unknown_keys():
    with pytest.raises(ConfigurationError, match=r"settings must be .*, got \[.*'stem'\]"):
        TextSettings.from_document(TextSettings().to_document() | {"stem": True})
