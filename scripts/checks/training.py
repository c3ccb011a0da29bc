"""Fine-tuning through `Elmo`: losses, gradients, final weights and final states, against AllenNLP 2.10.1."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from checks.elmo import set_numbered_mixes
from checks.ledger import Golden, GoldenFile
from pytorch_elmo.elmo import Elmo

FOLDER = "training_2.10.1"
LEARNING_RATE = 0.1
NUM_CLASSES = 3


class Classifier(nn.Module):
    """The mean of each representation over the words, concatenated, and one linear layer."""

    def __init__(self, elmo: Elmo, num_output_representations: int) -> None:
        super().__init__()
        self.elmo = elmo
        self.classifier = nn.Linear(num_output_representations * elmo.get_output_dim(), NUM_CLASSES)

    def forward(self, ids: Tensor) -> Tensor:
        """Logits (batch_size, 3) of ids (batch_size, num_tokens, 50)."""
        output = self.elmo(ids)
        lengths = output["mask"].sum(dim=1, keepdim=True)
        means = [representation.sum(dim=1) / lengths for representation in output["elmo_representations"]]
        logits: Tensor = self.classifier(torch.cat(means, dim=-1))
        return logits


def check_training(golden: Golden) -> None:
    """Five steps of gradient descent, with the states carried from step to step or reset before each."""
    runs = golden.entries(f"{FOLDER}/training.json")
    for name in runs:
        _compare_run(golden, golden.arrays(f"{FOLDER}/{name}.npz"), runs.take(name))


def _compare_run(golden: Golden, file: GoldenFile, run: dict[str, Any]) -> None:
    model = _classifier(golden, file, run)
    trained = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    if list(trained) != run["trained parameters (order of grad_norms_*)"]:
        file.fault("other parameters are trained, or in another order")
    optimizer = torch.optim.SGD(trained.values(), lr=LEARNING_RATE)
    losses = []
    for step, batch in enumerate(run["steps"]):
        if run["reset_states before each step"]:
            model.elmo.reset_states()
        logits = model(golden.ids(batch))
        loss = F.cross_entropy(logits, torch.tensor(run["targets"][batch]))
        optimizer.zero_grad()
        loss.backward()
        losses.append(loss.item())
        gradients = {name: _gradient(parameter) for name, parameter in trained.items()}
        file.compare(f"logits_{step}", logits)
        file.compare(f"grad_norms_{step}", torch.stack([values.double().norm() for values in gradients.values()]))
        for name in file.rest(f"grad{step}__"):
            file.compare(f"grad{step}__{name}", gradients[name])
        optimizer.step()
    file.compare("losses", np.array(losses))
    _compare_end(file, model)


def _classifier(golden: Golden, file: GoldenFile, run: dict[str, Any]) -> Classifier:
    """The model before the first step, with the parameters of the file."""
    count = run["num_output_representations"]
    elmo = Elmo(
        *golden.model_files(run["model"]),
        count,
        run["requires_grad"],
        run["do_layer_norm"],
        dropout=run["dropout"],
        stateful=True,
    )
    model = Classifier(set_numbered_mixes(elmo), count)
    initial = {name: torch.from_numpy(file.take(f"init__{name}")) for name in file.rest("init__")}
    model.load_state_dict(initial, strict=run["parameters in the file"] == "all")
    for name in initial:
        file.equal(f"init__{name}", model.state_dict()[name])
    return model


def _compare_end(file: GoldenFile, model: Classifier) -> None:
    final = model.state_dict()
    for name in file.rest("final__"):
        file.compare(f"final__{name}", final[name])
    state = model.elmo._carried.state
    assert state is not None
    file.compare("final_state_h", state.hidden)
    file.compare("final_state_c", state.cell)


def _gradient(parameter: Tensor) -> Tensor:
    """Of a parameter that the loss may not reach, zeros."""
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
