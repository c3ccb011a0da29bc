"""Names the keys of a config's trainer section that AllenNLP takes and does not use."""

import difflib
import logging
from collections.abc import Iterable

_logger = logging.getLogger(__name__)

# Keys of 0.9 and of earlier 2.x that no spelling leads to -> where their meaning is now.
_MOVED = {
    "epoch_callbacks": "callbacks",
    "histogram_interval": "distribution_interval of the tensorboard callback",
    "keep_serialized_model_every_num_seconds": "checkpointer.keep_most_recent_by_age",
    "model_save_interval": "checkpointer.save_every_num_seconds",
    "num_serialized_models_to_keep": "checkpointer.keep_most_recent_by_count",
    "opt_level": "use_amp",
    "should_log_learning_rate": "should_log_learning_rate of the tensorboard callback",
    "should_log_parameter_statistics": "should_log_parameter_statistics of the tensorboard callback",
    "shuffle": "data_loader.shuffle",
    "summary_interval": "summary_interval of the tensorboard callback",
    "tensorboard_writer": "the tensorboard callback",
}
# Arguments of the trainer's constructor that no config gives, and a key that it still reads.
_NOT_OF_A_CONFIG = {
    "data_loader",
    "kwargs",
    "local_rank",
    "model",
    "serialization_dir",
    "validation_data_loader",
    "world_size",
}
_STILL_READ = {"run_sanity_checks"}


def warn_of_ignored(keys: Iterable[str], known: set[str]) -> None:
    """One warning for each key of the trainer section that would be ignored, with its nearest valid name.

    Args:
        keys: What the constructor was given beside its own parameters.
        known: The parameters of the constructor.
    """
    for key in sorted(set(keys) - _STILL_READ):
        _logger.warning(
            "the trainer section has the key %s, which AllenNLP ignores; the nearest valid name is %s",
            key,
            nearest(key, known),
        )


def nearest(key: str, known: set[str]) -> str:
    """What to write instead of `key`, given the parameters of the trainer's constructor."""
    candidates = [*_MOVED, *(known - _NOT_OF_A_CONFIG)]
    (found,) = difflib.get_close_matches(key, candidates, n=1, cutoff=0.0)
    return _MOVED.get(found, found)
