"""A configuration on its way from AllenNLP 0.9's form to 2.x's, and what was done to it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

from pytorch_elmo.errors import ConfigurationError

Config = dict[str, Any]
# A name that a section's "type" may have: registered with AllenNLP by (base class, name)?
Registered = Callable[[str, str], bool]


def nothing_more(_base: str, _name: str) -> bool:
    """No package registers names beyond AllenNLP's and allennlp-models'."""
    return False


@dataclass
class Translation:
    """`config` is changed in place; each change leaves a line that begins with its place.

    `lines` are all changes, `losses` those of them after which the run is not quite the old one. `old` says that the
    configuration was written for 0.9: keys that both releases know then have 0.9's meaning.
    """

    config: Config
    old: bool
    registered: Registered = nothing_more
    tensorboard: bool = True
    lines: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)

    def note(self, place: str, text: str) -> None:
        """A change that keeps the meaning."""
        self.lines.append(f"{place}: {text}")

    def lose(self, place: str, text: str) -> None:
        """A setting that has no equal and is left out or replaced by something near."""
        self.note(place, text)
        self.losses.append(self.lines[-1])


def refuse(place: str, rule: str, value: Any, advice: str) -> NoReturn:
    """Raise for a setting of 0.9 that cannot be translated.

    Raises:
        ConfigurationError: always.
    """
    raise ConfigurationError(f"{place}: {rule}, it is {shown(value)}; {advice}")


def demand(place: str, holds: bool, rule: str, value: Any) -> None:
    """Raise for a value that is none of 0.9's either.

    Raises:
        ConfigurationError: `holds` is false.
    """
    if not holds:
        refuse(place, rule, value, "mend it")


def shown(value: Any) -> str:
    """A value as a part of one line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else text[:79] + "…"


def sections(value: Any, place: str) -> Iterator[tuple[str, Config]]:
    """All dictionaries in a value with their places, outer ones first; what a caller puts in is visited too."""
    if isinstance(value, dict):
        yield place, value
        for key in list(value):
            yield from sections(value.get(key), f"{place}.{key}" if place else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from sections(item, f"{place}.{index}")


def section(config: Config, key: str) -> Config:
    """A part of the configuration that is a dictionary; one that nothing refers to if it is not there."""
    value = config.get(key)
    return value if isinstance(value, dict) else {}
