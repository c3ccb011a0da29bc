"""What is compared with TensorFlow 2.15.1 and its hub: the checks of golden/tf, and the files that none opens."""

from collections.abc import Callable

from parity_classification import CHECKS as CHECKS_OF_CLASSIFICATION
from parity_ledger import Golden

CHECKS: tuple[Callable[[Golden], None], ...] = (*CHECKS_OF_CLASSIFICATION,)

# What differs on purpose: what this package does, and what is there instead.
PURPOSES: dict[str, str] = {}

# Files that are not compared, and why.
LISTED = {
    "bundles*": "waits for the check of bundles",
    "fingerprint64.json": "waits for the check of text embeddings",
    "graph_facts.json": "waits for the check of text embeddings",
    "hub*": "waits for the check of text embeddings",
    "textvec.json": "waits for the check of warm starts",
    "token_files.json": "waits for the check of text embeddings",
    "warmstart.*": "waits for the check of warm starts",
}
