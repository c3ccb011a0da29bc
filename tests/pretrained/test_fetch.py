import errno
import json
import re
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filelock import FileLock

from pretrained.model_server import OPTIONS, OPTIONS_SHA256, WEIGHTS, WEIGHTS_SHA256
from pytorch_elmo.errors import ConfigurationError, DownloadError
from pytorch_elmo.pretrained import MODELS, ModelFiles, cache_folder, is_cached, resolve

PINS = {"options.json": OPTIONS_SHA256, "weights.hdf5": WEIGHTS_SHA256}


def model_in(folder: Path, name="tiny") -> ModelFiles:
    return ModelFiles(name=name, folder=folder, options=folder / "options.json", weights=folder / "weights.hdf5")


def test_a_model_is_fetched_once(server, publish, cache, listener):
    publish()
    assert not is_cached("tiny")
    assert resolve("tiny", progress=listener) == model_in(cache / "tiny")
    assert (cache / "tiny" / "options.json").read_bytes() == OPTIONS
    assert (cache / "tiny" / "weights.hdf5").read_bytes() == WEIGHTS
    assert json.loads((cache / "tiny" / "sha256.json").read_text()) == PINS
    assert [stage[0] for stage in listener.stages] == ["fetching options.json", "fetching weights.hdf5"]
    assert listener.notes == []
    assert is_cached("tiny")
    assert resolve("tiny") == model_in(cache / "tiny")
    assert server.requests == {"/tiny/options.json": 1, "/tiny/weights.hdf5": 1}


def test_a_cached_model_never_asks_the_network(publish, cache, monkeypatch):
    publish()
    resolve("tiny")

    def refuse(*_args, **_options):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert resolve("tiny") == model_in(cache / "tiny")


def test_the_cache_folder(cache, monkeypatch):
    assert cache_folder() == cache
    monkeypatch.delenv("PYTORCH_ELMO_CACHE")
    assert cache_folder().name == "pytorch-elmo"


def test_a_mirror(server, publish, cache, monkeypatch):
    publish()
    monkeypatch.setattr("pytorch_elmo.pretrained.fetch.PUBLISHER", f"{server.address}/")
    server.files |= {f"/copy/elmo{path}": content for path, content in server.files.items()}
    monkeypatch.setenv("PYTORCH_ELMO_MIRROR", f"{server.address}/copy/elmo/")
    resolve("tiny")
    assert server.requests == {"/copy/elmo/tiny/options.json": 1, "/copy/elmo/tiny/weights.hdf5": 1}


def test_a_folder_as_mirror(server, publish, cache, monkeypatch, tmp_path):
    publish()
    monkeypatch.setattr("pytorch_elmo.pretrained.fetch.PUBLISHER", f"{server.address}/")
    (tmp_path / "copy" / "tiny").mkdir(parents=True)
    for path, content in server.files.items():
        (tmp_path / f"copy{path}").write_bytes(content)
    monkeypatch.setenv("PYTORCH_ELMO_MIRROR", (tmp_path / "copy").as_uri())
    assert resolve("tiny") == model_in(cache / "tiny")
    assert server.requests.total() == 0


def break_hash(server):
    server.files["/tiny/weights.hdf5"] = WEIGHTS[:-1] + b"?"


def break_status(server):
    del server.files["/tiny/weights.hdf5"]


def break_off(server):
    server.faults["/tiny/weights.hdf5"] = ["truncate"] * 9


def close_port(server):
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (break_hash, r"http://\S+/tiny/weights.hdf5: the file must have sha256 .*, it has .*"),
        (break_status, r"http://\S+/tiny/weights.hdf5: the server answers 404 Not Found"),
        (break_off, r"http://\S+/tiny/weights.hdf5: the server broke off after \d+ of \d+ bytes"),
        (close_port, r"http://\S+/tiny/options.json: .*Connection refused"),
    ],
)
def test_a_failure_names_the_three_ways_to_go_on(server, publish, cache, trouble, reason):
    publish()
    trouble(server)
    ways = (
        r"\(1\) download \S+/tiny/options.json and \S+/tiny/weights.hdf5 by hand and name their folder, or the two "
        r"with --options-file and --weight-file, \(2\) set PYTORCH_ELMO_MIRROR to a copy of https://\S+/elmo/, "
        r"or \(3\) use the model in the package, 'default'"
    )
    with pytest.raises(DownloadError, match=f"^tiny could not be fetched: {reason}; {ways}$") as caught:
        resolve("tiny")
    assert "\n" not in str(caught.value)
    assert not is_cached("tiny")
    assert sorted(path.name for path in (cache / "tiny").iterdir()) in (["lock"], ["lock", "options.json"])


def test_a_failed_fetch_can_be_repeated(server, publish, cache):
    publish()
    server.faults["/tiny/weights.hdf5"] = [404]
    with pytest.raises(DownloadError, match=r"404"):
        resolve("tiny")
    (cache / "tiny" / ".weights.hdf5.1.partial").write_bytes(b"of a process that was killed")
    assert resolve("tiny") == model_in(cache / "tiny")
    assert not list((cache / "tiny").glob(".*"))


def test_a_cache_that_cannot_be_written(publish, cache):
    publish()
    cache.write_text("a file where the folder should be")
    expected = (
        r"^tiny could not be kept in .*/cache: .*; set PYTORCH_ELMO_CACHE to a folder with room, or use the model"
    )
    with pytest.raises(DownloadError, match=expected):
        resolve("tiny")


def test_a_full_disk(publish, cache, monkeypatch):
    def fill(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    publish()
    monkeypatch.setattr("os.fsync", fill)
    with pytest.raises(
        DownloadError, match=r"^tiny could not be kept in .*: No space left on device; set PYTORCH_ELMO"
    ):
        resolve("tiny")


def test_several_at_once_fetch_once(server, publish, cache):
    publish()
    with ThreadPoolExecutor(4) as pool:
        models = list(pool.map(resolve, ["tiny"] * 4))
    assert models == [model_in(cache / "tiny")] * 4
    assert server.requests == {"/tiny/options.json": 1, "/tiny/weights.hdf5": 1}


def test_another_process_is_waited_for(server, publish, cache, listener):
    publish()
    (cache / "tiny").mkdir(parents=True)
    with ThreadPoolExecutor(1) as pool:
        with FileLock(cache / "tiny" / "lock"):
            waiting = pool.submit(resolve, "tiny", progress=listener)
            while not (listener.notes or waiting.done()):
                time.sleep(0.01)
            assert server.requests.total() == 0
        assert waiting.result() == model_in(cache / "tiny")
    assert listener.notes == ["another process fetches tiny; waiting for it"]


def test_where_no_sha256_is_known_nothing_is_fetched_unasked(server, publish, cache):
    publish(weights={}, options={"size": None})
    expected = (
        r"^tiny: its sha256 is not known, so that a download cannot be checked; fetch it once with `elmo models "
        r"tiny` and --sha256 HEX, which its weight file must have, or --trust-first-download, which records what "
        r"comes and checks it ever after, or use the model in the package, 'default'$"
    )
    with pytest.raises(DownloadError, match=expected):
        resolve("tiny")
    assert server.requests.total() == 0


def test_what_came_first_is_recorded_and_checked_ever_after(server, publish, cache, listener):
    publish(weights={}, options={"size": None})
    assert resolve("tiny", progress=listener, trust_first_download=True) == model_in(cache / "tiny")
    assert listener.notes == [
        f"tiny: {name} has sha256 {sha256}; it must keep it from now on" for name, sha256 in PINS.items()
    ]
    assert resolve("tiny") == model_in(cache / "tiny")
    for name in PINS:
        path = cache / "tiny" / name
        content = path.read_bytes()
        path.write_bytes(content[:-1] + b"?")
        expected = rf"^{path}: the file must have sha256 {PINS[name]}, it has .*; remove .*/tiny to fetch tiny anew$"
        with pytest.raises(DownloadError, match=expected):
            resolve("tiny", trust_first_download=True)
        path.write_bytes(content)


def test_a_sha256_of_ones_own(publish, cache):
    publish(weights={})
    with pytest.raises(DownloadError, match=rf"must have sha256 0{{64}}, it has {WEIGHTS_SHA256}; \(1\) download"):
        resolve("tiny", sha256="0" * 64)
    assert resolve("tiny", sha256=WEIGHTS_SHA256) == model_in(cache / "tiny")
    assert resolve("tiny") == model_in(cache / "tiny")
    with pytest.raises(
        DownloadError, match=rf"must have sha256 0{{64}}, it has {WEIGHTS_SHA256}; remove .* to fetch"
    ):
        resolve("tiny", sha256="0" * 64)


def test_trust_does_not_weaken_what_is_known(server, publish, cache):
    publish()
    break_hash(server)
    with pytest.raises(DownloadError, match=r"must have sha256"):
        resolve("tiny", trust_first_download=True)


@pytest.mark.parametrize("sha256", ["", "any", "0" * 63, "G" * 64, WEIGHTS_SHA256.upper()])
def test_what_is_no_sha256(publish, cache, sha256):
    publish()
    with pytest.raises(ConfigurationError, match=rf"^a sha256 is 64 digits of 0-9 and a-f, got '{sha256}'; print it"):
        resolve("tiny", sha256=sha256)


@pytest.mark.parametrize("name", ["default", Path("tiny"), "./tiny"])
def test_a_sha256_of_what_is_not_fetched(publish, name):
    publish()
    expected = rf"^a sha256 is asked of a model that is fetched by its name, '{name}' is not; leave it out$"
    with pytest.raises(ConfigurationError, match=expected):
        resolve(name, sha256=WEIGHTS_SHA256)


@pytest.mark.parametrize("damage", ["{", "[]", "{}", None])
def test_a_cache_that_was_meddled_with(publish, cache, damage):
    publish()
    resolve("tiny")
    if damage is None:
        (cache / "tiny" / "weights.hdf5").unlink()
    else:
        (cache / "tiny" / "sha256.json").write_text(damage)
    expected = r"^.*/cache/tiny is not as it was left \(.*\); remove .*/cache/tiny to fetch tiny anew$"
    with pytest.raises(DownloadError, match=expected):
        resolve("tiny")


def test_a_folder(tmp_path, monkeypatch, publish, cache):
    publish()
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "options.json").touch()
    (folder / "weights.hdf5").touch()
    assert resolve(folder) == model_in(folder, str(folder))
    assert resolve(str(folder)) == model_in(folder, str(folder))
    monkeypatch.chdir(tmp_path)
    assert resolve(Path("tiny")).folder == Path("tiny")
    assert resolve("./tiny").folder == Path("tiny")
    assert resolve("tiny").folder == cache / "tiny"


def test_the_model_in_the_package(tmp_path, monkeypatch, cache):
    monkeypatch.setattr("pytorch_elmo.pretrained.fetch._PACKAGED", tmp_path)
    with pytest.raises(
        DownloadError, match=r"^the package lacks its own model, .*bilm.safetensors; install pytorch-elmo"
    ):
        resolve("default")
    (tmp_path / "bilm.safetensors").touch()
    (tmp_path / "softmax.safetensors").touch()
    files = resolve("default")
    assert files.bilm == tmp_path / "bilm.safetensors"
    assert files.softmax == tmp_path / "softmax.safetensors"
    assert (files.name, files.folder, files.options, files.weights) == ("default", tmp_path, None, None)
    assert is_cached("default")
    assert not cache.exists()


def test_unknown_names(cache):
    everything = re.escape(", ".join(MODELS))
    with pytest.raises(DownloadError, match=rf"'orginal'; did you mean original.*\? models are {everything}$"):
        resolve("orginal")
    with pytest.raises(DownloadError, match=rf"^no model or folder is called 'bert'; models are {everything}$"):
        resolve("bert")
    with pytest.raises(DownloadError, match=r"^no model or folder is called 'small'"):
        resolve(Path("small"))


def test_the_import_asks_no_network_and_loads_nothing_heavy():
    program = """
import socket, sys
def refuse(*_):
    raise AssertionError("the network was asked")
socket.socket.connect = socket.getaddrinfo = refuse
import pytorch_elmo.pretrained
print(*sorted({"torch", "numpy", "h5py", "filelock", "platformdirs"} & set(sys.modules)))
"""
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == ""
