"""0.9's configurations in 2.x's form: the how-to, what is refused, and what is left alone."""

import copy
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from old_configurations import CHARACTERS, NEW, OLD, new, old
from pytorch_elmo.allennlp_plugin.legacy_configs import translate, translation
from pytorch_elmo.errors import ConfigurationError


def test_how_to_of_0_9():
    before = copy.deepcopy(OLD)
    config, lines = translate(OLD)
    assert config == NEW
    assert before == OLD
    assert lines == [
        "iterator: is data_loader: batch_sampler (type bucket, batch_size 80, sorting_keys ['tokens'])",
        "model.text_field_embedder: tokens, elmo in token_embedders",
        "model.regularizer: the list of 1 is regexes",
        "model.initializer: the list of 1 is regexes",
        "trainer.num_serialized_models_to_keep: is checkpointer.keep_most_recent_by_count 10",
        "trainer.cuda_device: 0 left out, 2.x takes the first GPU if there is one",
    ]


REFUSED = {
    "iterator.type": {"iterator": {"type": "same_language", "batch_size": 3}},
    "iterator.track_epoch": {"iterator": {"type": "basic", "track_epoch": True}},
    "iterator.no_such_key": {"iterator": {"type": "basic", "no_such_key": 1}},
    "iterator.instances_per_epoch": {
        "iterator": {"type": "basic", "instances_per_epoch": 9, "maximum_samples_per_batch": ["num_tokens", 5]}
    },
    "iterator.sorting_keys": {"iterator": {"type": "bucket", "sorting_keys": [["tokens"]]}},
    "dataset_reader.tokenizer.word_splitter": {
        "dataset_reader__tokenizer": {"type": "word", "word_splitter": {"type": "bert-basic"}}
    },
    "dataset_reader.tokenizer.word_stemmer": {
        "dataset_reader__tokenizer": {"type": "word", "word_stemmer": {"type": "porter"}}
    },
    "dataset_reader.tokenizer.end_tokens": {
        "dataset_reader__tokenizer": {"type": "word", "word_splitter": "just_spaces", "end_tokens": ["@@NULL@@"]}
    },
    "dataset_reader.type": {"dataset_reader__type": "quarel"},
    "dataset_reader.token_indexers.bert.type": {"dataset_reader__token_indexers__bert": {"type": "bert-pretrained"}},
    "model.type": {"model__type": "event2mind"},
    "model.encoder.type": {"model__encoder__type": "intra_sentence_attention"},
    "model.encoder.batch_first": {"model__encoder__batch_first": False},
    "model.similarity_function": {"model__type": "bidaf", "model__similarity_function": {"type": "multiheaded"}},
    "model.text_field_embedder.token_embedders.m.type": {
        "model__text_field_embedder__m": {"type": "elmo_token_embedder_multilang"}
    },
    "model.text_field_embedder.embedder_to_indexer_map.tokens": {
        "model__text_field_embedder__embedder_to_indexer_map": {"tokens": ["tokens", "offsets"]}
    },
    "model.regularizer": {"model__regularizer": ["weight"]},
    "trainer.callbacks.0": {"trainer": {"type": "callback", "callbacks": ["post-to-url"]}},
    "trainer.optimizer.type": {"trainer__optimizer": {"type": "bert_adam"}},
    "vocabulary.extend": {"vocabulary": {"extend": True}},
}


@pytest.mark.parametrize(("place", "parts"), REFUSED.items(), ids=REFUSED)
def test_refusal_names_place_and_value(place, parts):
    with pytest.raises(ConfigurationError) as error:
        translate(old(**parts))
    message = str(error.value)
    assert message.startswith(f"{place}: ")
    assert ", it is " in message
    assert "\n" not in message


def test_name_that_a_package_brought_is_no_refusal():
    config = old(model__type="quarel_parser")
    assert translation(config, registered=lambda base, name: (base, name) == ("Model", "quarel_parser")).lines


def test_tensorboard_is_left_out_where_nothing_writes_it():
    work = translation(old(trainer__summary_interval=10), tensorboard=False)
    assert "callbacks" not in work.config["trainer"]
    assert work.losses == [
        "trainer.summary_interval: left out, tensorboardX is not installed; pip install tensorboardX for the logs"
    ]


# What both releases know, with another meaning, and what 2.x's packages may register under 0.9's names.
@pytest.mark.parametrize(
    "parts",
    [
        {"trainer__cuda_device": 0},
        {"trainer__shuffle": False},
        {"dataset_reader__lazy": True},
        {"dataset_reader__type": "quarel"},
        {"dataset_reader__tokenizer": {"type": "character", "end_tokens": ["e"]}},
        {"model__type": "quarel_parser"},
        {"model__text_field_embedder": {"token_embedders": {"c": CHARACTERS}}},
        {"model__text_field_embedder": {"type": "mine", "tokens": {"type": "embedding"}}},
        {"model__text_field_embedder": {"_pretrained": {"archive_file": "a", "path": "p"}}},
        {"model": {"type": "from_archive", "archive_file": "model.tar.gz"}},
        {"vocabulary": {"type": "from_files", "directory": "v"}},
        {"vocabulary": {"min_count": {"tokens": 3}, "pretrained_files": {"tokens": "f"}}},
        {"distributed": {"cuda_devices": [0, 1]}},
    ],
)
def test_new_form_is_left_alone(parts):
    assert translate(new(**parts)) == (new(**parts), [])


def test_parts_of_0_9_in_a_new_configuration():
    """The how-to's embedder pasted into a configuration of 2.x."""
    config, lines = translate(new(model__text_field_embedder=OLD["model"]["text_field_embedder"]))
    assert config == NEW
    assert lines == ["model.text_field_embedder: tokens, elmo in token_embedders"]


values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["type", "a"]), inner, max_size=2),
    max_leaves=4,
)
CROWDED = old(
    dataset_reader__tokenizer={"type": "word", "word_splitter": {"type": "spacy"}, "end_tokens": ["e"]},
    dataset_reader__lazy=True,
    model__text_field_embedder__allow_unmatched_keys=True,
    model__text_field_embedder__embedder_to_indexer_map={"elmo": ["elmo", "tokens"]},
    model__attention={"type": "legacy", "similarity_function": {"type": "linear"}},
    trainer__summary_interval=3,
    trainer__callbacks=["a"],
    vocabulary={"directory_path": "v"},
)


def leaves(part, path=()):
    yield path
    for key, inner in part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ():
        yield from leaves(inner, (*path, key))


@given(path=st.sampled_from([path for path in leaves(CROWDED) if path]), value=values)
def test_whatever_stands_there_it_is_translated_or_refused(path, value):
    config = copy.deepcopy(CROWDED)
    part = config
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    try:
        translated, _ = translate(config)
    except ConfigurationError as error:
        message = str(error)
    else:
        message = ""
        assert translate(translated) == (translated, [])
    assert "\n" not in message


def test_translating_imports_neither_allennlp_nor_torch():
    code = (
        "import sys; import pytorch_elmo.allennlp_plugin.legacy_configs;"
        "assert not {'allennlp', 'h5py', 'numpy', 'torch'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
