"""`allennlp translate-config`, and 0.9's names of commands and predictors."""

import argparse
import json

import pytest

pytest.importorskip("allennlp")

from allennlp.predictors import Predictor

from old_configurations import NEW, OLD, new, old
from pytorch_elmo.allennlp_plugin.legacy_commands import GoneCommand
from pytorch_elmo.allennlp_plugin.legacy_names import COMMANDS
from pytorch_elmo.allennlp_plugin.translate_command import TranslateConfig, translate_file
from pytorch_elmo.errors import ConfigurationError


def run(*arguments):
    """The command as AllenNLP's parser calls it."""
    parser = argparse.ArgumentParser()
    TranslateConfig().add_subparser(parser.add_subparsers())
    parsed = parser.parse_args(["translate-config", *map(str, arguments)])
    parsed.func(parsed)


@pytest.fixture
def written(tmp_path):
    """OLD as a file, and a name for its translation."""
    path = tmp_path / "old.json"
    path.write_text(json.dumps(OLD))
    return path, tmp_path / "new.json"


def test_new_form_is_written_and_each_change_printed(written, capsys):
    run(*written)
    assert json.loads(written[1].read_text()) == NEW
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 7
    assert lines[1] == "model.text_field_embedder: elmo, tokens in token_embedders"  # jsonnet sorts keys
    assert lines[-1] == f"{written[1]}: 6 changes"


def test_a_new_configuration_stays_as_it_is(tmp_path, capsys):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(new()))
    run(path, tmp_path / "same.json")
    assert json.loads((tmp_path / "same.json").read_text()) == NEW
    assert capsys.readouterr().out == f"{tmp_path / 'same.json'}: no changes\n"


def test_jsonnet_is_evaluated_with_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("BATCH", "3")
    path = tmp_path / "old.jsonnet"
    path.write_text(
        'local n = std.parseInt(std.extVar("BATCH")); // of 0.9\n{iterator: {type: "basic", batch_size: n}}'
    )
    translate_file(path, tmp_path / "new.json")
    assert json.loads((tmp_path / "new.json").read_text()) == {"data_loader": {"batch_size": 3, "shuffle": True}}


def test_existing_file_is_kept_unless_forced(written):
    written[1].write_text("mine")
    with pytest.raises(ConfigurationError, match=r"must not exist, .*new\.json does; name another or add --force"):
        translate_file(*written)
    assert written[1].read_text() == "mine"
    translate_file(*written, force=True)
    assert json.loads(written[1].read_text()) == NEW


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "old.jsonnet:1: unexpected: end of file while parsing field definition; correct it there"),
        ('{a: std.extVar("NOT_SET_ANYWHERE")}', "NOT_SET_ANYWHERE"),
        ("[1]", "a configuration must be an object, "),
        (json.dumps(old(model__type="event2mind")), "model.type: AllenNLP 2.x has no such Model, it is 'event2mind'"),
    ],
)
def test_bad_input_is_one_line_and_leaves_no_file(content, message, tmp_path, capsys):
    path = tmp_path / "old.jsonnet"
    path.write_text(content)
    with pytest.raises(SystemExit) as end:
        run(path, tmp_path / "new.json")
    printed = capsys.readouterr().err
    assert end.value.code == 1
    assert printed.startswith("allennlp translate-config: ")
    assert message in printed
    assert printed.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == [path]


def test_missing_file(tmp_path):
    with pytest.raises(ConfigurationError, match=r"must be a file, .*nowhere is not; name another"):
        translate_file(tmp_path / "nowhere", tmp_path / "new")


@pytest.mark.parametrize("name", COMMANDS)
def test_command_that_is_gone_names_its_successor(name, capsys):
    from allennlp.commands.subcommand import Subcommand

    command = Subcommand.by_name(name)()
    assert isinstance(command, GoneCommand)
    parser = argparse.ArgumentParser()
    command.add_subparser(parser.add_subparsers())
    parsed = parser.parse_args([name, "config.json", "-s", "out", "--any"])
    with pytest.raises(SystemExit) as end:
        parsed.func(parsed)
    assert end.value.code == 2
    assert capsys.readouterr().err == f"`allennlp {name}` went with AllenNLP 0.9; {COMMANDS[name]}\n"


def test_predictor_under_its_old_name():
    assert Predictor.by_name("sentence-tagger") is Predictor.by_name("sentence_tagger")


def test_unknown_predictor_is_allennlps_error():
    from allennlp.common.checks import ConfigurationError as AllenNLPError

    with pytest.raises(AllenNLPError, match="no-such-predictor"):
        Predictor.by_name("no-such-predictor")
