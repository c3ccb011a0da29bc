"""0.9's `iterator`, lazy and multiprocess readers, and `vocabulary` in 2.x's form."""

import math
from typing import Any

from pytorch_elmo.allennlp_plugin.legacy_translation import Config, Translation, demand, refuse, section

READERS = ("dataset_reader", "validation_dataset_reader")
LOADERS = {"iterator": "data_loader", "validation_iterator": "validation_data_loader"}
_DEFAULT_BATCH_SIZE = 32
_NO_EQUAL = {
    "cache_instances": "2.x indexes each instance once",
    "output_queue_size": "2.x sizes its queues itself",
    "biggest_batch_first": "2.x takes the batches as they come",
}


def translate_iterators(work: Translation) -> None:
    """`iterator` and `validation_iterator` become `data_loader` and `validation_data_loader`.

    Raises:
        ConfigurationError: an iterator or a setting of one that 2.x has no equal for.
    """
    for old, new in LOADERS.items():
        if old not in work.config:
            continue
        iterator = work.config.pop(old)
        demand(old, isinstance(iterator, str | dict), "must be an iterator or the name of one", iterator)
        if new in work.config:
            work.note(old, f"left out, {new} is there")
            continue
        loader = _loader(work, old, {"type": iterator} if isinstance(iterator, str) else dict(iterator))
        work.config[new] = loader
        work.note(old, f"is {new}: {_described(loader)}")


def _loader(work: Translation, place: str, iterator: Config) -> Config:
    kind = iterator.pop("type", "bucket")
    if kind == "multiprocess":
        workers = iterator.pop("num_workers", 1)
        base = iterator.pop("base_iterator", {})
        demand(f"{place}.base_iterator", isinstance(base, dict), "must be an iterator", base)
        _drop(work, place, iterator)
        loader = _loader(work, f"{place}.base_iterator", dict(base))
        return {**loader, "num_workers": workers}
    if kind not in ("basic", "bucket"):
        refuse(f"{place}.type", "only basic, bucket and multiprocess have an equal in 2.x", kind, "use one of them")
    return _plain_loader(work, place, iterator, kind)


def _plain_loader(work: Translation, place: str, iterator: Config, kind: str) -> Config:
    """The loader of a `basic` or a `bucket` iterator; only the former says itself that it shuffles."""
    batch_size = iterator.pop("batch_size", _DEFAULT_BATCH_SIZE)
    demand(f"{place}.batch_size", isinstance(batch_size, int) and batch_size > 0, "must be 1 or more", batch_size)
    most_samples = iterator.pop("maximum_samples_per_batch", None)
    per_epoch = iterator.pop("instances_per_epoch", None)
    in_memory = iterator.pop("max_instances_in_memory", None)
    if iterator.pop("track_epoch", False):
        refuse(f"{place}.track_epoch", "must be false", True, "use the trainer callback track_epoch_callback")
    if most_samples is not None:
        pair = isinstance(most_samples, list) and len(most_samples) == 2
        demand(f"{place}.maximum_samples_per_batch", pair, "must be a padding key and a number", most_samples)
        loader: Config = {"batch_sampler": _token_sampler(work, place, iterator, most_samples, batch_size)}
    elif kind == "bucket":
        loader = {"batch_sampler": _bucket_sampler(place, iterator, batch_size)}
    else:
        loader = {"batch_size": batch_size, "shuffle": True}
    if per_epoch is not None:
        demand(f"{place}.instances_per_epoch", isinstance(per_epoch, int), "must be a whole number", per_epoch)
        if most_samples is not None:
            advice = "set batches_per_epoch of data_loader yourself"
            refuse(f"{place}.instances_per_epoch", "must be null beside maximum_samples_per_batch", per_epoch, advice)
        loader["batches_per_epoch"] = math.ceil(per_epoch / batch_size)
    if in_memory is not None:
        loader["max_instances_in_memory"] = in_memory
    _drop(work, place, iterator)
    return loader


def _bucket_sampler(place: str, iterator: Config, batch_size: int) -> Config:
    sampler: Config = {"type": "bucket", "batch_size": batch_size, **_sorting(place, iterator)}
    if iterator.pop("skip_smaller_batches", False):
        sampler["drop_last"] = True
    return sampler


def _token_sampler(work: Translation, place: str, iterator: Config, limit: Any, batch_size: int) -> Config:
    key, most = limit
    iterator.pop("skip_smaller_batches", None)
    work.lose(
        f"{place}.maximum_samples_per_batch",
        f"is a max_tokens_sampler of {most}: 2.x counts the longest field instead of {key}, and {batch_size} "
        "instances are no limit any more",
    )
    return {"type": "max_tokens_sampler", "max_tokens": most, **_sorting(place, iterator)}


def _sorting(place: str, iterator: Config) -> Config:
    """Sorting keys were pairs of a field and what is padded in it; 2.x takes the field."""
    sorting: Config = {}
    keys = iterator.pop("sorting_keys", None)
    if keys:
        pairs = isinstance(keys, list) and all(isinstance(key, str) or _is_pair(key) for key in keys)
        demand(f"{place}.sorting_keys", pairs, "must be pairs of a field and a padding key", keys)
        sorting["sorting_keys"] = list(dict.fromkeys(key if isinstance(key, str) else key[0] for key in keys))
    if "padding_noise" in iterator:
        sorting["padding_noise"] = iterator.pop("padding_noise")
    return sorting


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(part, str) for part in value)


def _drop(work: Translation, place: str, rest: Config) -> None:
    for key, value in rest.items():
        if key not in _NO_EQUAL:
            refuse(f"{place}.{key}", "this setting has no equal in 2.x", value, "take it out")
        if value:
            work.lose(f"{place}.{key}", f"left out: {_NO_EQUAL[key]}")


def validate_in_order(work: Translation) -> None:
    """0.9 shuffled, and cut epochs short, in training only: validation gets its own loader where that matters."""
    loader = section(work.config, "data_loader")
    needed = "validation_data_path" in work.config or "test_data_path" in work.config
    if not needed or "validation_data_loader" in work.config:
        return
    plain = {key: value for key, value in loader.items() if key not in ("shuffle", "batches_per_epoch")}
    if plain != loader:
        work.config["validation_data_loader"] = plain
        work.note("validation_data_loader", f"added, not shuffled and whole as in 0.9: {_described(plain)}")


def translate_readers(work: Translation) -> None:
    """Lazy readers and readers in several processes become settings of the loader."""
    for place in READERS:
        reader = section(work.config, place)
        if reader.get("type") == "multiprocess":
            reader = _shard(work, place, reader)
        if "lazy" in reader:
            _unlazy(work, place, bool(reader.pop("lazy")))
        _coding_scheme(work, place, reader)


def _shard(work: Translation, place: str, reader: Config) -> Config:
    """A reader over several files; the base reader."""
    base: Config = section(reader, "base_reader")
    workers = reader.get("num_workers", 1)
    work.config[place] = {"type": "sharded", "base_reader": base}
    loader = section(work.config, "data_loader")
    loader.setdefault("num_workers", workers)
    work.note(place, f"multiprocess is sharded, and data_loader.num_workers {loader.get('num_workers')}")
    if reader.get("epochs_per_read", 1) != 1:
        work.lose(f"{place}.epochs_per_read", "left out: 2.x reads once an epoch")
    return base


def _unlazy(work: Translation, place: str, lazy: bool) -> None:
    """0.9 read a lazy data set batch by batch, or `max_instances_in_memory` at a time."""
    if not lazy:
        work.note(f"{place}.lazy", "left out, false is 2.x's way too")
        return
    loader = work.config.get("validation_data_loader" if place == READERS[1] else "data_loader")
    loader = section(work.config, "data_loader") if loader is None else loader
    sampler = section(loader, "batch_sampler")
    batch_size = loader.get("batch_size", sampler.get("batch_size", _DEFAULT_BATCH_SIZE))
    loader.setdefault("max_instances_in_memory", batch_size)
    work.note(f"{place}.lazy", f"is max_instances_in_memory {loader['max_instances_in_memory']} of the data loader")


def _coding_scheme(work: Translation, place: str, reader: Config) -> None:
    """`coding_scheme` of the two readers that renamed it; what the file has needs no conversion."""
    as_read = {"conll2003": "IOB1", "conll2000": "BIO"}.get(str(reader.get("type")))
    if as_read is None or "coding_scheme" not in reader:
        return
    scheme = reader.pop("coding_scheme")
    if scheme == as_read:
        work.note(f"{place}.coding_scheme", f"left out, {scheme} is what the file has")
        return
    reader["convert_to_coding_scheme"] = scheme
    work.note(f"{place}.coding_scheme", f"is convert_to_coding_scheme {scheme}")


def translate_vocabulary(work: Translation) -> None:
    """A saved vocabulary is a type of its own."""
    vocabulary = section(work.config, "vocabulary")
    if "type" in vocabulary or not {"directory_path", "extend"} & vocabulary.keys():
        return
    folder, extend = vocabulary.pop("directory_path", None), vocabulary.pop("extend", False)
    if folder is None:
        if extend:
            refuse("vocabulary.extend", "must come with directory_path", extend, "name the vocabulary to extend")
        work.note("vocabulary.extend", "left out, there is nothing to extend")
        return
    vocabulary["type"] = "extend" if extend else "from_files"
    vocabulary["directory"] = folder
    work.note("vocabulary", f"directory_path is directory of the type {vocabulary['type']}")


def _described(loader: Config) -> str:
    parts = []
    for key, value in loader.items():
        inner = ", ".join(f"{name} {part}" for name, part in value.items()) if isinstance(value, dict) else value
        parts.append(f"{key} ({inner})" if isinstance(value, dict) else f"{key} {inner}")
    return ", ".join(parts)
