"""AllenNLP's archives, made of contents by name."""

import io
import json
import tarfile

import torch

NEEDED = {"config.json": b"{}", "weights.th": b"w", "vocabulary/tokens.txt": b"t"}


def write_archive(path, members):
    """A `.tar.gz` of contents by name, or of `TarInfo`s."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                archive.addfile(content)
            else:
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return path


def archive_of(path, bilm, config: dict, **members: bytes):
    """An archive whose model is one ELMo and one other parameter."""
    tensors = {f"_text_field_embedder.elmo._elmo._elmo_lstm.{k}": v for k, v in bilm.state_dict().items()}
    weights = io.BytesIO()
    torch.save(tensors | {"tags.weight": torch.ones(2)}, weights)
    needed = {"config.json": json.dumps(config).encode(), "weights.th": weights.getvalue(), "vocabulary/a.txt": b""}
    return write_archive(path, needed | members)
