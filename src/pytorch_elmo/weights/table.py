"""One table of names, shapes and orders: which dataset of a weight file is which parameter of the network.

Reading, writing and checking all walk these rows. A row's two functions are each other's inverse bit for bit:
they only move numbers and change signs.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytorch_elmo.model import BiLMConfig

Array = NDArray[np.float32]
Shape = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class WeightRule:
    """A block of one dataset of the file, and the block of one parameter that holds the same numbers.

    `decode` turns `dataset[part]` into `parameter[place]`, `encode` turns it back; an empty index is the whole.
    """

    dataset: str
    shape: Shape
    parameter: str
    decode: Callable[[Array], Array]
    encode: Callable[[Array], Array]
    part: tuple[slice, ...] = ()
    place: tuple[slice, ...] = ()


def weight_rules(config: BiLMConfig) -> list[WeightRule]:
    """The rows for one architecture, in the order of AllenNLP's files (elmo-spec 2.2)."""
    return [*_character_rules(config), *_lstm_rules(config)]


# What bilm-tf's own export does to TensorFlow's names, backwards (elmo-spec 7.8).
_WORDS_OF_CHECKPOINTS = (
    ("/RNN/", "/rnn/"),
    ("/MultiRNNCell/Cell", "/multi_rnn_cell/cell_"),
    ("/LSTMCell/W_0", "/lstm_cell/kernel"),
    ("/LSTMCell/B", "/lstm_cell/bias"),
    ("/LSTMCell/W_P_0", "/lstm_cell/projection/kernel"),
)


def checkpoint_variable(dataset: str, config: BiLMConfig) -> str:
    """The variable of a bilm-tf checkpoint that holds a dataset of the weight file, number for number."""
    for ours, theirs in _WORDS_OF_CHECKPOINTS:
        dataset = dataset.replace(ours, theirs)
    if config.lstm.num_lstm_layers == 1:  # TensorFlow then makes no stack of cells (elmo-spec 2.3)
        dataset = dataset.replace("multi_rnn_cell/cell_0/", "")
    return f"lm/{dataset}"


def softmax_rules(vocabulary_size: int, projection_size: int) -> list[WeightRule]:
    """The rows of the output layer, which stands in a file of its own (elmo-spec 6)."""
    return [
        _plain("softmax/W", (vocabulary_size, projection_size), "weight"),
        _plain("softmax/b", (vocabulary_size,), "bias"),
    ]


def _same(array: Array) -> Array:
    return array


def _transpose(array: Array) -> Array:
    return array.T


def _negate(array: Array) -> Array:
    return -array


def _negate_transpose(array: Array) -> Array:
    return -array.T


def _convolution_in(array: Array) -> Array:
    """(1, width, channels, filters) to (filters, channels, width)."""
    filters: Array = array[0].transpose(2, 1, 0)
    return filters


def _convolution_out(array: Array) -> Array:
    return array.transpose(2, 1, 0)[None]


def _swap_gates(array: Array) -> Array:
    """Input, candidate, forget, output along the first axis, as in the file, to input, forget, candidate, output.

    The same exchange of the two middle blocks leads back.
    """
    first, second, third, fourth = np.split(array, 4)
    return np.concatenate([first, third, second, fourth])


def _gates_in(array: Array) -> Array:
    return _swap_gates(array.T)


def _gates_out(array: Array) -> Array:
    return _swap_gates(array).T


def _character_rules(config: BiLMConfig) -> Iterator[WeightRule]:
    encoder, prefix = config.character_encoder, "_token_embedder."
    channels, size = encoder.character_embedding_size, encoder.num_filters
    yield WeightRule(  # the file has no row for padded positions; the network's first row stays zero
        dataset="char_embed",
        shape=(encoder.character_vocabulary_size - 1, channels),
        parameter=prefix + "_char_embedding_weights",
        decode=_same,
        encode=_same,
        place=(slice(1, None),),
    )
    for index, (width, number) in enumerate(encoder.filters):
        convolution = f"{prefix}char_conv_{index}."
        yield WeightRule(
            dataset=f"CNN/W_cnn_{index}",
            shape=(1, width, channels, number),
            parameter=convolution + "weight",
            decode=_convolution_in,
            encode=_convolution_out,
        )
        yield _plain(f"CNN/b_cnn_{index}", (number,), convolution + "bias")
    for index in range(encoder.num_highway_layers):
        yield from _highway_rules(f"CNN_high_{index}", f"{prefix}_highways._layers.{index}.", size)
    yield WeightRule(
        dataset="CNN_proj/W_proj",
        shape=(size, encoder.projection_size),
        parameter=prefix + "_projection.weight",
        decode=_transpose,
        encode=_transpose,
    )
    yield _plain("CNN_proj/b_proj", (encoder.projection_size,), prefix + "_projection.bias")


def _plain(dataset: str, shape: Shape, parameter: str) -> WeightRule:
    return WeightRule(dataset=dataset, shape=shape, parameter=parameter, decode=_same, encode=_same)


def _highway_rules(folder: str, prefix: str, size: int) -> Iterator[WeightRule]:
    """The file's `carry` gate weighs the transformed value; AllenNLP's gate weighs the carried one: minus."""
    transform, gate = (slice(0, size),), (slice(size, 2 * size),)
    yield WeightRule(
        dataset=f"{folder}/W_carry",
        shape=(size, size),
        parameter=prefix + "weight",
        decode=_negate_transpose,
        encode=_negate_transpose,
        place=gate,
    )
    yield WeightRule(
        dataset=f"{folder}/b_carry",
        shape=(size,),
        parameter=prefix + "bias",
        decode=_negate,
        encode=_negate,
        place=gate,
    )
    yield WeightRule(
        dataset=f"{folder}/W_transform",
        shape=(size, size),
        parameter=prefix + "weight",
        decode=_transpose,
        encode=_transpose,
        place=transform,
    )
    yield WeightRule(
        dataset=f"{folder}/b_transform",
        shape=(size,),
        parameter=prefix + "bias",
        decode=_same,
        encode=_same,
        place=transform,
    )


def _lstm_rules(config: BiLMConfig) -> Iterator[WeightRule]:
    """`W_0` holds the rows for the input first, then those for the recurrent vector."""
    size, cell_size = config.lstm.projection_size, config.lstm.cell_size
    for direction, name in enumerate(("forward", "backward")):
        for layer in range(config.lstm.num_lstm_layers):
            cell = f"RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell/"
            prefix = f"_elmo_lstm.{name}_layer_{layer}."
            for half, parameter in enumerate(("input_linearity.weight", "state_linearity.weight")):
                yield WeightRule(
                    dataset=cell + "W_0",
                    shape=(2 * size, 4 * cell_size),
                    parameter=prefix + parameter,
                    decode=_gates_in,
                    encode=_gates_out,
                    part=(slice(half * size, (half + 1) * size),),
                )
            yield WeightRule(
                dataset=cell + "B",
                shape=(4 * cell_size,),
                parameter=prefix + "state_linearity.bias",
                decode=_swap_gates,
                encode=_swap_gates,
            )
            yield WeightRule(
                dataset=cell + "W_P_0",
                shape=(cell_size, size),
                parameter=prefix + "state_projection.weight",
                decode=_transpose,
                encode=_transpose,
            )
