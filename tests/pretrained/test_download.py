import errno
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from pretrained.model_server import OPTIONS, WEIGHTS, WEIGHTS_SHA256
from pytorch_elmo.errors import DownloadError
from pytorch_elmo.pretrained import PublishedFile
from pytorch_elmo.pretrained.download import check_file, download

KNOWN = {"size": len(WEIGHTS), "sha256": WEIGHTS_SHA256}


@pytest.fixture(autouse=True)
def _no_pauses(cache):
    pass


@pytest.fixture
def target(tmp_path) -> Path:
    return tmp_path / "weights.hdf5"


@pytest.fixture
def fetch(server, target, listener):
    """Download the server's weight file to `target`."""

    def run(*, url=f"{server.address}/tiny/weights.hdf5", trusted_sha256=None, **known):
        file = PublishedFile(url=url, **(known or KNOWN))
        return download(url, target, file, trusted_sha256=trusted_sha256, progress=listener)

    return run


def left_in(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def test_a_good_file(fetch, server, target, listener):
    assert fetch() == WEIGHTS_SHA256
    assert target.read_bytes() == WEIGHTS
    assert left_in(target.parent) == ["weights.hdf5"]
    assert listener.stages == [["fetching weights.hdf5", "B", len(WEIGHTS), len(WEIGHTS), "finished"]]
    assert listener.notes == []
    assert server.requests == {"/tiny/weights.hdf5": 1}


def test_a_file_of_which_nothing_is_known(fetch, target):
    assert fetch(size=None) == WEIGHTS_SHA256
    assert target.read_bytes() == WEIGHTS


@pytest.mark.parametrize(
    ("known", "trusted_sha256", "message"),
    [
        ({"sha256": "0" * 64}, None, f"the file must have sha256 0{{64}}, it has {WEIGHTS_SHA256}$"),
        (KNOWN, "1" * 64, f"the file must have sha256 1{{64}}, it has {WEIGHTS_SHA256}$"),
        (KNOWN | {"size": 7}, None, f"the file must have 7 bytes, it has {len(WEIGHTS)}$"),
        ({"content": {"lstm": 1}}, None, "the file must hold the options of the model, it holds something else$"),
    ],
)
def test_another_file_is_refused_and_not_kept(fetch, server, target, known, trusted_sha256, message):
    with pytest.raises(DownloadError, match=rf"^http://127.0.0.1:\d+/tiny/weights.hdf5: {message}"):
        fetch(trusted_sha256=trusted_sha256, **known)
    assert left_in(target.parent) == []
    assert server.requests.total() == 1


def test_a_busy_server_is_asked_again(fetch, server, target, listener):
    server.faults["/tiny/weights.hdf5"] = [503, 429]
    assert fetch() == WEIGHTS_SHA256
    assert server.requests.total() == 3
    assert [note.split(": ", 1)[1] for note in listener.notes] == [
        "the server answers 503 Service Unavailable; trying again in 0 s",
        "the server answers 429 Too Many Requests; trying again in 0 s",
    ]
    assert left_in(target.parent) == ["weights.hdf5"]


def test_a_server_that_breaks_off_is_asked_again(fetch, server, listener):
    server.faults["/tiny/weights.hdf5"] = ["truncate"]
    assert fetch() == WEIGHTS_SHA256
    assert (
        f"the server broke off after {len(WEIGHTS) // 2} of {len(WEIGHTS)} bytes; trying again" in listener.notes[0]
    )
    assert [stage[3:] for stage in listener.stages] == [
        [len(WEIGHTS) // 2, "finished"],
        [len(WEIGHTS), "finished"],
    ]


def test_a_server_that_goes_silent_is_asked_again(fetch, server, listener, monkeypatch):
    monkeypatch.setattr("pytorch_elmo.pretrained.download.TIMEOUT", 0.2)
    server.faults["/tiny/weights.hdf5"] = ["hang"]
    assert fetch() == WEIGHTS_SHA256
    assert "timed out; trying again" in listener.notes[0]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (503, "the server answers 503 Service Unavailable$"),
        ("truncate", f"the server broke off after {len(WEIGHTS) // 2} of {len(WEIGHTS)} bytes$"),
    ],
)
def test_patience_ends(fetch, server, target, fault, message):
    server.faults["/tiny/weights.hdf5"] = [fault] * 9
    with pytest.raises(DownloadError, match=message):
        fetch()
    assert server.requests.total() == 3
    assert left_in(target.parent) == []


def test_a_file_that_is_not_there_is_asked_for_once(fetch, server):
    with pytest.raises(DownloadError, match=r"^http://.*/gone: the server answers 404 Not Found$"):
        fetch(url=f"{server.address}/gone")
    assert server.requests.total() == 1


def test_a_closed_port(fetch, listener):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(DownloadError, match=rf"^http://127.0.0.1:{port}/x: .*Connection refused$"):
        fetch(url=f"http://127.0.0.1:{port}/x")
    assert listener.notes == []


def test_a_server_that_lets_nobody_in_is_asked_once(fetch, listener, monkeypatch):
    monkeypatch.setattr("pytorch_elmo.pretrained.download.TIMEOUT", 0.2)
    with ExitStack() as stack:
        crowd = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):  # who wait before us
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(crowd.getsockname())
        with pytest.raises(DownloadError, match=r"/x: no connection within 0.2 s an address$"):
            fetch(url=f"http://127.0.0.1:{crowd.getsockname()[1]}/x")
    assert listener.notes == []


@pytest.mark.parametrize(
    ("function", "error"),
    [
        ("socket.getaddrinfo", socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")),
        ("socket.create_connection", OSError(errno.ENETUNREACH, "Network is unreachable")),
    ],
)
def test_offline_nothing_is_asked_again(fetch, listener, monkeypatch, function, error):
    def refuse(*_arguments, **_options):
        raise error

    monkeypatch.setattr(function, refuse)
    with pytest.raises(DownloadError, match=rf"/weights.hdf5: \[Errno -?\d+\] {error.strerror}$"):
        fetch()
    assert listener.notes == []


def test_a_network_that_goes_away_is_not_the_disks_fault(fetch, server, monkeypatch):
    def lose(*_):
        raise OSError(errno.EHOSTUNREACH, "No route to host")

    monkeypatch.setattr("http.client.HTTPResponse.read1", lose)
    with pytest.raises(DownloadError, match=r"No route to host$"):
        fetch()
    assert server.requests.total() == 3


def test_what_is_no_address(fetch):
    with pytest.raises(DownloadError, match=r"^somewhere/x: unknown url type: 'somewhere/x'$"):
        fetch(url="somewhere/x")


def test_a_full_disk_is_not_the_networks_fault(fetch, monkeypatch):
    def fill(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", fill)
    with pytest.raises(OSError, match=r"No space left on device"):
        fetch()


def test_known_content_is_compared_as_json(tmp_path):
    path = tmp_path / "options.json"
    file = PublishedFile(url="", content={"lstm": {"dim": 4}})
    for text in (OPTIONS, b'{ "lstm":\r\n{"dim": 4.0}}'):
        path.write_bytes(text)
        check_file(path, file, trusted_sha256=None, where="here")
    for text in (b"{}", b"not JSON", b"\xff", b""):
        path.write_bytes(text)
        with pytest.raises(
            DownloadError, match=r"^here: the file must hold the options of the model, it holds someth"
        ):
            check_file(path, file, trusted_sha256=None, where="here")
