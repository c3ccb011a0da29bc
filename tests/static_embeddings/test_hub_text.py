"""What a graph must be, so that its vectors are known; all else is refused by name."""

import numpy as np
import pytest
import torch

from damage import refusal, with_a_changed_bit
from pytorch_elmo import TextEmbedding
from pytorch_elmo.errors import TextError, WeightsError
from slow_saved_model import FIND, GATHER, KEY, TABLE, buckets, meta_graph, split, text_nodes, write_saved_model

NUMBERS = np.array([[1, 2], [3, 4], [5, 6]], dtype=np.float32)
POOL = ("pool", "SparseSegmentSqrtN", ["gather", "find"], {})
REPLACE = ("clean", "StaticRegexReplace", ["sentences"], {"pattern": r"\pP", "rewrite": ""})


def model(tmp_path, nodes, **how):
    return write_saved_model(tmp_path / "model", nodes, **({"tensors": {KEY: NUMBERS}} | how))


def embed(folder, *sentences):
    return TextEmbedding.from_saved_model(folder)(sentences).tolist()


@pytest.mark.parametrize(
    ("combiner", "divisor"), [("SparseSegmentSqrtN", 2**0.5), ("SparseSegmentMean", 2), ("SparseSegmentSum", 1)]
)
def test_combiners(tmp_path, combiner, divisor):
    folder = model(tmp_path, text_nodes(combiner=combiner))
    assert embed(folder, "the of")[0] == pytest.approx([4 / divisor, 6 / divisor])


@pytest.mark.parametrize("old", [False, True])
def test_what_graphs_say(tmp_path, old):
    nodes = [REPLACE, *split("StringSplit" if old else "StringSplitV2"), *buckets(1), FIND, GATHER, TABLE, POOL]
    folder = model(tmp_path, nodes, old=old, tensors={"embeddings" if old else KEY: NUMBERS})
    embedding = TextEmbedding.from_saved_model(folder, trainable=False)
    assert embedding.vocabulary == ["the", "of"]
    assert embedding.settings.remove_punctuation
    assert embedding.settings.keep_empty_tokens != old
    assert not embedding.embedding_matrix.requires_grad
    assert embedding(["(the)", "x"]).tolist() == [[1, 2], [5, 6]]


def test_no_bucket_and_no_punctuation(tmp_path):
    folder = model(tmp_path, text_nodes(num_buckets=0), tensors={KEY: NUMBERS[:2]})
    assert embed(folder, "the!", "of") == [[0, 0], [3, 4]]


def test_tokens_in(tmp_path):
    folder = model(tmp_path, [FIND, *buckets(1), GATHER, TABLE], tokens="the cat\nof\n")
    assert embed(folder, "the cat", "the") == [[1, 2], [5, 6]]


def test_parts_in_their_order(tmp_path):
    nodes = [*text_nodes(num_buckets=9), ("less", "Less", [], {})]
    numbers = np.arange(22, dtype=np.float64).reshape(11, 2)
    parts = {f"embeddings/{number}/.ATTRIBUTES/VARIABLE_VALUE": numbers[number : number + 1] for number in range(11)}
    embedding = TextEmbedding.from_saved_model(model(tmp_path, nodes, tensors=parts))
    assert torch.equal(embedding.embedding_matrix, torch.from_numpy(numbers))


@pytest.mark.parametrize(
    "op",
    ["StringLower", "RegexReplace", "UnicodeTranscode", "StringStrip", "StringNGrams", "SentencepieceTokenizeOp",
     "CaseFoldUTF8", "StringToHashBucketStrong", "LookupTableImportV2", "SparseSegmentMeanWithNumSegments",
     "StringJoin", "Substr", "UnsortedSegmentJoin"],
)  # fmt: skip
def test_ops_that_are_not_known(tmp_path, op):
    folder = model(tmp_path, [*text_nodes(), ("step", op, ["sentences"], {})])
    message = rf"model: the graph has the op {op}, which is not known; only text embeddings as TensorFlow's hub expo"
    with pytest.raises(WeightsError, match=message):
        TextEmbedding.from_saved_model(folder)


def test_what_saves_and_restores_is_passed_over(tmp_path):
    """In a function of its own in TF2, under a name of its own before."""
    saving = [("save/join", "StringJoin", [], {}), ("save/name", "ShardedFilename", [], {})]
    old = model(tmp_path / "old", [*text_nodes(), *saving], old=True, tensors={"embeddings": NUMBERS})
    new = model(tmp_path / "new", [], graphs=[meta_graph(text_nodes(), others={"save": saving})])
    for folder in (old, new):
        assert embed(folder, "the") == [[1, 2]]


@pytest.mark.parametrize(
    ("nodes", "reason"),
    [
        ([*split(delimiter=b","), *buckets(1), FIND, GATHER, TABLE, POOL], r"must split at the space, it splits at"),
        ([*split(maxsplit=2), *buckets(1), FIND, GATHER, TABLE, POOL], r"must split everywhere, its maxsplit is 2"),
        ([*split("StringSplit", skip_empty=False), FIND, TABLE, POOL], r"must drop empty tokens, its skip_empty is"),
        ([split()[1], *buckets(1), FIND, GATHER, TABLE, POOL], r"must split at the space, it splits at \[\]"),
        ([*split(), *buckets(1), FIND, GATHER, TABLE], r"split and pool in one way, or do neither, .* \['StringSpl"),
        ([*buckets(1), FIND, GATHER, TABLE, POOL], r"must split and pool in one way, .* \['SparseSegmentSqrtN'\]"),
        ([*text_nodes(), ("mean", "SparseSegmentMean", [], {})], r"split and pool in one way, .*'SparseSegmentMean'"),
        ([*text_nodes(), ("old", "StringSplit", [], {})], r"must split and pool in one way, .*'StringSplit'"),
        ([*text_nodes(), *buckets(3)], r"StringToHashBucketFast must have one number of buckets, got \[1, 3\]"),
        ([*text_nodes(num_buckets=-1)], r"StringToHashBucketFast must have one number of buckets, got \[-1\]"),
        (
            [*text_nodes(), ("clean", "StaticRegexReplace", [], {"pattern": "[0-9]", "rewrite": "#"})],
            r"StaticRegexReplace must delete \\pP, it puts '#' for '\[0-9\]'",
        ),
        (
            [*text_nodes(), ("clean", "StaticRegexReplace", [], {"pattern": r"\pP", "replace_global": False})],
            r"StaticRegexReplace must delete \\pP, it puts '' for",
        ),
        ([*text_nodes()[:-2], POOL], r"one vocabulary must be read from one asset, 0 Initialize\w+ read 1"),
        (
            [*text_nodes()[:-2], ("start", TABLE[1], [], {"key_index": 0, "value_index": 1}), POOL],
            r"must map whole lines to their numbers, it maps \(0, 1\)",
        ),
    ],
)  # fmt: skip
def test_graphs_that_do_something_else(tmp_path, nodes, reason):
    with pytest.raises(
        WeightsError, match=rf"model: .*{reason}.*; only text embeddings as TensorFlow's hub exported"
    ):
        TextEmbedding.from_saved_model(model(tmp_path, nodes))


def test_assets(tmp_path):
    with pytest.raises(
        WeightsError, match=r"one vocabulary must be read from one asset, 1 Initialize\w+ read 0; only"
    ):
        TextEmbedding.from_saved_model(model(tmp_path, text_nodes(), asset=None))


@pytest.mark.parametrize("tags", [[("train",)], [(), ("serve",)], [("serve", "gpu")]])
def test_graphs_for_use(tmp_path, tags):
    graphs = [meta_graph(text_nodes(), tags=one) for one in tags]
    with pytest.raises(WeightsError, match=r"model: one graph must be for use, tagged serve or not at all, got \[\["):
        TextEmbedding.from_saved_model(model(tmp_path, [], graphs=graphs))


def test_a_second_graph_for_training(tmp_path):
    graphs = [meta_graph(text_nodes(), tags=()), meta_graph([], tags=("train",), asset=None)]
    assert embed(model(tmp_path, [], graphs=graphs), "of") == [[3, 4]]


@pytest.mark.parametrize(
    ("tensors", "reason"),
    [
        ({}, r"the model must have one table, its variables are none"),
        (
            {KEY: NUMBERS, "other/.ATTRIBUTES/VARIABLE_VALUE": NUMBERS},
            r"have one table, its variables are embeddings, other",
        ),
        ({KEY: NUMBERS.astype(np.int32)}, r"must be float32 or float64 of two axes, not empty, it is int32 \(3, 2\)"),
        (
            {KEY: NUMBERS.astype(np.float16)},
            r"must be float32 or float64 of two axes, not empty, it is float16 \(3, 2\)",
        ),
        (
            {KEY: np.array([b"a"], dtype=object)},
            r"must be float32 or float64 of two axes, not empty, it is string \(1,\)",
        ),
        ({KEY: NUMBERS[:, :0]}, r"must be float32 or float64 of two axes, not empty, it is float32 \(3, 0\)"),
        ({KEY: NUMBERS[0]}, r"must be float32 or float64 of two axes, not empty, it is float32 \(2,\)"),
        ({KEY: NUMBERS[:2]}, r"must have a row for each of 2 tokens and 1 buckets, 3, it has 2"),
        ({KEY: np.tile(NUMBERS, (2, 1))}, r"must have a row for each of 2 tokens and 1 buckets, 3, it has 6"),
        ({KEY: NUMBERS * np.float32(np.inf)}, r"the table must be finite numbers, it holds NaN or infinity"),
        ({"e/1/.ATTRIBUTES/VARIABLE_VALUE": NUMBERS}, r"parts of the table must be numbered from 0, they are \[1\]"),
        (
            {"e/0/.ATTRIBUTES/VARIABLE_VALUE": NUMBERS[:2], "e/1/.ATTRIBUTES/VARIABLE_VALUE": NUMBERS[2:, :1]},
            r"must have one dtype and dimension, e/0/.*, e/1/.* have not",
        ),
    ],
)
def test_variables_that_are_no_table(tmp_path, tensors, reason):
    with pytest.raises(WeightsError, match=rf"model: .*{reason}; fetch the model anew, or read another"):
        TextEmbedding.from_saved_model(model(tmp_path, [*text_nodes(), ("less", "Less", [], {})], tensors=tensors))


def test_rows_that_are_dealt_out(tmp_path):
    tensors = {f"e/{part}/.ATTRIBUTES/VARIABLE_VALUE": NUMBERS for part in range(2)}
    with pytest.raises(
        WeightsError, match=r"a table in parts must be divided in order, this one is dealt out row by r"
    ):
        TextEmbedding.from_saved_model(model(tmp_path, text_nodes(), tensors=tensors))


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ("the\n\nof\n", r"tokens\.txt: a token must not be blank, line 2 is; remove the line"),
        ("the\nof\nthe\n", r"tokens\.txt: a token must stand once, 'the' is on the lines 1 and 3"),
        ("", r"tokens\.txt: a token must not be blank|a vocabulary must have a token"),
    ],
)
def test_vocabularies_that_no_table_takes(tmp_path, tokens, message):
    with pytest.raises(TextError, match=message):
        TextEmbedding.from_saved_model(model(tmp_path, text_nodes(), tokens=tokens))


def test_a_vocabulary_that_is_not_there(tmp_path):
    with pytest.raises(WeightsError, match=r"its asset 'tokens\.txt' is not in its folder assets; fetch it anew"):
        TextEmbedding.from_saved_model(model(tmp_path, text_nodes(), tokens=None))


def test_variables_that_are_damaged(tmp_path):
    folder = model(tmp_path, text_nodes())
    index, data = (folder / "variables" / f"variables.{name}" for name in ("index", "data-00000-of-00001"))
    whole, content = index.read_bytes(), data.read_bytes()
    index.write_bytes(whole[:-1])
    with pytest.raises(WeightsError, match=r"variables\.index: it does not end as a table does: it is cut off, or"):
        TextEmbedding.from_saved_model(folder)
    index.write_bytes(whole)
    for damaged in with_a_changed_bit(content, 20):
        data.write_bytes(damaged)
        message = refusal(TextEmbedding.from_saved_model, folder)
        assert message.endswith("its check sum is wrong; fetch the checkpoint anew")
    data.unlink()
    with pytest.raises(
        WeightsError, match=r"cannot read it: No such file or directory; all files of a checkpoint go"
    ):
        TextEmbedding.from_saved_model(folder)
    index.unlink()
    with pytest.raises(
        WeightsError, match=r"must hold variables/variables\.index and its data files, .* does not; copy"
    ):
        TextEmbedding.from_saved_model(folder)
