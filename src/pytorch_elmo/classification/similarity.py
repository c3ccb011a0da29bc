"""How near vectors are to one another, as the tutorial on CORD-19 shows it."""

from torch import Tensor


def inner_products_over_the_largest(vectors: Tensor) -> Tensor:
    """Inner products of all pairs, divided by the largest of them; no cosines: the diagonal is not all 1.

    Args:
        vectors: (num_vectors, dim) float.

    Returns:
        (num_vectors, num_vectors) float, at most 1; values may be negative.
    """
    products = vectors @ vectors.T
    return products / products.max()
