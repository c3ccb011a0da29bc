"""How the TensorFlow tutorials train: optimiser, losses, metrics, orders, whole runs, against TensorFlow 2.15.1."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from checks.classifiers import (
    ESTIMATOR_TOLERANCE,
    LOGIT_TOLERANCE,
    OF_CLASSES,
    OF_LOGITS,
    OF_PROBABILITIES,
    RATE,
    compare_by_chance,
    compare_history,
    compare_linear,
    compare_parameters,
    compare_steps,
    compare_table,
    embedding_of,
    first_parameters,
    head_of,
    linear_run,
    mean_model,
)
from checks.ledger import Golden, GoldenFile
from pytorch_elmo.classification.classifier import TextClassifier, num_trained
from pytorch_elmo.classification.data_sets.splits import directory_split_places
from pytorch_elmo.classification.evaluation import Task, evaluate
from pytorch_elmo.classification.examples import Examples
from pytorch_elmo.classification.initialization import EMBEDDING_BOUND, initialize_as_keras
from pytorch_elmo.classification.losses import binary_cross_entropy, softmax_cross_entropy
from pytorch_elmo.classification.metrics import (
    accuracy,
    accuracy_of_logits_above_half,
    accuracy_of_probabilities,
    predicted_classes,
)
from pytorch_elmo.classification.optimizers import KerasAdam
from pytorch_elmo.classification.orders import EstimatorRounds, InOrder
from pytorch_elmo.classification.similarity import inner_products_over_the_largest
from pytorch_elmo.classification.trainer import fit
from pytorch_elmo.static_embeddings import TextEmbedding


def check_adam(golden: Golden) -> None:
    """Twelve steps of the optimiser alone, with dense gradients and with repeated rows."""
    arrays, facts = golden.arrays("training.npz"), golden.leaves("training.json")
    for name in ("about", "tensorflow"):
        facts.take(name)
    rows = facts.take("adam_sparse_rows")
    values = iter(torch.from_numpy(arrays.take("adam_sparse/values")))
    shape = arrays.take("adam_sparse/start").shape
    sparse = []
    for step in rows:
        drawn = torch.stack([next(values) for _ in step])
        sparse.append(torch.sparse_coo_tensor(torch.tensor([step]), drawn, shape, check_invariants=True))
    dense = list(torch.from_numpy(arrays.take("adam/grads")))
    for name, gradients in (("adam", dense), ("adam_sparse", sparse)):
        table = nn.Parameter(torch.from_numpy(arrays.take(f"{name}/start").copy()))
        optimizer = KerasAdam([table], lr=RATE)
        path = []
        for gradient in gradients:
            table.grad = gradient
            optimizer.step()
            path.append(table.detach().clone())
        for kind in ("keras", "legacy"):
            arrays.compare(f"{name}/{kind}", path)


def check_imdb_model(golden: Golden) -> None:
    """Ten steps of the model on a trained text embedding, with the table of the hub's module."""
    arrays, facts = golden.arrays("training.npz"), golden.leaves("training.json")
    name = "imdb_hub"
    embedding = TextEmbedding.from_saved_model(golden.folder / facts.take(f"{name}/hub_model"))
    arrays.equal(f"{name}/init/embeddings", embedding.embedding_matrix)
    model = TextClassifier(embedding, head_of(arrays, f"{name}/init"))
    examples = Examples(facts.take(f"{name}/texts"), torch.tensor(facts.take(f"{name}/labels")))
    arrays.compare(f"{name}/predict_before", model(examples.inputs).sigmoid())
    batch_size = facts.take(f"{name}/batch")
    compare_steps(arrays, name, model, examples, batch_size, OF_PROBABILITIES)
    arrays.compare(f"{name}/predict_after", model(examples.inputs).sigmoid())
    arrays.compare(f"{name}/evaluate", np.array(list(evaluate(model, examples, OF_PROBABILITIES).values())))


def check_warm_start_model(golden: Golden) -> None:
    """Ten steps of the model on averaged rows, whose accuracy is that of logits above a half."""
    arrays = golden.arrays("training.npz")
    ids, labels = (torch.from_numpy(arrays.take(f"warm/{part}")) for part in ("ids", "labels"))
    model = mean_model(arrays, "warm/init")
    arrays.compare("warm/logits_before", model(ids))
    compare_steps(arrays, "warm", model, Examples(ids, labels), 9, OF_LOGITS)
    arrays.compare("warm/logits_after", model(ids))


def check_fit(golden: Golden) -> None:
    """Four epochs with their history: running means before the steps, the validation after them."""
    arrays, facts = golden.arrays("training.npz"), golden.leaves("training.json")
    examples = Examples(*(torch.from_numpy(arrays.take(f"warm/{part}")) for part in ("ids", "labels")))
    training, validation = (examples.batch(torch.arange(*facts.take(f"fit/{part}"))) for part in ("train", "val"))
    model = mean_model(arrays, "fit/init")
    history = fit(
        model,
        training,
        task=OF_LOGITS,
        optimizer=KerasAdam(model.parameters(), lr=facts.take("fit/learning_rate")),
        order=InOrder(batch_size=facts.take("fit/batch")),
        rounds=facts.take("fit/epochs"),
        validation=validation,
    )
    compare_history(facts, "fit/history", history)
    compare_parameters(arrays, "fit/final", model)


def check_losses(golden: Golden) -> None:
    """Losses and the three accuracies at chosen logits."""
    facts = golden.leaves("training.json")
    prefix = "metrics_and_losses/"
    logits = torch.tensor(facts.take(f"{prefix}logits")).unsqueeze(1)
    facts.equal(f"{prefix}metric_used", "binary_accuracy")
    facts.compare(f"{prefix}sigmoid_output", logits[:, 0].double().sigmoid())
    for label in (0, 1):
        losses = [binary_cross_entropy(logit[None], torch.tensor([label])).item() for logit in logits]
        facts.compare(f"{prefix}loss_from_logits_label{label}", np.array(losses))
        facts.compare(f"{prefix}sigmoid_model_loss_label{label}", np.array(losses))
        facts.take(f"{prefix}plain_probability_loss_label{label}")  # of a bare probability, which no model here gives
    for name, metric in (
        ("accuracy_string_per_logit", accuracy_of_logits_above_half),
        ("binary_accuracy_threshold0", accuracy),
        ("sigmoid_accuracy", accuracy_of_probabilities),
    ):
        facts.equal(f"{prefix}{name}_label1", [metric(logit[None], torch.tensor([1])) for logit in logits])


def check_initializers(golden: Golden) -> None:
    """The bounds of first parameters to the digit, their spread as far as chance allows."""
    facts = golden.leaves("training.json")
    for shape in ("1024x256", "128x3", "16x1", "20x16"):
        name, (inputs, outputs) = f"initializers/glorot_uniform {shape}", map(int, shape.split("x"))
        num_kernels = max(2**17 // (inputs * outputs), 1)
        drawn = torch.cat([first_parameters(nn.Linear(inputs, outputs), seed) for seed in range(num_kernels)])
        limit = facts.take(f"{name}/limit")
        facts.compare(f"{name}/limit", np.array((6 / (inputs + outputs)) ** 0.5))
        if drawn.abs().max().item() > limit * (1 + 1e-6):
            facts.fault(f"{name}: {drawn.abs().max()} is beyond the limit")
        compare_by_chance(facts, name, drawn, limit * 0.05)  # the smallest kernel there has 16 numbers
    drawn = first_parameters(nn.Embedding(10000, 16), 0)
    name = "initializers/embedding default"
    facts.equal(f"{name}/initializer", f"uniform(-{EMBEDDING_BOUND}, {EMBEDDING_BOUND})")
    compare_by_chance(facts, name, drawn, 3e-4)
    dense = nn.Linear(4, 3)
    initialize_as_keras(dense, 0)
    facts.equal("initializers/dense bias", dense.bias.tolist())


def check_directory_split(golden: Golden) -> None:
    """Which files are trained on and which validate, in their order before any shuffle of batches."""
    facts = golden.leaves("training.json")
    prefix = "directory_split"
    files = [f"{name}/{file}" for name in ("neg", "pos") for file in sorted(facts.take(f"{prefix}/files/{name}"))]
    parts = directory_split_places(len(files), seed=facts.take(f"{prefix}/seed"))
    for part, places in zip(("training", "validation"), parts, strict=True):
        ours = [files[place] for place in places]
        facts.equal(f"{prefix}/{part}/files_in_index_order", ours)
        facts.equal(f"{prefix}/{part}/class_names", ["neg", "pos"])
        shuffled = facts.take(f"{prefix}/{part}/first_pass")  # by TensorFlow's own generator
        if sorted(shuffled) != sorted([file, ["neg", "pos"].index(file[:3])] for file in ours):
            facts.fault(f"{part}: a pass has other files or labels than ours")
        for name in ("cached_order_fixed", "labels_follow_files", "order_changes_on_second_pass"):
            facts.equal(f"{prefix}/{part}/{name}", True)
    facts.take(f"{prefix}/batch_size")


def check_estimator(golden: Golden) -> None:
    """Ten steps of a linear classifier, its evaluation, and how far an estimator's rounds can reach."""
    arrays, facts = golden.arrays("estimator.npz"), golden.leaves("estimator.json")
    training, validation = (
        Examples(*(torch.from_numpy(arrays.take(f"{part}{end}")) for part in "xy")) for end in ("", "_eval")
    )
    order = InOrder(batch_size=facts.take("linear/batch"), steps=facts.take("linear/steps"))
    model, history = linear_run(arrays, training, order, facts.take("linear/learning_rate"), 1)
    arrays.compare("losses", np.array(history.step_losses), ESTIMATOR_TOLERANCE)
    compare_linear(arrays, model)
    found = evaluate(model, validation, OF_CLASSES) | {"global_step": float(history.rows[-1]["step"])}
    for name, value in found.items():
        facts.compare(f"linear/evaluate/{name}", value, ESTIMATOR_TOLERANCE)
    facts.compare("linear/mean_of_batch_means", found["loss"], ESTIMATOR_TOLERANCE)
    weighted = evaluate(model, validation, Task(loss=softmax_cross_entropy))
    facts.compare("linear/mean_of_examples", weighted["loss"], ESTIMATOR_TOLERANCE)
    facts.equal("linear/variable_names", ["dense/bias", "dense/kernel", "global_step"])
    for name in ("linear/note", "about"):
        facts.take(name)
    check_reach(facts)


def check_reach(facts: GoldenFile) -> None:
    """The calls of an estimator, none of which draws what our order could not draw."""
    names = ("batch", "steps_per_call", "buffer", "examples", "run_config_seed", "all_calls_equal")
    batch_size, steps, buffer_size, num_examples, *_ = (facts.take(f"order/{name}") for name in names)
    order = EstimatorRounds(batch_size=batch_size, steps=steps, buffer_size=buffer_size, seed=0)
    calls = np.array(facts.take("order/calls"))
    reach = buffer_size + np.arange(batch_size * steps)
    ours = [torch.cat(list(order.batches(num_examples, number))).numpy() for number in range(len(calls))]
    for draws in (*calls.reshape(len(calls), -1), *ours):
        if (draws >= reach).any() or len(set(draws)) < len(draws):
            facts.fault(f"a call draws {draws.tolist()}, which no buffer of {buffer_size} gives")
    if facts.take("order/largest_index") >= order.num_reached(num_examples):
        facts.fault("an estimator reaches further than ours can")


class FirstRun(NamedTuple):
    """The tutorial on warm starts after its first training."""

    model: TextClassifier
    arrays: GoldenFile
    facts: GoldenFile
    labels: Tensor


def check_warm_tutorial(golden: Golden) -> None:
    """Three epochs, a larger table, three more: of the old model as the last cell is written, of the new as meant."""
    for reading in ("as_written", "as_meant"):
        run = first_run(golden)
        warm = TextClassifier(embedding_of(run.arrays.take("updated")), run.model.head)  # a head for both
        run.facts.equal("parameters/model", num_trained(run.model))
        run.facts.equal("parameters/warm_started_model", num_trained(warm))
        trained = run.model if reading == "as_written" else warm
        compare_epochs(run, reading, trained, "ids_base" if reading == "as_written" else "ids_new")
        if reading == "as_written":
            compare_parameters(run.arrays, "as_written/model", run.model)
        compare_parameters(run.arrays, f"{reading}/warm_model", warm)
    run.arrays.compare("logits_as_meant", warm(torch.tensor(run.facts.take("ids_new"))), LOGIT_TOLERANCE)


def first_run(golden: Golden) -> FirstRun:
    """The first training, compared with TensorFlow's."""
    arrays, facts = golden.arrays("warm_tutorial.npz"), golden.leaves("warm_tutorial.json")
    facts.take("about")
    run = FirstRun(mean_model(arrays, "start"), arrays, facts, torch.tensor(facts.take("labels")))
    compare_epochs(run, "first", run.model, "ids_base")
    compare_parameters(arrays, "after_first", run.model)
    return run


def compare_epochs(run: FirstRun, name: str, model: TextClassifier, ids: str) -> None:
    """Three epochs of a fresh optimiser over the first 96 texts, the other 24 for validation."""
    examples = Examples(torch.tensor(run.facts.take(ids)), run.labels)
    history = fit(
        model,
        examples.batch(torch.arange(96)),
        task=OF_LOGITS,
        optimizer=KerasAdam(model.parameters(), lr=RATE),
        order=InOrder(batch_size=32),
        rounds=3,
        validation=examples.batch(torch.arange(96, 120)),
    )
    compare_history(run.facts, f"history/{name}", history)


def check_cord_tutorial(golden: Golden) -> None:
    """Nine terms, and five rounds of eight steps of a linear classifier on frozen embeddings."""
    arrays, facts = golden.arrays("cord_tutorial.npz"), golden.leaves("cord_tutorial.json")
    facts.take("about")
    embed = TextEmbedding.from_saved_model(golden.folder / "hub_v1" / "cord8-oov1", trainable=False)
    features = embed(facts.take("terms"))
    arrays.compare("features", features, ESTIMATOR_TOLERANCE)
    arrays.compare("corr", inner_products_over_the_largest(features), ESTIMATOR_TOLERANCE)
    training = Examples(embed(facts.take("texts")), torch.tensor(facts.take("labels")))
    validation = Examples(embed(facts.take("eval_texts")), torch.tensor(facts.take("eval_labels")))
    model, history = linear_run(arrays, training, InOrder(batch_size=10, steps=8), 0.01, 5, validation)
    arrays.compare("losses", np.array(history.step_losses), ESTIMATOR_TOLERANCE)
    compare_linear(arrays, model)
    logits = model(validation.inputs)
    arrays.compare("logits", logits, ESTIMATOR_TOLERANCE)
    rounds = facts.take("rounds")
    for ours, theirs in zip(history.rows, rounds, strict=True):
        row = GoldenFile(theirs)
        row.compare("global_step", float(ours["step"]))
        for name in ("loss", "accuracy", "precision", "recall"):
            row.compare(name, ours[f"val_{name}"], ESTIMATOR_TOLERANCE)
        for fault in row.all_faults():
            facts.fault(f"rounds: {fault}")
    facts.equal("predictions", predicted_classes(logits).tolist())
    compare_table(facts, predicted_classes(logits).tolist())


CHECKS = (
    check_adam,
    check_imdb_model,
    check_warm_start_model,
    check_fit,
    check_losses,
    check_initializers,
    check_directory_split,
    check_estimator,
    check_warm_tutorial,
    check_cord_tutorial,
)
