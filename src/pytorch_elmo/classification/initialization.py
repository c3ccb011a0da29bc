"""First parameters as Keras draws them."""

import torch
from torch import nn

EMBEDDING_BOUND = 0.05


@torch.no_grad()
def initialize_as_keras(module: nn.Module, seed: int) -> None:
    """Draw the parameters of all `Linear` and `Embedding` layers inside `module` anew, in place.

    Kernels are glorot uniform, +-sqrt(6 / (inputs + outputs)), biases zeros, embeddings uniform within +-0.05.
    PyTorch's own first parameters differ: narrower kernels, random biases, normal embeddings.

    Args:
        module: what is to be trained; layers without gradients, such as a frozen biLM's, are left alone, and so is
            the matrix of a `TextEmbedding`, which has its own first numbers.
        seed: equal seeds give equal parameters.
    """
    generator = torch.Generator().manual_seed(seed)
    for layer in module.modules():
        if isinstance(layer, nn.Linear) and layer.weight.requires_grad:
            nn.init.xavier_uniform_(layer.weight, generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.Embedding) and layer.weight.requires_grad:
            nn.init.uniform_(layer.weight, -EMBEDDING_BOUND, EMBEDDING_BOUND, generator=generator)
