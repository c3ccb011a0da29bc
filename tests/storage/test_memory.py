"""What a job keeps in memory does not grow with its texts."""

import subprocess
import sys
from pathlib import Path

import pytest

JOB = """
import sys
from pathlib import Path
import numpy as np
from pytorch_elmo.storage import LayerFileReader, LayerFileWriter, Manifest

output, layout, num_sentences = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
token_counts = np.arange(num_sentences) % 3
manifest = Manifest(
    project_version="0.1.0", model="default", model_hash="ab12", layers="top", num_layers=None, dim=2,
    dtype="float16", precision="float32", state_mode="fresh", start_state="zeros", layout=layout, keys="index",
    num_sentences=num_sentences, num_tokens=int(token_counts.sum()), input_sha256="00ff", tokenizer="whitespace",
    batch_plan="one",
)
sentences = lambda: (f"{index} " + "long " * 1000 for index in range(num_sentences))
LayerFileWriter.create(
    output, manifest=manifest, token_counts=token_counts, identity={}, sentences=sentences
).close()
with LayerFileWriter.resume(output, manifest=manifest, identity={}) as writer:
    for index, num_tokens in enumerate(token_counts.tolist()):
        writer.write(index, np.ones((num_tokens, 2), dtype=np.float16))
    writer.commit(1)
    writer.finish()
with LayerFileReader(output) as reader:
    assert sum(len(vectors) for vectors in reader) == token_counts.sum()
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(int(peak.split()[1]) * 1024)
"""


def peak_bytes(output: Path, layout: str, num_sentences: int) -> int:
    command = [sys.executable, "-c", JOB, str(output), layout, str(num_sentences)]
    return int(subprocess.run(command, capture_output=True, check=True).stdout)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")
@pytest.mark.parametrize("layout", ["per-sentence", "packed"])
def test_texts_are_not_held(tmp_path, layout):
    few = peak_bytes(tmp_path / "few.hdf5", layout, 8_000)
    many = peak_bytes(tmp_path / "many.hdf5", layout, 16_000)
    assert (tmp_path / "many.hdf5").stat().st_size - (tmp_path / "few.hdf5").stat().st_size > 40_000_000
    assert many - few < 20_000_000  # HDF5 keeps up to 30 MB of names and headers, whatever their number
