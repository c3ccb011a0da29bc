"""0.9's `trainer` section in 2.x's form; 2.x ignores what it does not know there, so each key is looked at."""

from typing import Any

from pytorch_elmo.allennlp_plugin.legacy_translation import Config, Translation, demand, refuse, section

_CHECKPOINTER = {
    "num_serialized_models_to_keep": "keep_most_recent_by_count",
    "keep_serialized_model_every_num_seconds": "keep_most_recent_by_age",
    "model_save_interval": "save_every_num_seconds",
}
# Settings of TensorBoard: they were the trainer's, or stood in `tensorboard_writer` (1.x), or in a callback.
_TENSORBOARD = {
    "summary_interval": "summary_interval",
    "histogram_interval": "distribution_interval",
    "log_batch_size_period": "batch_size_interval",
    "should_log_parameter_statistics": "should_log_parameter_statistics",
    "should_log_learning_rate": "should_log_learning_rate",
}
# Callbacks of the callback trainer whose settings are the trainer's own.
_CALLBACKS: dict[str, tuple[str, ...]] = {
    "gradient_norm_and_clip": ("grad_norm", "grad_clipping"),
    "track_metrics": ("patience", "validation_metric"),
    "update_learning_rate": ("learning_rate_scheduler",),
    "update_momentum": ("momentum_scheduler",),
    "update_moving_average": ("moving_average",),
    "validate": (),
}


def translate_trainer(work: Translation) -> None:
    """The trainer's keys, its checkpointer, its callbacks and its devices.

    Raises:
        ConfigurationError: a callback or a trainer that 2.x has no equal for.
    """
    trainer = section(work.config, "trainer")
    _trainer_type(work, trainer)
    _checkpointer(work, trainer)
    _tensorboard(work, trainer)
    for key in ("epoch_callbacks", "batch_callbacks"):
        if key in trainer:
            callbacks = trainer.pop(key)
            demand(f"trainer.{key}", isinstance(callbacks, list), "must be a list", callbacks)
            _add_callbacks(trainer, callbacks)
            work.note(f"trainer.{key}", "in trainer.callbacks")
    _devices(work, trainer)
    if work.old and "shuffle" in trainer:
        _shuffle(work, bool(trainer.pop("shuffle")))


def _add_callbacks(trainer: Config, more: list[Any]) -> None:
    callbacks = trainer.setdefault("callbacks", [])
    demand("trainer.callbacks", isinstance(callbacks, list), "must be a list", callbacks)
    callbacks.extend(more)


def _trainer_type(work: Translation, trainer: Config) -> None:
    kind = trainer.get("type")
    if kind == "default":
        del trainer["type"]
        work.note("trainer.type", "default is gradient_descent, 2.x's default")
    elif kind == "callback":
        del trainer["type"]
        work.note("trainer.type", "callback is gradient_descent, 2.x's default")
        callbacks = trainer.pop("callbacks", [])
        demand("trainer.callbacks", isinstance(callbacks, list), "must be a list", callbacks)
        for index, callback in enumerate(callbacks):
            _callback(work, trainer, f"trainer.callbacks.{index}", callback)


def _callback(work: Translation, trainer: Config, place: str, callback: Any) -> None:
    """A callback of the callback trainer: its settings become keys that the rules below translate."""
    demand(place, isinstance(callback, str | dict), "must be a callback", callback)
    settings: Config = {"type": callback} if isinstance(callback, str) else dict(callback)
    kind = str(settings.pop("type", None))
    if kind == "log_to_tensorboard":
        trainer["tensorboard_writer"] = section(trainer, "tensorboard_writer") | settings
    elif kind == "checkpoint":
        trainer["checkpointer"] = section(trainer, "checkpointer") | section(settings, "checkpointer")
        if settings.get("model_save_interval") is not None:
            trainer["model_save_interval"] = settings["model_save_interval"]
    elif kind in _CALLBACKS:
        trainer.update({key: settings[key] for key in _CALLBACKS[kind] if settings.get(key) is not None})
    else:
        refuse(place, "2.x's trainer has no such callback", kind, "write it as a TrainerCallback")
    work.note(place, f"{kind} is what the trainer does by its own keys")


def _checkpointer(work: Translation, trainer: Config) -> None:
    """Which checkpoints stay: the trainer's keys, and the same names inside its `checkpointer`."""
    for place, keys in (("trainer", trainer), ("trainer.checkpointer", section(trainer, "checkpointer"))):
        for old, new in _CHECKPOINTER.items():
            if old not in keys:
                continue
            value = keys.pop(old)
            demand(f"{place}.{old}", value is None or isinstance(value, int | float), "must be a number", value)
            if value is None and old != "num_serialized_models_to_keep":
                continue
            if old == "num_serialized_models_to_keep" and (value is None or value < 0):
                value = None  # all
            trainer["checkpointer"] = section(trainer, "checkpointer")
            trainer["checkpointer"][new] = value
            text = f"is checkpointer.{new} {value}"
            if new == "keep_most_recent_by_age":
                work.lose(f"{place}.{old}", f"{text}: 2.x keeps what is younger, 0.9 kept one in that time for good")
            else:
                work.note(f"{place}.{old}", text)


def _tensorboard(work: Translation, trainer: Config) -> None:
    """0.9 always wrote for TensorBoard; 2.x does where a callback says so."""
    given = {key: trainer.pop(key) for key in _TENSORBOARD if key in trainer}
    writer = trainer.pop("tensorboard_writer", None)
    place = "trainer.tensorboard_writer" if writer is not None else f"trainer.{', '.join(given)}"
    if isinstance(writer, dict):
        given |= {key: value for key, value in writer.items() if key in _TENSORBOARD}
    if not given and writer is None:
        return
    callback = {"type": "tensorboard", **{_TENSORBOARD[key]: value for key, value in given.items()}}
    if not work.tensorboard:
        work.lose(place, "left out, tensorboardX is not installed; pip install tensorboardX for the logs")
        return
    _add_callbacks(trainer, [callback])
    work.note(place, "in the trainer callback tensorboard")


def _devices(work: Translation, trainer: Config) -> None:
    """2.x takes a GPU if there is one; several are a section of their own, with a process each."""
    device = trainer.get("cuda_device")
    if isinstance(device, list):
        del trainer["cuda_device"]
        if len(device) == 1:
            trainer["cuda_device"] = device = device[0]
            work.note("trainer.cuda_device", f"the list of one is {device}")
        else:
            work.config["distributed"] = {"cuda_devices": device}
            work.note("trainer.cuda_device", f"is distributed.cuda_devices {device}, a process for each")
    if work.old and device == 0 and not isinstance(device, bool):
        del trainer["cuda_device"]
        work.note("trainer.cuda_device", "0 left out, 2.x takes the first GPU if there is one")


def _shuffle(work: Translation, shuffle: bool) -> None:
    """Shuffling belongs to the loader, or to its sampler."""
    loader = section(work.config, "data_loader")
    sampler = section(loader, "batch_sampler")
    if sampler.get("type") == "max_tokens_sampler" and not shuffle:
        work.lose("trainer.shuffle", "left out: max_tokens_sampler always shuffles its batches")
        return
    (sampler or loader)["shuffle"] = shuffle
    work.note("trainer.shuffle", f"is shuffle {shuffle} of data_loader{'.batch_sampler' if sampler else ''}")
