"""Small networks with random parameters, and random input for them."""

import torch
from hypothesis import strategies as st
from torch import Tensor

from pytorch_elmo.model import BiLM, BiLMConfig, CharacterEncoderConfig, LstmConfig
from pytorch_elmo.text.characters import character_row


def bilm_config(
    *,
    filters: tuple[tuple[int, int], ...] = ((1, 3), (2, 4)),
    num_highway_layers: int = 1,
    activation: str = "relu",
    num_lstm_layers: int = 2,
    cell_size: int = 6,
    projection_size: int = 4,
    cell_clip: float | None = 1.0,
    projection_clip: float | None = 0.5,
    use_skip_connections: bool = True,
) -> BiLMConfig:
    encoder = CharacterEncoderConfig(
        filters=filters,
        character_embedding_size=3,
        num_highway_layers=num_highway_layers,
        projection_size=projection_size,
        activation=activation,
    )
    lstm = LstmConfig(
        num_lstm_layers=num_lstm_layers,
        cell_size=cell_size,
        projection_size=projection_size,
        cell_clip=cell_clip,
        projection_clip=projection_clip,
        use_skip_connections=use_skip_connections,
    )
    return BiLMConfig(character_encoder=encoder, lstm=lstm)


CONFIGS = st.builds(
    bilm_config,
    filters=st.lists(st.tuples(st.integers(1, 7), st.integers(1, 4)), min_size=1, max_size=3).map(tuple),
    num_highway_layers=st.integers(0, 2),
    activation=st.sampled_from(["relu", "tanh"]),
    num_lstm_layers=st.integers(1, 3),
    cell_size=st.integers(1, 5),
    projection_size=st.integers(1, 4),
    cell_clip=st.sampled_from([None, 0.0, 0.3]),
    projection_clip=st.sampled_from([None, 0.0, 0.2]),
    use_skip_connections=st.booleans(),
)


def random_bilm(config: BiLMConfig, seed: int = 0, dtype: torch.dtype = torch.float64) -> BiLM:
    """Parameters large enough that clips and saturation happen; the padding character's row stays zero."""
    bilm = BiLM(config).to(dtype)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in bilm.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=dtype) * 0.7)
        bilm.character_encoder._char_embedding_weights[0] = 0.0
    return bilm


def random_ids(lengths: list[int], seed: int = 0) -> Tensor:
    """Character ids of sentences with the given numbers of random words, (batch_size, num_tokens, 50)."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.zeros(len(lengths), max(lengths, default=0), 50, dtype=torch.int64)
    for row, length in enumerate(lengths):
        ids[row, :length] = random_words(length, generator)
    return ids


def random_words(count: int, generator: torch.Generator) -> Tensor:
    """Character ids (count, 50) of words of 0 to 48 bytes."""
    rows = []
    for size in torch.randint(0, 49, (count,), generator=generator).tolist():
        rows.append(character_row(torch.randint(1, 257, (size,), generator=generator).tolist()))
    return torch.tensor(rows, dtype=torch.int64).reshape(count, 50)
