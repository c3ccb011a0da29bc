import hashlib
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pytorch_elmo.pretrained import MODELS, CatalogEntry, PublishedFile

OPTIONS = b'{"lstm": {"dim": 4}}\n'
WEIGHTS = b"\x89HDF" + bytes(range(256)) * 20
OPTIONS_SHA256 = hashlib.sha256(OPTIONS).hexdigest()
WEIGHTS_SHA256 = hashlib.sha256(WEIGHTS).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves `files` by path on the loopback, misbehaves as `faults` say, and counts the requests."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {"/tiny/options.json": OPTIONS, "/tiny/weights.hdf5": WEIGHTS}
        self.faults = {}  # path: what to do at each request: a status, "truncate", "hang"; then all is well
        self.requests = Counter()
        self.address = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):  # noqa: N802, the base class's name
        self.server.requests[self.path] += 1
        faults = self.server.faults.get(self.path, [])
        fault = faults.pop(0) if faults else None
        content = self.server.files.get(self.path)
        if isinstance(fault, int) or content is None:
            self.send_error(fault or 404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if fault == "hang":
            time.sleep(0.5)
        self.wfile.write(content[: len(content) // 2] if fault == "truncate" else content)

    def log_message(self, *_):
        pass


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
        self.stages.append([label, unit, total, 0, "running"])

    def advance(self, amount):
        self.stages[-1][3] += amount

    def note(self, line):
        self.notes.append(line)

    def finish(self):
        self.stages[-1][4] = "finished"


@pytest.fixture
def listener():
    return Listener()
