"""`ElmoTokenEmbedder`: one representation and a projection."""

import pytest
import torch

from pytorch_elmo import batch_to_ids
from pytorch_elmo.elmo import ElmoTokenEmbedder

SENTENCES = [["the", "storm"], [], ["the", "sea", "at"]]


def test_original_outputs(assert_parity):
    assert_parity("checks.elmo.check_token_embedder")


def test_original_archives(assert_parity):
    assert_parity("checks.archives.check_archive_2")
    assert_parity("checks.archives.check_archives_0_9")


@pytest.mark.parametrize("projection_dim", [None, 0])
def test_without_a_projection_it_is_the_representation(small_model_files, make_elmo, projection_dim):
    embedder = ElmoTokenEmbedder(*small_model_files, dropout=0.0, projection_dim=projection_dim)
    ids = batch_to_ids(SENTENCES)
    assert torch.equal(embedder(ids), make_elmo()(ids)["elmo_representations"][0])
    assert embedder.get_output_dim() == 10
    assert all(name.startswith("_elmo.") for name in embedder.state_dict())


def test_the_projection_comes_last(small_model_files, make_elmo):
    embedder = ElmoTokenEmbedder(*small_model_files, dropout=0.0, projection_dim=4)
    ids = batch_to_ids(SENTENCES)
    vectors = embedder(ids)
    assert vectors.shape == (3, 3, 4)
    assert embedder.get_output_dim() == 4
    weight, bias = embedder._projection.weight, embedder._projection.bias
    expected = make_elmo()(ids)["elmo_representations"][0] @ weight.T + bias
    torch.testing.assert_close(vectors, expected)
    assert torch.equal(vectors[1], bias.expand(3, 4))


def test_arguments_reach_elmo(small_model_files):
    embedder = ElmoTokenEmbedder(
        *small_model_files,
        do_layer_norm=True,
        dropout=0.25,
        requires_grad=True,
        vocab_to_cache=["@@PADDING@@", "sea"],
        scalar_mix_parameters=[1.0, 2.0, 3.0],
        stateful=True,
    )
    elmo = embedder._elmo
    assert (elmo._dropout.p, elmo.stateful, elmo._scalar_mixes[0].do_layer_norm) == (0.25, True, True)
    assert [float(scalar) for scalar in elmo._scalar_mixes[0].scalar_parameters] == [1.0, 2.0, 3.0]
    assert elmo._elmo_lstm._token_embedder._projection.weight.requires_grad
    assert embedder(batch_to_ids([["sea"]]), torch.tensor([[1]])).shape == (1, 1, 10)


def test_four_axes(small_model_files):
    embedder = ElmoTokenEmbedder(*small_model_files, dropout=0.0, projection_dim=4)
    ids = batch_to_ids(SENTENCES)
    assert torch.equal(embedder(ids.unsqueeze(1)).squeeze(1), embedder(ids))
