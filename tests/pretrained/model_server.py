"""A model of two files on a server of this machine, which can misbehave."""

import hashlib
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

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
    def do_GET(self):
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
