"""What is compared with TensorFlow 2.15.1 and its hub: the checks of golden/tf."""

from collections.abc import Callable

from checks.classification import CHECKS as CHECKS_OF_CLASSIFICATION
from checks.ledger import Golden
from checks.text_embedding import CHECKS as CHECKS_OF_TEXT_EMBEDDING
from checks.warm_start import CHECKS as CHECKS_OF_WARM_START

CHECKS: tuple[Callable[[Golden], None], ...] = (
    *CHECKS_OF_TEXT_EMBEDDING,
    *CHECKS_OF_WARM_START,
    *CHECKS_OF_CLASSIFICATION,
)

# What differs on purpose: what this package does, and what is there instead.
PURPOSES: dict[str, str] = {}

# Files that are not compared, and why.
LISTED: dict[str, str] = {}
