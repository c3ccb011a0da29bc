"""Show how a model comes by its name from a server that breaks off: `elmo models`, cut off, killed, gone on with.

    python scripts/show_download.py [--cell-size 1024] [--projection-size 128] [--cut-after 20000000]

A model of random numbers stands in for `pt-wikipedia`, of which no sha256 is known, on a server of this machine
(PYTORCH_ELMO_MIRROR) that ends every answer after --cut-after bytes. At last the server's bytes are counted: each
byte of the weight file must have been sent once.
"""

import json
import os
import re
import subprocess
import sys
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from pytorch_elmo.files import sha256_of
from pytorch_elmo.model import BiLM, BiLMConfig, CharacterEncoderConfig, LstmConfig
from pytorch_elmo.pretrained import MODELS
from pytorch_elmo.pretrained.catalog import PUBLISHER
from pytorch_elmo.weights.hdf5 import write_hdf5
from pytorch_elmo.weights.options import format_options

NAME = "pt-wikipedia"
FILTERS = ((1, 32), (2, 32), (3, 64), (4, 128), (5, 256), (6, 512), (7, 1024))


class Server(ThreadingHTTPServer):
    """Serves a folder on the loopback, parts of files too, and ends every answer after some bytes."""

    def __init__(self, folder: Path, cut_after: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder, self.cut_after, self.bytes_sent = folder, cut_after, Counter[str]()
        self.address = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server

    def do_GET(self) -> None:
        """Send a file or the rest of it, at most `cut_after` bytes."""
        path = self.server.folder / self.path.lstrip("/")
        size, version = path.stat().st_size, f'"{sha256_of(path)[:16]}"'
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        first = int(asked[1]) if asked and self.headers.get("If-Range") == version else 0
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{size - 1}/{size}")
        self.send_header("ETag", version)
        self.send_header("Content-Length", str(size - first))
        self.end_headers()
        with path.open("rb") as file:
            file.seek(first)
            content = file.read(self.server.cut_after)
        self.wfile.write(content)
        self.server.bytes_sent[path.name] += len(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def make_model(folder: Path, cell_size: int, projection_size: int) -> Path:
    """Write a model of random numbers where the server has `NAME`; its weight file."""
    entry = MODELS[NAME]
    assert entry.options is not None
    assert entry.weights is not None
    options, weights = (folder / file.url.removeprefix(PUBLISHER) for file in (entry.options, entry.weights))
    options.parent.mkdir(parents=True)
    config = BiLMConfig(
        character_encoder=CharacterEncoderConfig(
            filters=FILTERS, character_embedding_size=16, num_highway_layers=1, projection_size=projection_size
        ),
        lstm=LstmConfig(
            num_lstm_layers=2, cell_size=cell_size, projection_size=projection_size, cell_clip=3, projection_clip=3
        ),
    )
    options.write_text(json.dumps(format_options(config)), encoding="utf-8")
    write_hdf5(BiLM(config), weights)
    return weights


def run(*arguments: str, kill_at: str | None = None) -> None:
    """Run `elmo` as a user would, and show what it says; kill it once a line holds `kill_at`."""
    click.echo(f"\n$ elmo {' '.join(arguments)}")
    command = [str(Path(sys.executable).with_name("elmo")), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            click.echo(line, nl=False)
            if kill_at is not None and kill_at in line:
                process.kill()
                click.echo("(killed here)")


@click.command()
@click.option("--cell-size", default=1024, show_default=True)
@click.option("--projection-size", default=128, show_default=True)
@click.option("--cut-after", default=20_000_000, show_default=True, help="Bytes of an answer.")
def main(cell_size: int, projection_size: int, cut_after: int) -> None:
    with TemporaryDirectory() as folder:
        weights = make_model(Path(folder) / "server", cell_size, projection_size)
        num_bytes = weights.stat().st_size
        with Server(Path(folder) / "server", cut_after) as server:
            os.environ |= {"PYTORCH_ELMO_MIRROR": server.address, "PYTORCH_ELMO_CACHE": f"{folder}/cache"}
            click.echo(f"export PYTORCH_ELMO_MIRROR={server.address} PYTORCH_ELMO_CACHE={folder}/cache")
            threading.Thread(target=server.serve_forever, daemon=True).start()
            run("models", NAME)
            run("models", NAME, "--trust-first-download", kill_at="trying again")
            run("models")
            run("models", NAME, "--trust-first-download")
            server.shutdown()
        click.echo("\n(the server is gone)")
        run("models", NAME)
        run("models")
    num_sent = server.bytes_sent[weights.name]
    click.echo(f"\nthe weight file has {num_bytes:,} bytes, the server sent {num_sent:,}")
    if num_sent != num_bytes:
        raise SystemExit("bytes were sent twice; what was cut off was not gone on with")


if __name__ == "__main__":
    main()
