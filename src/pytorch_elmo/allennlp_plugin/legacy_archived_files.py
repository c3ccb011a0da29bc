"""Files that an archive of 0.9 carries in `fta/`, for the paths that its configuration names."""

import copy
import json
import logging
from pathlib import Path
from typing import Any

from pytorch_elmo.allennlp_plugin.legacy_translation import Config, sections
from pytorch_elmo.errors import ConfigurationError

logger = logging.getLogger(__name__)

CONFIGURATION = "config.json"
LIST = "files_to_archive.json"
FOLDER = "fta"
_ELMO_FILES = ("options_file", "weight_file")


def point_to_archived_files(config: Config, path: Path) -> Config:
    """A configuration whose archived paths lead into the folder of `path`, where they are.

    Only for `config.json` beside a list of archived files. As in 0.9 the path at training time stays where the file
    itself is missing.
    """
    listed = path.with_name(LIST)
    if path.name != CONFIGURATION or not listed.is_file():
        return config
    config = copy.deepcopy(config)
    for place, trained_with in _read_list(listed).items():
        archived = path.parent / FOLDER / place
        if not archived.is_file():
            logger.warning("%s: %s is not in the archive; %s is used", place, archived.name, trained_with)
        elif not _replace(config, place.split("."), str(archived)):
            logger.warning("%s: archived, but not in the configuration", place)
    return config


def _read_list(path: Path) -> dict[str, str]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ConfigurationError(f"{LIST} must be JSON, {error}; the archive is damaged, get it again") from error
    if not isinstance(content, dict):
        raise ConfigurationError(
            f"{LIST} must be a JSON object, it is {type(content).__name__}; get the archive again"
        )
    return content


def _replace(config: Any, steps: list[str], value: str) -> bool:
    """Set what `steps` lead to, if it is there; a key of the configuration may hold dots itself."""
    for length in range(1, len(steps) + 1):
        key: Any = ".".join(steps[:length])
        if isinstance(config, list) and key.isdigit() and int(key) < len(config):
            key = int(key)
        elif not (isinstance(config, dict) and key in config):
            continue
        if length == len(steps):
            config[key] = value
            return True
        if _replace(config[key], steps[length:], value):
            return True
    return False


def check_elmo_files(config: Config, archive: str) -> None:
    """ELMo's own files must be there for a model to be built, whatever its weights are then replaced by.

    Raises:
        ConfigurationError: a path of the machine that trained; the line says how to name another.
    """
    missing = {
        f"{place}.{key}": part[key]
        for place, part in sections(config.get("model"), "model")
        if all(key in part for key in _ELMO_FILES)
        for key in _ELMO_FILES
        if isinstance(part[key], str) and "://" not in part[key] and not Path(part[key]).exists()
    }
    if missing:
        overrides = json.dumps(dict.fromkeys(missing, "PATH"))
        place, named = next(iter(missing.items()))
        raise ConfigurationError(
            f"{place} of {archive} must be a file, {named} is not there; name yours with --overrides '{overrides}'"
        )
