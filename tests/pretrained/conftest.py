import threading

import pytest

from pretrained.model_server import OPTIONS_SHA256, WEIGHTS, WEIGHTS_SHA256, Server
from pytorch_elmo.pretrained import MODELS, CatalogEntry, PublishedFile


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder, no mirror, no pauses between attempts."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("PYTORCH_ELMO_CACHE", str(folder))
    monkeypatch.delenv("PYTORCH_ELMO_MIRROR", raising=False)
    monkeypatch.setattr("pytorch_elmo.pretrained.download.PAUSES", (0.0, 0.0))
    return folder


@pytest.fixture
def publish(server, monkeypatch):
    """Put a model into the catalog, its files on the server."""

    def add(name="tiny", *, options=None, weights=None):
        known = {"size": len(WEIGHTS), "sha256": WEIGHTS_SHA256} if weights is None else weights
        entry = CatalogEntry(
            description="a model",
            licence="a licence",
            options=PublishedFile(
                url=f"{server.address}/tiny/options.json", **(options or {"sha256": OPTIONS_SHA256})
            ),
            weights=PublishedFile(url=f"{server.address}/tiny/weights.hdf5", **known),
        )
        monkeypatch.setitem(MODELS, name, entry)
        return entry

    return add


class Listener:
    """Keeps what it hears."""

    def __init__(self):
        self.notes = []
        self.stages = []

    def start(self, *, total, unit, done=0, label=""):
        self.stages.append([label, unit, total, done, "running"])

    def advance(self, amount):
        self.stages[-1][3] += amount

    def note(self, line):
        self.notes.append(line)

    def finish(self):
        self.stages[-1][4] = "finished"


@pytest.fixture
def listener():
    return Listener()
