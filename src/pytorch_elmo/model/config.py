"""The shape of a biLM."""

from dataclasses import dataclass
from typing import Literal

from pytorch_elmo.errors import ConfigurationError

Activation = Literal["relu", "tanh"]


@dataclass(frozen=True, kw_only=True)
class CharacterEncoderConfig:
    """Characters to a token vector (Peters et al. 2018, section 3.4; Kim et al. 2015).

    `filters` are (width in characters, number of filters) pairs; the sum of the numbers is the width of the
    highway layers. `character_vocabulary_size` counts the row of zeros for padded positions (262).
    """

    filters: tuple[tuple[int, int], ...]
    character_embedding_size: int
    num_highway_layers: int
    projection_size: int
    activation: Activation = "relu"
    character_vocabulary_size: int = 262
    num_characters: int = 50

    def __post_init__(self) -> None:
        """Refuse shapes that no convolution has."""
        if not self.filters:
            raise ConfigurationError("char_cnn.filters needs at least one [width, number] pair, got none")
        for width, number in self.filters:
            if not 1 <= width <= self.num_characters or number < 1:
                raise ConfigurationError(
                    f"a filter is [width 1 to {self.num_characters}, number from 1], got [{width}, {number}]"
                )
        if self.activation not in ("relu", "tanh"):
            raise ConfigurationError(f"char_cnn.activation is relu or tanh, got {self.activation!r}")

    @property
    def num_filters(self) -> int:
        """Width of the concatenated filter outputs."""
        return sum(number for _, number in self.filters)


@dataclass(frozen=True, kw_only=True)
class LstmConfig:
    """One direction's stack of projected LSTM layers; a clip of None (or 0) means no clipping."""

    num_lstm_layers: int
    cell_size: int
    projection_size: int
    cell_clip: float | None = None
    projection_clip: float | None = None
    use_skip_connections: bool = True

    def __post_init__(self) -> None:
        """Refuse sizes below one and clips below zero."""
        for name in ("num_lstm_layers", "cell_size", "projection_size"):
            if getattr(self, name) < 1:
                raise ConfigurationError(f"{name} is at least 1, got {getattr(self, name)}")
        for name in ("cell_clip", "projection_clip"):
            if (getattr(self, name) or 0) < 0:
                raise ConfigurationError(f"{name} is positive, or null for no clipping, got {getattr(self, name)}")


@dataclass(frozen=True, kw_only=True)
class BiLMConfig:
    """A whole biLM: one character encoder, and a stack of LSTM layers in each direction."""

    character_encoder: CharacterEncoderConfig
    lstm: LstmConfig

    @property
    def num_layers(self) -> int:
        """Layers of the result: the token vectors and every LSTM layer."""
        return self.lstm.num_lstm_layers + 1

    @property
    def dim(self) -> int:
        """Size of a vector: both directions side by side."""
        return 2 * self.lstm.projection_size
