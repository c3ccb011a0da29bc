"""What the benchmark of task models compares: AllenNLP's own functions, then this project's again."""

import importlib

import pytest

pytest.importorskip("allennlp")

from bench_tasks import CHANGED, as_in_allennlp


def functions() -> list:
    owners = [(getattr(importlib.import_module(module), name), method) for module, name, method in CHANGED]
    return [getattr(owner, method) for owner, method in owners]


def test_allennlps_own_functions_are_there_while_it_lasts_and_not_after():
    before = functions()
    with as_in_allennlp():
        within = functions()
    assert functions() == before
    places = [["pytorch_elmo" in function.__code__.co_filename for function in each] for each in (before, within)]
    assert places == [[True] * len(CHANGED), [False] * len(CHANGED)]
