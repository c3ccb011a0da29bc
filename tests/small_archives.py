"""AllenNLP's archives, made of contents by name."""

import io
import tarfile

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
