"""`import pytorch_elmo` loads nothing heavy; what is heavy comes with the first name that needs it."""

import subprocess
import sys

HEAVY = ("allennlp", "datasets", "h5py", "matplotlib", "sacremoses", "safetensors", "scipy", "sentencex", "torch")


def loaded_by(statement: str) -> set[str]:
    """Which of the heavy packages a fresh interpreter has loaded after a statement."""
    program = f"import sys\n{statement}\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(result.stdout.split())


def test_the_package_alone_loads_nothing_heavy():
    assert loaded_by("import pytorch_elmo") == set()


def test_the_guard_can_fail():
    assert {"h5py", "torch"} <= loaded_by("import pytorch_elmo\npytorch_elmo.LayerFileReader, pytorch_elmo.Elmo")


def test_processes_that_tokenise_load_nothing_heavy():
    """There is one a processor, and text needs no network."""
    rooms = ("text", "text.documents", "text.prose", "text.vocabulary", "text.word_counts")
    assert loaded_by("\n".join(f"import pytorch_elmo.{room}" for room in rooms)) == set()


def test_rooms_that_load_torch_alone():
    rooms = ("model", "text", "text.tokenizers", "text.vocabulary")
    assert loaded_by("\n".join(f"import pytorch_elmo.{room}" for room in rooms)) == {"torch"}


def test_nothing_in_the_package_loads_what_only_some_users_have():
    """Training, tokenizers and pictures are loaded when they are used, whatever room is imported."""
    rooms = (
        "classification.data_sets",
        "elmo",
        "embedder",
        "pretraining.job",
        "static_embeddings",
        "storage",
        "weights.hdf5",
    )
    statement = "\n".join(f"import pytorch_elmo.{room}" for room in rooms)
    assert loaded_by(statement) & {"allennlp", "datasets", "matplotlib", "sacremoses", "sentencex"} == set()
