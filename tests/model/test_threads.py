"""Two jobs side by side do what they would do one after the other."""

import pytest
import torch

from pytorch_elmo.model.threads import TwoThreads


@pytest.fixture(params=[1, 2])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield TwoThreads()
    torch.set_num_threads(before)


def test_results_in_order(threads):
    assert threads.both(lambda index: 10 * index) == [0, 10]


def test_gradients_are_recorded_as_the_caller_does(threads):
    weight = torch.ones(2, requires_grad=True)
    assert [result.requires_grad for result in threads.both(lambda index: weight * index)] == [True, True]
    with torch.no_grad():
        assert [result.requires_grad for result in threads.both(lambda index: weight * index)] == [False, False]


def test_an_error_reaches_the_caller(threads):
    with pytest.raises(ZeroDivisionError):
        threads.both(lambda index: 1 // index)
