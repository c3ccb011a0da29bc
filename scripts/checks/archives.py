"""The ELMo inside archives of AllenNLP: its parameters by their names, and what it makes of a batch."""

import io
import re
import tarfile
from typing import Any

import torch
from torch import Tensor

from checks.ledger import Golden, GoldenFile
from pytorch_elmo.elmo import ElmoTokenEmbedder

TASK_MODEL = "B"  # the issue that runs whole archives
L2 = re.compile(r".*scalar_parameters.*")
L2_ALPHA = 0.001
# The parameters of the archived task model that are ELMo's.
PREFIX_2 = "_text_field_embedder.token_embedder_elmo."
PREFIX_0_9 = "text_field_embedder.token_embedder_elmo."


def check_archive_2(golden: Golden) -> None:
    """AllenNLP 2.10.1: a fine-tuned biLM with layer norm and a projection, called twice."""
    folder = "archive_2.10.1"
    file, document = golden.arrays(f"{folder}/archive.npz"), golden.entries(f"{folder}/archive.json")
    weights = _archived_weights(golden, f"{folder}/model.tar.gz")
    _compare_weights(file, weights)
    options = document.take("config.json")["model"]["text_field_embedder"]["token_embedders"]["elmo"]
    embedder = _embedder(
        golden,
        "syn1",
        weights,
        PREFIX_2,
        {name: options[name] for name in ("do_layer_norm", "dropout", "requires_grad", "projection_dim")},
    )
    ids = torch.from_numpy(file.take("ids"))
    for call in range(2):
        file.compare(f"elmo_token_embedder_call{call}", embedder(ids))
    document.equal("weights.th", _described(weights))
    document.equal("members", _members(golden, f"{folder}/model.tar.gz"))
    _leave_to_the_task_model(file, document)


def check_archives_0_9(golden: Golden) -> None:
    """AllenNLP 0.9.0: ELMo frozen and ELMo fine-tuned, with the penalty on the scalars of the mix."""
    folder = "archive_0.9.0"
    for suffix, trained in (("", False), ("_requires_grad", True)):
        file = golden.arrays(f"{folder}/archive{suffix}.npz")
        document = golden.entries(f"{folder}/archive{suffix}.json")
        weights = _archived_weights(golden, f"{folder}/model{suffix}.tar.gz")
        _compare_weights(file, weights)
        embedder = _embedder(golden, "syn2", weights, PREFIX_0_9, {"requires_grad": trained, "dropout": 0.5})
        for split in ("dev", "train"):
            embedder._elmo.reset_states()
            vectors = embedder(torch.from_numpy(file.take(f"{split}__character_ids")))
            words = weights["text_field_embedder.token_embedder_tokens.weight"]
            static = words[torch.from_numpy(file.take(f"{split}__tokens"))]
            file.compare(f"{split}__embedded_text", torch.cat([vectors, static], dim=-1))
        document.equal("weights.th", _described(weights))
        _compare_outputs(document, embedder)
        _leave_to_the_task_model(file, document)


def _archived_weights(golden: Golden, path: str) -> dict[str, Tensor]:
    """`weights.th` of an archive; 0.9 wrote PyTorch's old format, which loads as tensors alone too."""
    with tarfile.open(golden.use(path)) as archive:
        member = archive.extractfile("weights.th")
        assert member is not None
        weights: dict[str, Tensor] = torch.load(io.BytesIO(member.read()), weights_only=True)
    return weights


def _compare_weights(file: GoldenFile, weights: dict[str, Tensor]) -> None:
    if set(file.rest("weights__")) != weights.keys():
        file.fault("weights.th has other names")
    for name, values in weights.items():
        file.equal(f"weights__{name}", values)


def _embedder(
    golden: Golden, model: str, weights: dict[str, Tensor], prefix: str, arguments: dict[str, Any]
) -> ElmoTokenEmbedder:
    """Built as the configuration says, then filled from the archive, strictly."""
    embedder = ElmoTokenEmbedder(*golden.model_files(model), stateful=True, **arguments)
    own = {name.removeprefix(prefix): values for name, values in weights.items() if name.startswith(prefix)}
    embedder.load_state_dict(own)
    return embedder.eval()


def _described(weights: dict[str, Tensor]) -> dict[str, Any]:
    return {
        name: {"shape": list(values.shape), "dtype": str(values.dtype).removeprefix("torch.")}
        for name, values in weights.items()
    }


def _members(golden: Golden, path: str) -> list[str]:
    with tarfile.open(golden.use(path)) as archive:
        return sorted(archive.getnames())


def _compare_outputs(document: GoldenFile, embedder: ElmoTokenEmbedder) -> None:
    """The penalty, and which of ELMo's parameters are trained."""
    outputs = document.take("outputs")
    penalty = sum(float((p.detach() ** 2).sum()) for name, p in embedder.named_parameters() if L2.match(name))
    if abs(L2_ALPHA * penalty - outputs["regularization penalty"]) > 1e-9:
        document.fault(f"the penalty is {L2_ALPHA * penalty}, there {outputs['regularization penalty']}")
    trained = {PREFIX_0_9 + name: parameter.requires_grad for name, parameter in embedder.named_parameters()}
    theirs = {name: flag for name, flag in outputs["requires_grad"].items() if name.startswith(PREFIX_0_9)}
    if trained != theirs:
        document.fault("other parameters of ELMo are trained")


def _leave_to_the_task_model(*files: GoldenFile) -> None:
    for file in files:
        for name in file.left:
            file.wait(name, TASK_MODEL)
