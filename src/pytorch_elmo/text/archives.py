"""The files in a tar archive, one after the other as they stand there; nothing is unpacked to the disk."""

import io
import tarfile
from collections.abc import Iterator
from typing import IO, Self, cast

from pytorch_elmo.text.lines import ForwardBytes, InputFile, open_bytes

_ZEROS = bytes(tarfile.BLOCKSIZE)  # the mark at an archive's end


def is_archive(file: InputFile) -> bool:
    """Whether the name says that `file` is a tar archive, compressed or not."""
    return file.format == ".tar"


def read_members(file: InputFile) -> Iterator[InputFile]:
    """The regular files of an archive in its order, each to be read before the next one is asked for.

    Links, devices and folders are passed over. Names lead nowhere, since nothing is written.

    Raises:
        TextError: the archive cannot be read, is damaged or cut short.
    """
    with (
        open_bytes(file) as stream,
        tarfile.open(fileobj=stream, mode="r|", tarinfo=_CheckedMember, errors="replace") as archive,
    ):
        while (member := archive.next()) is not None:
            if member.isreg():
                name = " ".join(member.name.split())  # an error is one line
                # What tarfile gives cannot be sought in, and fails when it is asked whether it can.
                content = io.BufferedReader(ForwardBytes(cast(IO[bytes], archive.extractfile(member))))
                yield InputFile(file.path, f"{file.name}, member {name}", stream=content)
            vars(archive)["members"].clear()  # else the list of all that was read stays in memory
        while stream.read(tarfile.RECORDSIZE):  # to the checksum of the compressed data
            pass


class _CheckedMember(tarfile.TarInfo):
    """A member's header; where `tarfile` takes a damaged or missing one for the archive's end, this is an error."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if bytes(buf) == _ZEROS:
                raise
            raise tarfile.ReadError(str(error)) from error
