"""Training through `Elmo`."""

import pytest
import torch

from originals import committed_texts
from pytorch_elmo import batch_to_ids

IDS = batch_to_ids(committed_texts()["batches"]["mixed"])
CHARACTER_TABLE = "_elmo_lstm._token_embedder._char_embedding_weights"


def loss_of(elmo) -> torch.Tensor:
    return torch.stack(elmo(IDS)["elmo_representations"]).square().sum()


@pytest.mark.slow
def test_original_losses_gradients_weights_and_states(assert_parity):
    assert_parity("checks.training.check_training")


def test_a_frozen_network_trains_its_mixes_alone(make_elmo):
    elmo = make_elmo(2)
    loss_of(elmo).backward()
    learned = {name for name, parameter in elmo.named_parameters() if parameter.grad is not None}
    assert learned == {name for name, _ in elmo.named_parameters() if name.startswith("scalar_mix")}


@pytest.mark.parametrize("stateful", [False, True])
def test_a_fine_tuned_network_trains_everything(make_elmo, stateful):
    elmo = make_elmo(2, requires_grad=True, stateful=stateful)
    loss_of(elmo).backward()
    gradients = {name: parameter.grad for name, parameter in elmo.named_parameters()}
    assert all(gradient is not None and gradient.any() for gradient in gradients.values())
    assert not gradients[CHARACTER_TABLE][0].any()  # the row of padded positions stays zero


def test_frozen_and_fine_tuned_mixes_have_the_same_gradients(make_elmo):
    gradients = []
    for requires_grad in (False, True):
        elmo = make_elmo(2, requires_grad=requires_grad, do_layer_norm=True)
        loss_of(elmo).backward()
        gradients.append(torch.cat([p.grad for name, p in elmo.named_parameters() if name.startswith("scalar_mix")]))
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-5, atol=1e-4)


def test_no_gradient_flows_from_call_to_call(make_elmo):
    elmo = make_elmo(requires_grad=True, stateful=True)
    for _ in range(3):
        loss_of(elmo).backward()  # a second pass through the first call's graph would raise
    assert not elmo._carried.state.hidden.requires_grad


def test_steps_lower_the_loss_and_evaluation_sees_them(make_elmo):
    elmo = make_elmo(requires_grad=True)
    optimizer = torch.optim.SGD(elmo.parameters(), lr=1e-3)
    trained, evaluated = [], []
    for _ in range(4):
        with torch.no_grad():  # runs the fast form
            evaluated.append(loss_of(elmo).item())
        loss = loss_of(elmo)
        trained.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert evaluated == pytest.approx(trained, rel=1e-5)
    assert trained == sorted(trained, reverse=True)
    assert trained[-1] < 0.99 * trained[0]
