"""What a training run tells of its rounds."""

import csv
from dataclasses import dataclass, field
from pathlib import Path

from pytorch_elmo.errors import TextError
from pytorch_elmo.files import whole_file

Row = dict[str, float]


@dataclass
class History:
    """The figures of every round, and the loss of every step.

    Attributes:
        rows: for each round `round` (from 1), `step` (steps done after it), `loss` and the metrics of the training
            examples, each taken before the step that learned from it, and with `val_` before their names those of
            the validation examples after the round.
        step_losses: the loss of each batch before its step.
    """

    rows: list[Row] = field(default_factory=list)
    step_losses: list[float] = field(default_factory=list)

    def column(self, name: str) -> list[float]:
        """A figure of all rounds.

        Raises:
            KeyError: the run has no such figure.
        """
        return [row[name] for row in self.rows]

    def write_csv(self, path: str | Path) -> None:
        """A line of names, then a line for each round; numbers are read back as they are."""
        target = Path(path)
        with whole_file(target) as partial, partial.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(self.rows[0]) if self.rows else ["round"])
            writer.writeheader()
            writer.writerows(self.rows)

    @classmethod
    def read_csv(cls, path: str | Path) -> "History":
        """The rounds that `write_csv` wrote; losses of steps are not in the file.

        Raises:
            TextError: a field is no number.
        """
        # What is not UTF-8 is no number either.
        with Path(path).open(encoding="utf-8", errors="replace", newline="") as file:
            reader = csv.DictReader(file, restkey="", restval="")
            rows = []
            for fields in reader:
                try:
                    rows.append({name: _number(text) for name, text in fields.items()})
                except (TypeError, ValueError) as error:
                    where = f"{path}, line {reader.line_num}"
                    raise TextError(f"{where}: a history holds numbers alone ({error}); write it anew") from error
        return cls(rows)


def _number(text: str) -> float:
    try:
        return int(text)
    except ValueError:
        return float(text)
