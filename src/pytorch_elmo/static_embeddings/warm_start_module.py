"""A module's embedding for another vocabulary, with the optimizer's memory of the words that were known."""

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from torch import Tensor, nn
from torch.optim import Optimizer

from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.static_embeddings.initial_rows import Initializer
from pytorch_elmo.static_embeddings.warm_start_matrix import Words, kept_rows, warmstart_embedding_matrix, words_of

Table = nn.Embedding | nn.EmbeddingBag

# What does not begin with zeros: an optimizer's states (Adagrad's, Rprop's) and the settings that they begin with.
_FIRST_VALUES = {"sum": "initial_accumulator_value", "step_size": "lr"}


def warm_start(
    module: nn.Module,
    old_vocabulary: Words,
    new_vocabulary: Words,
    *,
    embedding: str | None = None,
    optimizer: Optimizer | None = None,
    initializer: Initializer = "uniform",
) -> Table:
    """Give a module's embedding the rows of another vocabulary, and an optimizer's memory of them, in place.

    Words of the old vocabulary keep their row and what the optimizer knows of it (momentum, moments), so that
    training goes on as if it had not stopped; other words begin with an initial row and what the optimizer begins
    with, zeros as a rule. The embedding is the same object with a new `weight`, as large as the new vocabulary; its
    gradient is dropped, so call this between two steps. The row of `padding_idx` becomes that of the same word.

    Args:
        module: holds the embedding, or is it.
        old_vocabulary: the words of the embedding's rows, each once, as for `warmstart_embedding_matrix`.
        new_vocabulary: the words of the new rows, each once.
        embedding: the path of the `nn.Embedding` or `nn.EmbeddingBag`, as `named_modules` gives it; None: the only
            one.
        optimizer: whose parameters and state follow; None: training begins with a new one.
        initializer: as for `warmstart_embedding_matrix`; a matrix must have the shape of the new weight.

    Returns:
        The embedding.

    Raises:
        ConfigurationError: the module has no such embedding, or shares its weight; a vocabulary does not fit the
            rows or holds a word twice; the word of the padding is not kept; the optimizer does not train the
            embedding. Nothing is changed then. And as for `warmstart_embedding_matrix`.
    """
    table = _table_of(module, embedding)
    old_words, new_words = words_of(old_vocabulary), words_of(new_vocabulary)
    weight, shape = table.weight, (len(new_words), table.embedding_dim)
    _check_words(old_words, new_words, weight)
    if isinstance(initializer, np.ndarray | Tensor) and initializer.ndim and tuple(initializer.shape) != shape:
        raise ConfigurationError(
            f"the initial matrix must have the shape {shape} of the new weight, got {tuple(initializer.shape)}; give "
            "a row for each word of the new vocabulary"
        )
    padding = _padding(table, old_words, new_words)
    matrix = warmstart_embedding_matrix(old_words, new_words, weight, initializer)
    new_weight = nn.Parameter(matrix, requires_grad=weight.requires_grad)
    if optimizer is not None:
        rows = [rows.to(weight.device) for rows in kept_rows(old_words, new_words)]
        _follow(optimizer, weight, new_weight, rows)
    table.weight, table.num_embeddings, table.padding_idx = new_weight, len(new_words), padding
    return table


def _table_of(module: nn.Module, path: str | None) -> Table:
    """The embedding at a path, or the only one, whose weight nothing else uses."""
    modules = dict(module.named_modules())
    tables = {name: layer for name, layer in modules.items() if isinstance(layer, Table)}
    names = ", ".join(repr(name) for name in tables) or "none"
    if path is None and len(tables) != 1:
        raise ConfigurationError(f"embedding must name one of the module's embeddings ({names}), got None; name it")
    if path is not None and path not in tables:
        raise ConfigurationError(f"embedding must name one of the module's embeddings ({names}), got {path!r}")
    table = next(iter(tables.values())) if path is None else tables[path]
    for name, layer in modules.items():
        if layer is not table and any(own is table.weight for own in layer.parameters(recurse=False)):
            raise ConfigurationError(
                f"the embedding's weight must be its own, {name!r} has the same one; separate them, and tie them anew"
            )
    return table


def _check_words(old_words: Sequence[Hashable], new_words: Sequence[Hashable], weight: Tensor) -> None:
    if len(old_words) != len(weight):
        raise ConfigurationError(
            f"the old vocabulary must have a word for each of the {len(weight)} rows, got {len(old_words)}; give the "
            "one that the embedding was trained with"
        )
    for which, words in (("old", old_words), ("new", new_words)):
        if repeated := [word for word, count in Counter(words).items() if count > 1]:
            raise ConfigurationError(
                f"the {which} vocabulary must hold a word once, got {repeated[:3]} repeated; remove those"
            )


def _padding(table: Table, old_words: Sequence[Hashable], new_words: Sequence[Hashable]) -> int | None:
    """The new row of the word whose row is the padding."""
    if table.padding_idx is None:
        return None
    word = old_words[table.padding_idx]
    if word not in new_words:
        raise ConfigurationError(
            f"the new vocabulary must hold {word!r}, whose row is the padding, and does not; add it"
        )
    return new_words.index(word)


def _follow(optimizer: Optimizer, weight: Tensor, new_weight: nn.Parameter, rows: Sequence[Tensor]) -> None:
    """Let an optimizer train the new weight, with the state of the kept rows (old rows, new rows)."""
    places = [
        (group, place)
        for group in optimizer.param_groups
        for place, parameter in enumerate(group["params"])
        if parameter is weight
    ]
    if not places and weight.requires_grad:
        raise ConfigurationError(
            "the optimizer must train the embedding's weight, it does not hold it; make it from the module's "
            "parameters, or leave it out"
        )
    settings: dict[str, Any] = {}
    for settings, place in places:
        settings["params"][place] = new_weight
    old_rows, new_rows = rows
    state = optimizer.state.pop(weight, {})
    for name, value in state.items():
        if isinstance(value, Tensor) and value.dim() == weight.dim() and len(value) == len(weight):
            first = settings.get(_FIRST_VALUES.get(name, ""), 0.0)
            carried = value.new_full((len(new_weight), *value.shape[1:]), float(first))
            carried[new_rows] = value[old_rows]
            state[name] = carried
    if state:
        optimizer.state[new_weight] = state
