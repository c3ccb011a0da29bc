"""Options files: what is read, what is written back, and one clear line for everything else."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from damage import refusal
from originals import COMMITTED, MODELS, model_files
from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.model import BiLMConfig, CharacterEncoderConfig, LstmConfig
from pytorch_elmo.weights.options import format_options, parse_options, read_options
from random_models import CONFIGS

OPTIONS = {
    "lstm": {
        "use_skip_connections": True,
        "projection_dim": 512,
        "cell_clip": 3,
        "proj_clip": 2.5,
        "dim": 4096,
        "n_layers": 2,
    },
    "char_cnn": {
        "activation": "relu",
        "filters": [[1, 32], [7, 1024]],
        "n_highway": 1,
        "embedding": {"dim": 16},
        "n_characters": 262,
        "max_characters_per_token": 50,
    },
}
GONE = object()


def changed(place: str, value: object) -> dict:
    """The options with one value replaced, or removed."""
    options = copy.deepcopy(OPTIONS)
    section, (*path, key) = options, place.split(".")
    for name in path:
        section = section[name]
    if value is GONE:
        del section[key]
    else:
        section[key] = value
    return options


def refused(options: object, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        parse_options(options)
    assert "\n" not in str(caught.value)


def test_every_value_finds_its_place():
    assert parse_options(OPTIONS) == BiLMConfig(
        character_encoder=CharacterEncoderConfig(
            filters=((1, 32), (7, 1024)),
            character_embedding_size=16,
            num_highway_layers=1,
            projection_size=512,
            activation="relu",
            character_vocabulary_size=262,
            num_characters=50,
        ),
        lstm=LstmConfig(
            num_lstm_layers=2,
            cell_size=4096,
            projection_size=512,
            cell_clip=3,
            projection_clip=2.5,
            use_skip_connections=True,
        ),
    )


@given(CONFIGS)
def test_formatting_undoes_parsing(config):
    text = json.dumps(format_options(config))
    assert parse_options(json.loads(text)) == config


def test_options_of_the_right_form_come_back_as_they_were():
    assert format_options(parse_options(OPTIONS)) == OPTIONS


@pytest.mark.parametrize("name", [*MODELS, "syn8", "noskip"])
def test_original_options(golden_folder, name):
    path = model_files(golden_folder, name)[0]
    theirs, ours = json.loads(path.read_text("utf-8")), format_options(read_options(path))
    for section in ("lstm", "char_cnn"):
        for key in theirs[section].keys() - {"n_characters"}:
            assert ours[section][key] == theirs[section][key]


def test_options_that_the_authors_training_saved(golden_folder):
    """With the training keys, and 261 characters: the network has 262 rows all the same."""
    config = read_options(golden_folder / "bilm_tf_checkpoint" / "options.json")
    assert (config.lstm.cell_size, config.lstm.projection_size) == (12, 7)
    assert config.character_encoder.character_vocabulary_size == 262


def test_committed_training_options_are_read():
    config = read_options(COMMITTED / "trained" / "options.json")
    assert config.character_encoder.character_vocabulary_size == 262
    assert (config.lstm.cell_clip, config.lstm.projection_clip) == (1.0, 0.5)


@pytest.mark.parametrize("key", ["n_characters", "max_characters_per_token", "activation"])
def test_keys_that_may_be_left_out(key):
    assert parse_options(changed(f"char_cnn.{key}", GONE)) == parse_options(OPTIONS)


@pytest.mark.parametrize("value", [None, 0, 0.0, 5, 0.25])
def test_clips(value):
    config = parse_options(changed("lstm.cell_clip", value))
    assert config.lstm.cell_clip == value


@pytest.mark.parametrize("value", [0, 3])
def test_numbers_of_highway_layers(value):
    assert parse_options(changed("char_cnn.n_highway", value)).character_encoder.num_highway_layers == value


@pytest.mark.parametrize("place", ["lstm", "lstm.cell_clip", "lstm.use_skip_connections", "lstm.dim", "lstm.n_layers",
                                   "char_cnn.filters", "char_cnn.n_highway", "char_cnn.embedding",
                                   "char_cnn.embedding.dim"])  # fmt: skip
def test_missing_keys(place):
    where, _, key = place.rpartition(".")
    refused(changed(place, GONE), rf"^{where or 'options'} misses the key\(s\) {key}; a biLM needs them$")


def test_all_missing_keys_are_named():
    options = changed("lstm.dim", GONE)
    del options["lstm"]["cell_clip"]
    refused(options, r"lstm misses the key\(s\) cell_clip, dim; ")


@pytest.mark.parametrize("place", ["dropouts", "lstm.hidden", "char_cnn.filter", "char_cnn.embedding.size"])
def test_unknown_keys(place):
    where, _, key = place.rpartition(".")
    refused(changed(place, 1), rf"^{where or 'options'} has unknown key\(s\) {key}; known are [a-z_, ]+$")


def test_word_input():
    refused(
        changed("char_cnn", GONE), r"^options without 'char_cnn' describe a word-input biLM, which is not run here$"
    )


def test_one_direction():
    refused({**OPTIONS, "bidirectional": False}, r"'bidirectional' must be true, got false: one direction alone")


@pytest.mark.parametrize("value", [[], "options", 3, None])
def test_options_that_are_no_object(value):
    refused(value, r"^the options must be an object, got ")


@pytest.mark.parametrize("place", ["lstm", "char_cnn", "char_cnn.embedding"])
@pytest.mark.parametrize("value", [[1], "x", None, True])
def test_sections_that_are_no_object(place, value):
    refused(changed(place, value), rf"^{place} must be an object, got ")


@pytest.mark.parametrize("place", ["lstm.projection_dim", "lstm.dim", "lstm.n_layers", "char_cnn.embedding.dim"])
@pytest.mark.parametrize("value", [True, False, "8", 8.0, 0, -3, None, [8]])
def test_whole_numbers_from_one(place, value):
    where, _, key = place.rpartition(".")
    refused(changed(place, value), rf"^{where}.{key} must be a whole number from 1, got ")


@pytest.mark.parametrize("value", [-1, True, 1.0, "1", None])
def test_whole_numbers_from_zero(value):
    refused(changed("char_cnn.n_highway", value), r"^char_cnn.n_highway must be a whole number from 0, got ")


@pytest.mark.parametrize("key", ["cell_clip", "proj_clip"])
@pytest.mark.parametrize("value", [-3, -0.5, True, "3", [3], float("nan"), float("inf")])
def test_clips_that_are_none(key, value):
    refused(changed(f"lstm.{key}", value), rf"^lstm.{key} must be a number from 0, or null for no clipping, got ")


@pytest.mark.parametrize("value", [1, 0, "true", None])
def test_truth_values(value):
    refused(changed("lstm.use_skip_connections", value), r"^lstm.use_skip_connections must be true or false, got ")


@pytest.mark.parametrize("value", ["gelu", "ReLU", None, 1])
def test_activations(value):
    refused(changed("char_cnn.activation", value), r"^char_cnn.activation is relu or tanh, got ")


@pytest.mark.parametrize("value", [5, 260, 263, "262", None, True])
def test_numbers_of_characters(value):
    refused(changed("char_cnn.n_characters", value), r"^char_cnn.n_characters is 261 \(training\) or 262, got ")


@pytest.mark.parametrize("value", [25, 49, 51, "50", None])
def test_characters_per_token(value):
    refused(
        changed("char_cnn.max_characters_per_token", value), r"^char_cnn.max_characters_per_token must be 50, got "
    )


@pytest.mark.parametrize("value", [{}, "1x32", 3, None])
def test_filters_that_are_no_list(value):
    refused(changed("char_cnn.filters", value), r"^char_cnn.filters must be a list, got ")


@pytest.mark.parametrize("pair", [[1], [1, 2, 3], {"1": 2}, "12", 7, None, [1.0, 2], [True, 2], ["1", 2]])
def test_filters_that_are_no_pairs(pair):
    message = r"^char_cnn.filters holds \[width, number\] pairs of whole numbers, got "
    refused(changed("char_cnn.filters", [[1, 2], pair]), message)


def test_filters_that_no_convolution_has():
    refused(changed("char_cnn.filters", []), r"char_cnn.filters needs at least one \[width, number\] pair, got none$")
    refused(changed("char_cnn.filters", [[51, 2]]), r"a filter is \[width 1 to 50, number from 1\], got \[51, 2\]$")
    refused(changed("char_cnn.filters", [[3, 0]]), r"a filter is \[width 1 to 50, number from 1\], got \[3, 0\]$")


# In goldens_2.10.1/errors.json AllenNLP meets most of these as a raw KeyError, or not at all.
ORIGINAL_CASES = {
    "activation gelu": ("char_cnn.activation", "gelu"),
    "use_skip_connections missing": ("lstm.use_skip_connections", GONE),
    "cell_clip missing": ("lstm.cell_clip", GONE),
    "lstm section missing": ("lstm", GONE),
    "n_characters 5": ("char_cnn.n_characters", 5),
    "max_characters_per_token 25 (ids have 50)": ("char_cnn.max_characters_per_token", 25),
    "max_characters_per_token 30 (ids have 50)": ("char_cnn.max_characters_per_token", 30),
}
ORIGINALLY_READ = {
    "no error: options as they are": ("lstm.dim", 4096),
    "cell_clip and proj_clip null": ("lstm.cell_clip", None),
    "n_characters missing": ("char_cnn.n_characters", GONE),
}


def test_cases_of_the_original_errors(golden_folder):
    theirs = json.loads((golden_folder / "goldens_2.10.1" / "errors.json").read_text("utf-8"))
    for case, (place, value) in ORIGINAL_CASES.items():
        assert case in theirs
        refused(changed(place, value), place.rpartition(".")[2])
    for case, (place, value) in ORIGINALLY_READ.items():
        assert theirs[case]["error"] is None
        parse_options(changed(place, value))


def test_a_file_is_named_in_its_errors(tmp_path):
    path = tmp_path / "options.json"
    path.write_text(json.dumps(changed("lstm.dim", "8")), "utf-8")
    with pytest.raises(ConfigurationError, match=r"options.json: lstm.dim must be a whole number from 1, got '8'$"):
        read_options(path)


def test_missing_file(tmp_path):
    with pytest.raises(
        ConfigurationError, match=r"cannot read the options file .*none.json: No such file or directory$"
    ):
        read_options(tmp_path / "none.json")


def test_a_folder(tmp_path):
    with pytest.raises(ConfigurationError, match=r"cannot read the options file .*: Is a directory$"):
        read_options(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"{'lstm': 1}", b"\xff\xfe{}", b"{} {}"])
def test_not_json(tmp_path, content):
    path = tmp_path / "options.json"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"the options file .*options.json is not JSON: "):
        read_options(path)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("options") / "options.json"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"options.json"):
        read_options(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
PLACES = [f"{name}.{key}" for name, section in OPTIONS.items() for key in section]


@given(st.sampled_from([*OPTIONS, *PLACES, "char_cnn.embedding.dim", "bidirectional", "another"]), JSON)
def test_any_value_anywhere_is_read_or_refused(place, value):
    options = changed(place, value)
    if refusal(parse_options, options) is None:
        assert parse_options(format_options(parse_options(options))) == parse_options(options)
