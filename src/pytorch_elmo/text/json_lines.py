"""Objects, one a line."""

import json
from collections.abc import Iterator
from typing import Any

from pytorch_elmo.errors import TextError
from pytorch_elmo.text.lines import InputFile, read_lines


def read_json_lines(file: InputFile) -> Iterator[tuple[int, dict[str, Any]]]:
    """The number of each line, from 1, with its object; blank lines are passed over.

    Raises:
        TextError: the file cannot be read, or a line is not a JSON object.
    """
    for number, line in enumerate(read_lines(file, encoding="utf-8-sig"), start=1):
        if line.isspace():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            reason = getattr(error, "msg", str(error))
            raise TextError(f"{file.name}, line {number}: not JSON ({reason}); write one object a line") from error
        if not isinstance(row, dict):
            raise TextError(f"{file.name}, line {number}: a JSON object is needed, got {line[:40].rstrip()}")
        yield number, row
