import json
import re
from dataclasses import replace

import pytest

from pytorch_elmo.pretrained import DEFAULT, MODELS
from pytorch_elmo.pretrained.catalog import PUBLISHER
from pytorch_elmo.weights.options import parse_options, read_options
from pytorch_elmo.weights.size import count_parameters

PUBLISHED = [name for name in MODELS if name != DEFAULT]
FILES = [file for name in PUBLISHED for file in (MODELS[name].options, MODELS[name].weights)]


def test_the_names():
    assert list(MODELS) == [
        "default",
        "small",
        "medium",
        "original",
        "original-5.5b",
        "pt-wikipedia",
        "pt-brwac",
        "pubmed",
    ]
    assert MODELS[DEFAULT].options is None
    assert MODELS[DEFAULT].weights is None


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_mirror_can_stand_in_for_every_address(name):
    entry = MODELS[name]
    for file, ending in ((entry.options, "options.json"), (entry.weights, ".hdf5")):
        assert file.url.startswith(PUBLISHER)
        assert file.url.endswith(ending)
    assert entry.options.url.rpartition("/")[0] == entry.weights.url.rpartition("/")[0]
    assert entry.description
    assert entry.licence


def test_addresses_are_distinct_and_hashes_are_hashes():
    assert len({file.url for file in FILES}) == len(FILES) == 14
    known = [file.sha256 for file in FILES if file.sha256]
    assert len(set(known)) == len(known) == 3
    assert all(re.fullmatch("[0-9a-f]{64}", sha256) for sha256 in known)
    assert all(file.size for file in FILES if file.sha256)


@pytest.mark.parametrize("name", ["small", "original"])
def test_what_can_be_checked(name):
    assert MODELS[name].options.is_known
    assert MODELS[name].weights.is_known


@pytest.mark.parametrize("name", ["medium", "original-5.5b", "pt-wikipedia", "pt-brwac", "pubmed"])
def test_what_cannot_be_checked(name):
    assert not MODELS[name].weights.is_known


def test_the_known_options_describe_the_original_model():
    config = parse_options(MODELS["original"].options.content)
    assert config.lstm.cell_size == MODELS["original"].cell_size == 4096
    assert config.lstm.projection_size == MODELS["original"].projection_size == 512
    assert config.character_encoder.num_highway_layers == 2


def test_sizes_are_those_of_the_shapes(test_data):
    stem = "elmo_2x1024_128_2048cnn_1xhighway"
    small = read_options(test_data / "data" / "elmo_weights" / stem / f"{stem}_options.json")
    original = parse_options(MODELS["original"].options.content)
    for name in PUBLISHED:
        entry = MODELS[name]
        if entry.num_parameters is None:
            assert name in ("pt-wikipedia", "pt-brwac")
            continue
        shape = original if entry.projection_size == 512 else small
        lstm = replace(shape.lstm, cell_size=entry.cell_size, projection_size=entry.projection_size)
        character_encoder = replace(shape.character_encoder, projection_size=entry.projection_size)
        config = replace(shape, lstm=lstm, character_encoder=character_encoder)
        assert count_parameters(config) == entry.num_parameters, name


def test_the_known_options_have_the_form_of_the_published_ones(test_data):
    stem = "elmo_2x1024_128_2048cnn_1xhighway"
    path = test_data / "data" / "elmo_weights" / stem / f"{stem}_options.json"
    published = json.loads(path.read_text("utf-8"))
    assert path.stat().st_size == MODELS["small"].options.size
    published["lstm"] |= {"dim": 4096, "projection_dim": 512}
    published["char_cnn"] |= {"n_highway": 2}
    assert MODELS["original"].options.content == published
