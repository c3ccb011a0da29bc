"""What a configuration says wrongly, in one line: jsonnet that cannot be evaluated, and keys that nothing takes."""

import difflib
import functools
import importlib
import json
import re
from collections.abc import Callable
from traceback import walk_tb
from types import ModuleType
from typing import Any

from pytorch_elmo.errors import ConfigurationError

_KIND = re.compile(r"(?:STATIC|RUNTIME) ERROR: ")
_PLACE = re.compile(r"(?P<file>[^\s:][^:]*?):\(?(?P<line>\d+):\d+")  # a.jsonnet:3:11-15, or a.jsonnet:(3:11)-(5:4)
_UNSET = re.compile(r"undefined external variable: (\S+)")
_FROM_PARAMS = "allennlp.common.from_params"
_UNEXPECTED = re.compile(r"__init__\(\) got an unexpected keyword argument '(\w+)'")


def mend_params(params: ModuleType) -> None:
    """AllenNLP evaluates configurations and overrides by these two names of `allennlp.common.params`."""
    evaluate_file: Callable[..., str] = params.evaluate_file
    evaluate_snippet: Callable[..., str] = params.evaluate_snippet

    @functools.wraps(evaluate_file)
    def of_file(filename: str, **options: Any) -> str:
        return _evaluated(lambda: evaluate_file(filename, **options), str(filename))

    @functools.wraps(evaluate_snippet)
    def of_snippet(filename: str, expression: str, **options: Any) -> str:
        return _evaluated(lambda: evaluate_snippet(filename, expression, **options), "--overrides")

    params.evaluate_file, params.evaluate_snippet = of_file, of_snippet  # type: ignore[attr-defined]


def _evaluated(evaluate: Callable[[], str], source: str) -> str:
    """The JSON text that `evaluate` gives.

    Raises:
        ConfigurationError: jsonnet's error, or where jsonnet is not installed that of JSON.
    """
    try:
        text = evaluate()
        json.loads(text)
    except RuntimeError as error:
        raise ConfigurationError(explain_jsonnet(str(error), source)) from error
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"{source}:{error.lineno}: {error.msg}; correct it") from error
    return text


def explain_jsonnet(text: str, source: str) -> str:
    """An error of jsonnet in one line that begins with the file and the line.

    Args:
        text: what jsonnet says: its message, and below it the places it came through, the innermost first.
        source: what was evaluated, for an error that names no file.
    """
    message, _, places = _KIND.sub("", text.strip()).partition("\n")
    found = _PLACE.match(message)
    if found:  # of a file that cannot be parsed
        message = re.sub(r"^[-\d:()]*\s*", "", message[found.end() :])
    else:
        found = _PLACE.search(places)
        message = re.sub(r"^[-\d:()]+ ", "", message)  # the place in a text without a file
    where = f"{found['file'].strip()}:{found['line']}" if found else source
    unset = _UNSET.search(message)
    if unset:
        message = f"a variable of the environment is asked for, {unset[1]} is not set; set it, as {unset[1]}=VALUE"
    return f"{where}: {message.strip().rstrip('.')}{'' if ';' in message else '; correct it there'}"


def unknown_key(error: TypeError) -> str | None:
    """A line for a key of a configuration that no constructor took; None for any other error.

    AllenNLP hands all keys on to a class that takes `**kwargs`, and so to the classes that it is made of.
    """
    found = _UNEXPECTED.search(str(error))
    frames = [frame for frame, _ in walk_tb(error.__traceback__) if frame.f_globals.get("__name__") == _FROM_PARAMS]
    building = [frame.f_locals for frame in frames if frame.f_code.co_name == "from_params"]
    if not found or not building or found[1] not in building[-1].get("kwargs", ()):
        return None
    owner, constructor = building[-1]["cls"], building[-1]["constructor_to_inspect"]
    known = importlib.import_module(_FROM_PARAMS).infer_params(owner, constructor).keys() - {"self", "vocab"}
    if found[1] in known:
        return None
    nearest = difflib.get_close_matches(found[1], sorted(known), n=1, cutoff=0.0)
    advice = f"write {nearest[0]}, which is nearest, or leave it out" if nearest else "leave it out"
    return f"{error}: {owner.__name__} has no key {found[1]}; {advice}"


# Module of AllenNLP -> what is to be done to it once it has been executed.
MENDS: dict[str, tuple[Callable[[ModuleType], None], ...]] = {"allennlp.common.params": (mend_params,)}
