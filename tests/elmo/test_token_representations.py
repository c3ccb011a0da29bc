"""ELMo and word vectors side by side."""

import pytest
import torch
from torch import nn

from pytorch_elmo import batch_to_ids
from pytorch_elmo.elmo import Elmo
from pytorch_elmo.elmo.token_representations import TokenRepresentations
from pytorch_elmo.errors import ConfigurationError, TextError
from pytorch_elmo.model.mask import token_mask
from pytorch_elmo.static_embeddings import WordVectors

SENTENCES = [["a", "b", "c"], [], ["b", "zebra"]]


class FirstCharacters(nn.Module):
    """A stand-in for `Elmo`: a token's first character ids, 7 where padded, with `num_extra` positions."""

    def __init__(self, num_extra=0):
        super().__init__()
        self.num_extra = num_extra

    def get_output_dim(self):
        return 3

    def forward(self, character_ids):
        rows = nn.functional.pad(character_ids, (0, 0, 0, self.num_extra))
        mask = token_mask(rows)
        first = rows[..., :3].float().masked_fill(~mask.unsqueeze(-1), 7.0)
        return {"elmo_representations": [first, first + 1], "mask": mask}


@pytest.fixture
def word_vectors():
    return WordVectors(["a", "b"], torch.tensor([[0.5, -0.5], [1.5, -1.5]]))


def test_each_token_has_its_representation_then_its_word_vector(word_vectors):
    module = TokenRepresentations(FirstCharacters(), word_vectors).eval()
    vectors, mask = module(SENTENCES)
    assert vectors.shape == (3, 3, module.get_output_dim()) == (3, 3, 5)
    assert mask.dtype == torch.bool
    assert mask.tolist() == [[True] * 3, [False] * 3, [True, True, False]]
    assert vectors[0, 0].tolist() == [259, ord("a") + 1, 260, 0.5, -0.5]
    assert vectors[0, 2].tolist() == [259, ord("c") + 1, 260, 0, 0]
    assert vectors[2, 0].tolist() == [259, ord("b") + 1, 260, 1.5, -1.5]
    assert vectors[2, 1].tolist() == [259, ord("z") + 1, ord("e") + 1, 0, 0]
    assert not vectors[~mask].any()


def test_ids_stand_for_their_sentences(word_vectors):
    module = TokenRepresentations(FirstCharacters(), word_vectors).eval()
    character_ids, word_ids = module.sentences_to_ids(SENTENCES)
    assert torch.equal(character_ids, batch_to_ids(SENTENCES))
    assert torch.equal(word_ids, word_vectors.words_to_ids(SENTENCES))
    for ours, expected in zip(module((character_ids, word_ids)), module(SENTENCES), strict=True):
        assert torch.equal(ours, expected)
    pair = (["a"], ["b", "c"])  # two sentences in a tuple are not two tensors
    assert torch.equal(module(pair)[0], module(list(pair))[0])


def test_dropout_takes_from_both_halves_in_training_alone(word_vectors):
    module = TokenRepresentations(FirstCharacters(), word_vectors, dropout=0.25)
    kept, _ = module.eval()([["a"] * 2000])
    torch.manual_seed(0)
    dropped, _ = module.train()([["a"] * 2000])
    assert torch.allclose(dropped[dropped != 0], (kept / 0.75)[dropped != 0])
    shares = (dropped == 0).float().mean(dim=(0, 1))
    assert shares.shape == (5,)
    assert ((shares > 0.2) & (shares < 0.3)).all()
    assert TokenRepresentations(FirstCharacters(), word_vectors).dropout.p == 0.5


def test_other_tokens_on_either_side_are_refused(word_vectors):
    boundaries = TokenRepresentations(FirstCharacters(num_extra=2), word_vectors)
    with pytest.raises(ConfigurationError, match=r"same tokens, got \(3, 5\) and \(3, 3\) .*no sentence boundaries"):
        boundaries(SENTENCES)
    module = TokenRepresentations(FirstCharacters(), word_vectors)
    other = (batch_to_ids(SENTENCES), word_vectors.words_to_ids(SENTENCES[:2]))
    with pytest.raises(ConfigurationError, match=r"same tokens, got \(3, 3\) and \(2, 3\) .*make both of one batch"):
        module(other)


def test_a_string_is_refused(word_vectors):
    module = TokenRepresentations(FirstCharacters(), word_vectors)
    with pytest.raises(TextError, match="a sentence is a list of tokens, got the string 'a b'; split it first"):
        module(["a b"])


def test_it_stands_on_a_model_from_files(small_model_folder):
    elmo = Elmo(small_model_folder / "options.json", small_model_folder / "weights.hdf5", 1, dropout=0.0)
    table = WordVectors(["a", "b"], torch.tensor([[0.5, -0.5], [1.5, -1.5]]), trainable=True)
    module = TokenRepresentations(elmo, table).eval()
    assert module.get_output_dim() == 12
    vectors, mask = module(SENTENCES)
    expected = elmo(batch_to_ids(SENTENCES))
    assert torch.equal(mask, expected["mask"])
    assert torch.equal(vectors[..., :10], expected["elmo_representations"][0])
    assert torch.equal(vectors[..., 10:], table(table.words_to_ids(SENTENCES)))

    vectors.square().sum().backward()
    learned = {name for name, parameter in module.named_parameters() if parameter.grad is not None}
    mix = {f"elmo.scalar_mix_0.scalar_parameters.{layer}" for layer in range(3)} | {"elmo.scalar_mix_0.gamma"}
    assert learned == mix | {"word_vectors.embedding_matrix"}


def test_a_batch_of_empty_sentences_keeps_its_axes(small_model_folder):
    elmo = Elmo(small_model_folder / "options.json", small_model_folder / "weights.hdf5", 1)
    module = TokenRepresentations(elmo, WordVectors(["a"], torch.ones(1, 2)))
    vectors, mask = module([[], []])
    assert vectors.shape == (2, 0, 12)
    assert mask.shape == (2, 0)
