"""The beginning of a file that is under way, kept so that a later attempt, or a later process, can go on with it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pytorch_elmo.files import put_in_place, whole_file


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Which file a beginning is the beginning of.

    Attributes:
        url: its address.
        size: its bytes, all of them.
        version: what the server calls this state of it, a strong ETag or else Last-Modified (RFC 9110, section 8.8).
    """

    url: str
    size: int
    version: str


class PartialFile:
    """What has come of `target`: `NAME.partial`, a name that no model's file has, and beside it where it is from.

    One process at a time may use it.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(f"{target.name}.partial")
        self._record = target.with_name(f"{target.name}.partial.json")

    @property
    def size(self) -> int:
        """Bytes that are here."""
        return self.path.stat().st_size if self.path.exists() else 0

    def origin(self, url: str) -> Origin | None:
        """Where what is here came from; None if that was not `url`, or if there is nothing to go on with."""
        try:
            record = json.loads(self._record.read_bytes())
            origin = Origin(url=str(record["url"]), size=int(record["size"]), version=str(record["version"]))
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
        return origin if origin.url == url and 0 < self.size <= origin.size else None

    def begin(self, origin: Origin | None) -> None:
        """Forget what is here; what is written from now on is `origin`'s, or of nobody knows which version."""
        self.remove()
        if origin is not None:
            with whole_file(self._record) as path:
                path.write_text(json.dumps(asdict(origin)), encoding="utf-8")
        self.path.touch()

    def finish(self) -> None:
        """It is whole: give it its name."""
        put_in_place(self.path, self.target)
        self._record.unlink(missing_ok=True)

    def remove(self) -> None:
        """Leave nothing behind."""
        self.path.unlink(missing_ok=True)
        self._record.unlink(missing_ok=True)
