"""What a call does: a result as text, or an error of this package; and how that compares with AllenNLP's outcome."""

from collections.abc import Callable
from typing import Any

from checks.ledger import GoldenFile
from pytorch_elmo.errors import PytorchElmoError

Call = Callable[[], Any]


def refused(call: Call) -> bool:
    """Whether `call` ends in an error of this package; any other error is raised."""
    return outcome(call) is None


def outcome(call: Call) -> str | None:
    """The result as text; None for an error of this package."""
    try:
        return str(call())
    except PytorchElmoError:
        return None


def compare_outcomes(report: GoldenFile, calls: dict[str, Call], purposes: dict[str, str]) -> None:
    """Hold each call of a report to AllenNLP's outcome.

    Args:
        report: entries `{"error": …, "result": …}` by the names of the calls.
        calls: what gives the same outcome here.
        purposes: calls whose outcome is another one, and why. Where both refuse, the error is in words of its own.
    """
    for name, call in calls.items():
        theirs, ours = report.take(name), outcome(call)
        if name in purposes:
            report.differs(name, purposes[name], ours != theirs.get("result"))
        elif theirs["error"] is not None:
            report.differs(name, "own words", ours is None)
        else:
            report.equal(name, {"error": None, "result": ours})
