"""All sequences of a batch at once have AllenNLP's tags and scores, bit for bit."""

import inspect

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("allennlp")

from allennlp.modules import ConditionalRandomField
from allennlp.modules.conditional_random_field import ConditionalRandomFieldWeightTrans, allowed_transitions

from pytorch_elmo.allennlp_plugin import viterbi

ORIGINAL = inspect.unwrap(ConditionalRandomField.viterbi_tags)
BIO = {0: "O", 1: "B-DRUG", 2: "I-DRUG", 3: "B-GENE", 4: "I-GENE"}


def field(seed: int, constrained: bool, ends: bool) -> ConditionalRandomField:
    torch.manual_seed(seed)
    constraints = allowed_transitions("BIO", BIO) if constrained else None
    crf = ConditionalRandomField(len(BIO), constraints, include_start_end_transitions=ends)
    for parameter in crf.parameters():
        torch.nn.init.normal_(parameter)
    return crf


def test_what_is_compared_is_not_the_same():
    assert ORIGINAL is not ConditionalRandomField.viterbi_tags


@given(
    seed=st.integers(0, 1000),
    masks=st.lists(st.lists(st.booleans(), min_size=7, max_size=7), min_size=1, max_size=5),
    constrained=st.booleans(),
    ends=st.booleans(),
    top_k=st.sampled_from([None, 1]),
    levels=st.sampled_from([0.0, 1.0, 1e5]),  # all equal; as usual; beyond what a forbidden transition costs
)
@settings(deadline=None, max_examples=150)
def test_tags_and_scores_are_allennlps(seed, masks, constrained, ends, top_k, levels):
    crf, mask = field(seed, constrained, ends), torch.tensor(masks)
    logits = torch.randn(len(masks), 7, len(BIO)) * levels
    assert crf.viterbi_tags(logits, mask, top_k) == ORIGINAL(crf, logits, mask, top_k)


def test_equal_scores_give_the_tags_that_allennlp_takes():
    crf = ConditionalRandomField(40)
    for parameter in crf.parameters():
        torch.nn.init.zeros_(parameter)
    logits = torch.randint(0, 2, (8, 20, 40)).float()
    assert crf.viterbi_tags(logits) == ORIGINAL(crf, logits)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_logits_of_another_precision(dtype):
    crf, logits = field(0, True, True), torch.randn(3, 6, len(BIO)).to(dtype)
    assert crf.viterbi_tags(logits) == ORIGINAL(crf, logits)


def test_one_token_and_no_token():
    crf, logits = field(0, True, True), torch.randn(2, 1, len(BIO))
    mask = torch.tensor([[True], [False]])
    tags = [found for found, _ in crf.viterbi_tags(logits, mask)]
    assert crf.viterbi_tags(logits, mask) == ORIGINAL(crf, logits, mask)
    assert [len(path) for path in tags] == [1, 0]


def test_several_paths_are_left_to_allennlp(monkeypatch):
    monkeypatch.setattr(viterbi, "decode", None)
    crf, logits = field(0, True, True), torch.randn(2, 4, len(BIO))
    assert crf.viterbi_tags(logits, top_k=3) == ORIGINAL(crf, logits, top_k=3)


def test_its_kinds_inherit_it():
    torch.manual_seed(0)
    crf = ConditionalRandomFieldWeightTrans(len(BIO), [1.0, 2.0, 3.0, 4.0, 5.0])
    logits = torch.randn(3, 6, len(BIO))
    assert crf.viterbi_tags(logits) == ORIGINAL(crf, logits)
