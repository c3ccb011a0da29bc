"""`ElmoEmbedder`, against AllenNLP 0.9.0."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from checks.ledger import FROM_0_9, Golden, GoldenFile
from checks.outcomes import refused
from pytorch_elmo.embedder import ElmoEmbedder

MODELS = ("fixture", "syn1", "syn2", "syn3")
Vectors = NDArray[np.float32]
Build = Callable[..., ElmoEmbedder]


def check_embedder(golden: Golden) -> None:
    """Sequences of calls, with the state carried where AllenNLP carries it and without where it has none."""
    report = golden.entries_by_model(f"{FROM_0_9}/embedder.json")
    for model in MODELS:
        file, files = golden.arrays(f"{FROM_0_9}/{model}/embedder.npz"), golden.model_files(model)

        def build(files: tuple[Any, Any] = files, **arguments: Any) -> ElmoEmbedder:
            return ElmoEmbedder(*files, **arguments)

        made = _stateful_results(golden, file, build)
        for name, results in made.items():
            _compare_all(file, name, results)
            _compare_shapes(report, f"{model}__{name}", results)
        for name, results in _stateless_results(golden, file, build).items():
            _compare_all(file, name, results)
        _compare_padded(golden, file, report, model, build())
        _compare_edges(report, f"{model}__", build())


def _stateful_results(golden: Golden, file: GoldenFile, build: Build) -> dict[str, list[Vectors]]:
    """Every sequence of calls of the golden file on an embedder that carries the state."""
    results = {
        f"batch__{batch}": build(stateful=True).embed_batch(golden.sentences(batch)) for batch in _batches(file)
    }
    first, embedder = golden.sentences("ascii")[0], build(stateful=True)
    results["sentence_twice"] = [embedder.embed_sentence(first) for _ in range(2)]
    sentences = golden.sentences("embed_sentences_list")
    for size in (1, 2, 3, 64):
        results[f"sentences_size{size}"] = list(build(stateful=True).embed_sentences(sentences, size))
    results["sentence_empty"] = [build(stateful=True).embed_sentence([])]
    embedder = build(stateful=True)
    results["empty_then_full"] = [embedder.embed_sentence(sentence) for sentence in ([], ["a", "b"])]
    return results


def _stateless_results(golden: Golden, file: GoldenFile, build: Build) -> dict[str, list[Vectors]]:
    """First calls, which are the same without a state."""
    embedder = build()
    results = {f"batch__{batch}": embedder.embed_batch(golden.sentences(batch)) for batch in _batches(file)}
    results["sentence_twice"] = [embedder.embed_sentence(golden.sentences("ascii")[0])]
    return results


def _batches(file: GoldenFile) -> list[str]:
    return list(dict.fromkeys(name.split("__")[0] for name in file.rest("batch__")))


def _compare_all(file: GoldenFile, name: str, results: Iterable[Vectors]) -> None:
    for index, vectors in enumerate(results):
        part = f"{name}__{index}"
        if vectors.shape[1]:
            file.compare(part, vectors)
        else:
            file.differs(part, "empty sentence", vectors.dtype == np.float32 and file.take(part).shape[1] == 0)


def _compare_shapes(report: GoldenFile, name: str, results: Iterable[Vectors]) -> None:
    ours = [{"shape": list(vectors.shape), "dtype": str(vectors.dtype)} for vectors in results]
    theirs = report.take(name)
    empty = [entry["shape"][1] == 0 for entry in theirs]
    if any(empty):
        same = all(mine == entry or missing for mine, entry, missing in zip(ours, theirs, empty, strict=True))
        report.differs(name, "empty sentence", same)
    else:
        report.equal(name, ours)


def _compare_padded(golden: Golden, file: GoldenFile, report: GoldenFile, model: str, embedder: ElmoEmbedder) -> None:
    """`batch_to_embeddings`: a padded batch and its mask."""
    activations, mask = embedder.batch_to_embeddings(golden.sentences("mixed_lengths"))
    file.compare("batch_to_embeddings__activations", activations)
    theirs = file.take("batch_to_embeddings__mask")
    same = mask.dtype == torch.bool and np.array_equal(mask.numpy(), theirs)
    file.differs("batch_to_embeddings__mask", "bool mask", same)
    name = f"{model}__batch_to_embeddings"
    same = report.take(name)["activations requires_grad"] == activations.requires_grad
    report.differs(name, "bool mask", same and mask.dtype == torch.bool)


def _compare_edges(report: GoldenFile, prefix: str, embedder: ElmoEmbedder) -> None:
    """No sentences, no tokens, strings for lists, tokens that are no strings, a GPU that is not there."""
    shape = (embedder.num_layers, 0, embedder.dim)
    report.differs(f"{prefix}embed_batch([])", "empty batch", embedder.embed_batch([]) == [])
    pair = embedder.embed_batch([[], []])
    report.differs(f"{prefix}embed_batch([[], []])", "empty batch", [values.shape for values in pair] == [shape] * 2)
    report.differs(f"{prefix}embed_batch(['ab'])", "stricter", refused(lambda: embedder.embed_batch(["ab"])))
    not_a_string: Any = [["a", 1]]
    report.differs(
        f"{prefix}embed_batch([['a', 1]])", "own words", refused(lambda: embedder.embed_batch(not_a_string))
    )
    shapes = [list(values.shape) for values in embedder.embed_batch([("a", "b")])]
    report.equal(f"{prefix}embed_batch([('a', 'b')])", {"error": None, "result": shapes})
    report.equal(f"{prefix}embed_sentences returns", type(embedder.embed_sentences([])).__name__)
    no_gpu = torch.cuda.is_available() or refused(lambda: ElmoEmbedder(model=embedder.bilm, cuda_device=0))
    report.differs(f"{prefix}cuda_device=0 on a machine without one", "own words", no_gpu)
