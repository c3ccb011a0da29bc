"""Downloads that were cut off and are gone on with."""

import json

import pytest

from pretrained.model_server import WEIGHTS, WEIGHTS_SHA256
from pytorch_elmo.errors import DownloadError
from pytorch_elmo.pretrained import PublishedFile
from pytorch_elmo.pretrained.download import download
from pytorch_elmo.pretrained.model_files import files_in_folder
from pytorch_elmo.pretrained.partial import Origin, PartialFile

PATH = "/tiny/weights.hdf5"
HALF = len(WEIGHTS) // 2
ETAG = ("ETag", '"one"')
BEGUN = ["weights.hdf5.partial", "weights.hdf5.partial.json"]


@pytest.fixture
def target(tmp_path, cache):
    (tmp_path / "files").mkdir()
    return tmp_path / "files" / "weights.hdf5"


@pytest.fixture
def fetch(server, target, listener):
    def run(*, path=PATH, sha256=None):
        file = PublishedFile(url=f"{server.address}{path}", sha256=sha256)
        return download(file.url, target, file, trusted_sha256=None, progress=listener)

    return run


@pytest.fixture
def cut_off(server, fetch):
    """Let a first call end with half of the file."""

    def run(version=ETAG):
        server.version = version
        server.faults[PATH] = ["truncate", 404]
        with pytest.raises(DownloadError, match=rf"404 Not Found; its first {HALF} bytes are kept for the next att"):
            fetch()
        assert server.requests[PATH] == 2
        server.ranges.clear()

    return run


def left_beside(target) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir())


@pytest.mark.parametrize("version", [ETAG, ("Last-Modified", "Wed, 21 Oct 2015 07:28:00 GMT")])
def test_a_later_call_asks_for_the_rest_alone(cut_off, fetch, server, target, listener, version):
    cut_off(version)
    assert left_beside(target) == BEGUN
    assert fetch() == WEIGHTS_SHA256
    assert target.read_bytes() == WEIGHTS
    assert server.ranges == [f"bytes={HALF}-"]
    assert server.bytes_sent[PATH] == len(WEIGHTS)
    assert left_beside(target) == ["weights.hdf5"]
    assert listener.notes[-1] == f"{server.address}{PATH}: going on after {HALF} of {len(WEIGHTS)} bytes"
    assert [stage[2:] for stage in listener.stages] == [
        [len(WEIGHTS), HALF, "finished"],
        [len(WEIGHTS), len(WEIGHTS), "finished"],
    ]


def test_the_same_call_asks_for_the_rest_alone(fetch, server, target):
    server.version = ETAG
    server.faults[PATH] = ["truncate", 503]
    assert fetch() == WEIGHTS_SHA256
    assert server.requests[PATH] == 3
    assert server.ranges == [f"bytes={HALF}-"]
    assert server.bytes_sent[PATH] == len(WEIGHTS)


def test_patience_begins_anew_when_more_came(fetch, server):
    server.version = ETAG
    server.faults[PATH] = ["truncate"] * 7  # more than there are pauses
    assert fetch() == WEIGHTS_SHA256
    assert server.requests[PATH] == 8
    assert server.bytes_sent[PATH] == len(WEIGHTS)


def test_a_beginning_is_no_model(cut_off, target):
    cut_off()
    (target.parent / "options.json").touch()
    with pytest.raises(DownloadError, match=r"found options.json and no weight file"):
        files_in_folder(target.parent)


def test_another_version_is_fetched_from_its_start(cut_off, fetch, server, target):
    cut_off()
    server.version, server.files[PATH] = ("ETag", '"two"'), b"another" * 999
    fetch()
    assert server.ranges == [f"bytes={HALF}-"]
    assert target.read_bytes() == b"another" * 999


@pytest.mark.parametrize("change", ["another version", "another size"])
def test_a_part_of_another_file_is_not_taken(cut_off, fetch, server, target, change):
    cut_off()
    server.files[PATH] = b"?" + (WEIGHTS if change == "another size" else WEIGHTS[1:])
    server.version = ETAG if change == "another size" else ("ETag", '"two"')
    server.faults[PATH] = ["unasked"]
    fetch()
    assert target.read_bytes() == server.files[PATH]
    assert server.requests[PATH] == 4


@pytest.mark.parametrize("fault", ["whole", "other part"])
def test_a_server_that_sends_what_was_not_asked_for(cut_off, fetch, server, target, fault):
    cut_off()
    server.faults[PATH] = [fault]
    assert fetch() == WEIGHTS_SHA256
    assert target.read_bytes() == WEIGHTS
    assert server.ranges == [f"bytes={HALF}-"]


def test_a_file_that_became_shorter(cut_off, fetch, server, target):
    cut_off()
    server.files[PATH] = WEIGHTS[:HALF]
    fetch()
    assert target.read_bytes() == WEIGHTS[:HALF]
    assert server.requests[PATH] == 4  # 416, then the whole


def test_another_address_is_fetched_from_its_start(cut_off, fetch, server):
    cut_off()
    server.files["/copy.hdf5"] = WEIGHTS
    assert fetch(path="/copy.hdf5") == WEIGHTS_SHA256
    assert server.ranges == []


@pytest.mark.parametrize("version", [None, ("ETag", 'W/"one"')])
def test_without_a_version_nothing_is_kept(fetch, server, target, version):
    server.version = version
    server.faults[PATH] = ["truncate"] * 3
    with pytest.raises(DownloadError, match=rf"the server broke off after {HALF} of {len(WEIGHTS)} bytes$"):
        fetch()
    assert server.ranges == []
    assert left_beside(target) == []


@pytest.mark.parametrize("record", ["", "{", "[]", "{}", '{"url": "x", "size": 1, "version": "1"}'])
def test_a_record_that_was_meddled_with(cut_off, fetch, server, target, record):
    cut_off()
    target.with_name(BEGUN[1]).write_text(record)
    assert fetch() == WEIGHTS_SHA256
    assert server.ranges == []
    assert left_beside(target) == ["weights.hdf5"]


@pytest.mark.parametrize("size", [0, len(WEIGHTS) + 1])
def test_a_beginning_that_cannot_be_one(cut_off, fetch, server, target, size):
    cut_off()
    target.with_name(BEGUN[0]).write_bytes(bytes(size))
    assert fetch() == WEIGHTS_SHA256
    assert server.ranges == []


def test_what_had_come_whole_is_not_asked_for_again(cut_off, fetch, server, target):
    cut_off()
    target.with_name(BEGUN[0]).write_bytes(WEIGHTS)  # the process ended before it could check
    assert fetch() == WEIGHTS_SHA256
    assert server.requests[PATH] == 2
    assert left_beside(target) == ["weights.hdf5"]


def test_the_whole_is_checked_and_what_is_wrong_is_not_kept(cut_off, fetch, target):
    cut_off()
    target.with_name(BEGUN[0]).write_bytes(b"?" + WEIGHTS[1:HALF])
    with pytest.raises(DownloadError, match=rf"the file must have sha256 {WEIGHTS_SHA256}, it has"):
        fetch(sha256=WEIGHTS_SHA256)
    assert left_beside(target) == []
    assert fetch(sha256=WEIGHTS_SHA256) == WEIGHTS_SHA256


def test_the_record(tmp_path):
    partial = PartialFile(tmp_path / "weights.hdf5")
    origin = Origin(url="https://here/weights.hdf5", size=7, version='"one"')
    partial.begin(origin)
    assert (partial.size, partial.origin(origin.url)) == (0, None)  # nothing to go on with yet
    partial.path.write_bytes(b"1234")
    assert (partial.size, partial.origin(origin.url)) == (4, origin)
    assert json.loads((tmp_path / BEGUN[1]).read_text()) == {"url": origin.url, "size": 7, "version": '"one"'}
    partial.begin(None)
    assert left_beside(partial.target) == [BEGUN[0]]
    partial.finish()
    assert left_beside(partial.target) == ["weights.hdf5"]
