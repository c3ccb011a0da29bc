"""A model of two files on a server of this machine, which can misbehave."""

import hashlib
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

OPTIONS = b'{"lstm": {"dim": 4}}\n'
WEIGHTS = b"\x89HDF" + bytes(range(256)) * 20
OPTIONS_SHA256 = hashlib.sha256(OPTIONS).hexdigest()
WEIGHTS_SHA256 = hashlib.sha256(WEIGHTS).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves `files` by path on the loopback, misbehaves as `faults` say, and counts requests and bytes.

    With a `version`, a header's name and value, it says which state of the files it has, and sends parts of them.
    """

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {"/tiny/options.json": OPTIONS, "/tiny/weights.hdf5": WEIGHTS}
        self.version = None
        # path: what to do at each request, then all is well: a status; "truncate" or "hold" after half of it; "hang"
        # before it; "whole" or "other part" instead of the part asked for; "unasked" for a part whatever its version
        self.faults = {}
        self.go_on = threading.Event()  # what "hold" waits for
        self.requests, self.bytes_sent = Counter(), Counter()
        self.ranges = []
        self.address = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.requests[self.path] += 1
        faults = server.faults.get(self.path, [])
        fault = faults.pop(0) if faults else None
        content = server.files.get(self.path)
        if isinstance(fault, int) or content is None:
            self.send_error(fault or 404)
            return
        first = self.first_byte(whatever_version=fault == "unasked")
        if fault == "whole" or first is None:
            self.send_response(200)
            first = 0
        elif first >= len(content):
            self.send_error(416)
            return
        else:
            self.send_response(206)
            shift = 1 if fault == "other part" else 0
            self.send_header("Content-Range", f"bytes {first + shift}-{len(content) - 1}/{len(content)}")
        if server.version is not None:
            self.send_header(*server.version)
        self.send_header("Content-Length", str(len(content) - first))
        self.end_headers()
        self.send(content[first:], fault)

    def first_byte(self, *, whatever_version):
        """Of the part that is asked for, None if that is the whole."""
        asked, condition = self.headers["Range"], self.headers["If-Range"]
        if asked is not None:
            self.server.ranges.append(asked)
        version = self.server.version
        if asked is None or version is None or not (whatever_version or condition == version[1]):
            return None
        return int(asked.removeprefix("bytes=").removesuffix("-"))

    def send(self, content, fault):
        half = len(content) // 2
        if fault == "hang":
            time.sleep(0.5)
        self.write(content[:half])
        if fault == "hold":
            self.server.go_on.wait(60)
        if fault != "truncate":
            self.write(content[half:])

    def write(self, content):
        try:
            self.wfile.write(content)
        except ConnectionError:  # whoever asked is gone
            return
        self.server.bytes_sent[self.path] += len(content)

    def log_message(self, *_):
        pass
