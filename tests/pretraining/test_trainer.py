"""The loop: it learns, it repeats, and it goes on from a checkpoint bit for bit."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from pytorch_elmo.errors import ConfigurationError, PytorchElmoError
from pytorch_elmo.pretraining.config import OptimizerConfig
from pytorch_elmo.pretraining.corpus import Corpus
from pytorch_elmo.pretraining.optimizers import make_optimizer
from pytorch_elmo.pretraining.snapshots import refuse_other_config, take_snapshot
from pytorch_elmo.pretraining.trainer import CHECKPOINTS, StartModel, Trainer, count_words
from pytorch_elmo.text.vocabulary import Vocabulary
from pytorch_elmo.training.checkpoint import list_checkpoints, load_checkpoint
from random_models import bilm_config
from small_runs import SENTENCES, Reports, small_config

CORPUS = Corpus.from_sentences(SENTENCES)
VOCABULARY = Vocabulary.from_counts(count_words(CORPUS), max_size=12)
ADAMW = OptimizerConfig(warmup_steps=2, learning_rate=0.01, final_learning_rate=0.001, weight_decay=0.01)
ADAGRAD = OptimizerConfig(name="adagrad", learning_rate=0.2, gradient_clip=10.0)


def trainer_of(**settings) -> Trainer:
    return Trainer(small_config(**settings), CORPUS, VOCABULARY)


def assert_same_run(trainer: Trainer, other: Trainer) -> None:
    """Equal in every bit that decides how the runs go on."""
    ours, theirs = take_snapshot(trainer), take_snapshot(other)
    assert ours.document == theirs.document
    assert ours.tensors.keys() == theirs.tensors.keys()
    for name, tensor in ours.tensors.items():
        assert torch.equal(tensor, theirs.tensors[name]), name


def run_in_two_parts(folder, settings) -> Trainer:
    """A run that was stopped after three steps and went on."""
    first = trainer_of(**settings)
    first.run(folder, Reports(), stop=lambda: first.step == 3)
    second = trainer_of(**settings)
    second.resume(folder)
    second.run(folder, Reports())
    return second


@pytest.mark.parametrize("negatives", [6, None])
@pytest.mark.parametrize("optimizer", [ADAMW, ADAGRAD], ids=["adamw", "adagrad"])
def test_a_resumed_run_is_the_unbroken_run(tmp_path, optimizer, negatives):
    settings = {
        "optimizer": optimizer,
        "num_negatives": negatives,
        "dropout": 0.2,
        "sentence_restart_probability": 0.5,
    }
    straight, straight_reports = trainer_of(**settings), Reports()
    assert straight.run(tmp_path / "straight", straight_reports)

    first, reports = trainer_of(**settings), Reports()
    assert not first.run(tmp_path / "parts", reports, stop=lambda: first.step == 3)
    second = trainer_of(**settings)
    second.resume(tmp_path / "parts")
    assert second.step == 3
    assert_same_run(second, first)
    assert second.run(tmp_path / "parts", reports)
    assert reports.steps == straight_reports.steps
    assert [report.step for report in reports.steps] == [1, 2, 3, 4, 5, 6]
    assert_same_run(second, straight)


def test_a_run_repeats_with_its_seed_and_differs_without():
    losses = [[trainer_of(seed=seed).train_step().forward_loss for _ in range(2)] for seed in (1, 1, 2)]
    assert losses[0] == losses[1] != losses[2]


def test_resuming_where_nothing_is_begins_anew(tmp_path):
    trainer = trainer_of()
    trainer.resume(tmp_path)
    assert trainer.step == 0


def test_resuming_takes_the_newest_checkpoint(tmp_path):
    trainer = trainer_of(checkpoint_every=2, keep_checkpoints=3)
    trainer.run(tmp_path, Reports())
    other = trainer_of(checkpoint_every=2, keep_checkpoints=3)
    other.resume(tmp_path)
    assert other.step == 6
    assert_same_run(other, trainer)


def test_checkpoints_are_saved_as_configured(tmp_path):
    reports = Reports()
    trainer_of(checkpoint_every=2, num_steps=7, keep_checkpoints=2).run(tmp_path, reports)
    assert [path.name for path in reports.checkpoints] == [f"step-00000000{i}.safetensors" for i in (2, 4, 6, 7)]
    assert list_checkpoints(tmp_path / CHECKPOINTS) == reports.checkpoints[-2:]


def test_a_finished_run_does_nothing_more(tmp_path):
    trainer_of().run(tmp_path, Reports())
    again, reports = trainer_of(), Reports()
    again.resume(tmp_path)
    assert again.run(tmp_path, reports)
    assert reports.steps == reports.checkpoints == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 5}, r"^the run was started with seed 0, the configuration says 5; restore the setting, or choose"),
        ({"model": bilm_config(cell_size=7)}, r"^the run was started with model \{.*\}, the configuration says \{"),
        ({"dropout": 0.3}, r"started with dropout 0.1, the configuration says 0.3; "),
        ({"optimizer": ADAGRAD}, r"started with optimizer \{.*\}, the configuration says \{"),
    ],
)
def test_another_configuration_is_refused(tmp_path, change, message):
    trainer_of().run(tmp_path, Reports())
    with pytest.raises(ConfigurationError, match=message):
        trainer_of(**change).resume(tmp_path)


def test_settings_that_came_or_went_are_refused():
    with pytest.raises(ConfigurationError, match=r"started with old 1, the configuration says None"):
        refuse_other_config({"old": 1}, {})
    with pytest.raises(ConfigurationError, match=r"started with new None, the configuration says 2"):
        refuse_other_config({}, {"new": 2})
    refuse_other_config({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2}]})


@pytest.mark.parametrize("where", ["softmax.bias", "_elmo_lstm.forward_layer_0.state_linearity.weight"])
def test_a_loss_that_is_no_number_stops_the_run(tmp_path, where):
    trainer, reports = trainer_of(checkpoint_every=2, num_steps=9), Reports()
    assert not trainer.run(tmp_path, reports, stop=lambda: trainer.step == 4)
    with torch.no_grad():
        trainer.parameters[where].fill_(math.nan)
    last = tmp_path / CHECKPOINTS / "step-000000004.safetensors"
    text = tmp_path / "window-of-step-5.txt"
    message = rf"^the loss is no number at step 5, epoch \d+, window 4, whose text is in {text}; lower .*: {last}$"
    with pytest.raises(PytorchElmoError, match=message):
        trainer.run(tmp_path, reports)
    rows = text.read_text("utf-8").split("\n")
    assert [len(row.split(" ")) for row in rows] == [4, 4, 4]
    assert set(" ".join(rows).split(" ")) <= set(CORPUS.words)
    assert list_checkpoints(tmp_path / CHECKPOINTS)[-1] == last
    assert all(tensor.isfinite().all() for tensor in load_checkpoint(last).tensors.values())


def test_a_loss_that_never_was_a_number_names_no_checkpoint(tmp_path):
    trainer = trainer_of()
    with torch.no_grad():
        trainer.softmax.bias.fill_(math.inf)
    with pytest.raises(PytorchElmoError, match=r"the loss is no number at step 1, epoch 0, window 0, .*: None$"):
        trainer.run(tmp_path, Reports())
    assert list_checkpoints(tmp_path / CHECKPOINTS) == []


def test_an_exploding_loss_stops_the_run(tmp_path):
    trainer = trainer_of(num_negatives=None)
    with torch.no_grad():
        trainer.softmax.bias[0] = 100.0
    with pytest.raises(PytorchElmoError, match=r"^the loss is above 7.5 at step 1, epoch 0, window 0, whose text is"):
        trainer.run(tmp_path, Reports())
    assert list_checkpoints(tmp_path / CHECKPOINTS) == []


def test_how_long_and_how_fast_may_change(tmp_path):
    trainer_of().run(tmp_path, Reports())
    slower = dataclasses.replace(small_config().optimizer, learning_rate=0.001, gradient_clip=0.5)
    trainer = trainer_of(optimizer=slower, num_steps=8, keep_checkpoints=5)
    trainer.resume(tmp_path)
    assert trainer.run(tmp_path, Reports())
    assert trainer.step == 8


@pytest.mark.parametrize("settings", [{"num_negatives": 6}, {"num_negatives": None}, {"optimizer": ADAGRAD}])
def test_windows_may_be_accumulated(settings):
    """Two windows of a step: the mean of the gradients that the windows would give."""
    one, two = (trainer_of(accumulation_steps=n, dropout=0.2, **settings) for n in (1, 2))
    assert two.tokens_per_step == 2 * one.tokens_per_step
    expected = {name: torch.zeros_like(p) for name, p in one.parameters.items()}
    losses = []
    for _ in range(2):
        one.optimizer.zero_grad()
        one._dropout.begin(one.reader.number)
        result = one.objective.backward(one.reader.next_window(), one.state, 4.0 if "optimizer" in settings else 1.0)
        one.state = result.state
        losses.append(result.losses)
        for name, parameter in one.parameters.items():
            expected[name] += parameter.grad.to_dense() / 2
    clip = {"optimizer": dataclasses.replace(two.config.optimizer, gradient_clip=1e9)}
    two.config = dataclasses.replace(two.config, **clip)
    report = two.train_step()
    assert report.forward_loss == pytest.approx((losses[0][0] + losses[1][0]) / 2, rel=1e-6)
    for name, parameter in two.parameters.items():
        torch.testing.assert_close(parameter.grad.to_dense(), expected[name], rtol=1e-4, atol=1e-6)


def test_the_adaptive_softmax_learns_and_goes_on(tmp_path):
    settings = {"num_negatives": None, "adaptive_cutoffs": [4, 8], "num_steps": 8}
    settings["model"] = bilm_config(cell_size=12, projection_size=16)
    straight, reports = trainer_of(**settings), Reports()
    straight.run(tmp_path / "straight", reports)
    assert_same_run(run_in_two_parts(tmp_path / "parts", settings), straight)
    assert reports.steps[-1].forward_loss < reports.steps[0].forward_loss


@pytest.mark.parametrize("cutoffs", [[], [8, 4], [4, 4], [0, 4], [4, 12]])
def test_cutoffs_that_cannot_be(cutoffs):
    with pytest.raises(
        ConfigurationError, match=r"^adaptive_cutoffs must rise and lie between 1 and .* size 12, got"
    ):
        trainer_of(num_negatives=None, adaptive_cutoffs=cutoffs)


def test_more_clusters_than_the_vectors_can_be_cut_for():
    with pytest.raises(
        ConfigurationError, match=r"^2 adaptive_cutoffs need a projection size of 16 at least, got 8;"
    ):
        trainer_of(num_negatives=None, adaptive_cutoffs=[4, 8], model=bilm_config(cell_size=12, projection_size=8))


def test_the_best_model_on_the_validation_text_is_kept(tmp_path):
    settings = {"num_negatives": None, "num_steps": 30, "validate_every": 5, "checkpoint_every": 100, "dropout": 0.0}
    trainer, reports = Trainer(small_config(**settings), CORPUS, VOCABULARY, validation=CORPUS), Reports()
    trainer.run(tmp_path, reports)
    assert [step for step, _ in reports.perplexities] == [5, 10, 15, 20, 25, 30]
    best = min(reports.perplexities, key=lambda pair: pair[1])
    assert trainer.best == best
    kept = load_checkpoint(tmp_path / CHECKPOINTS / "best.safetensors")
    assert kept.document["step"] == best[0]
    again = Trainer(small_config(**settings), CORPUS, VOCABULARY, validation=CORPUS)
    again.resume(tmp_path)
    assert again.best == best


def test_a_start_state_is_learned(tmp_path):
    """It has a gradient, it moves, and a resumed run is the unbroken one."""
    settings = {"learn_start_state": True, "sentence_restart_probability": 0.5, "num_negatives": None}
    straight = trainer_of(**settings)
    for _ in range(3):  # in the first window no sentence begins anew
        straight.train_step()
    assert all(part.grad.any() and part.any() for part in straight.bilm.lstm.start)
    straight.run(tmp_path / "straight", Reports())
    assert_same_run(run_in_two_parts(tmp_path / "parts", settings), straight)


def test_a_start_state_needs_sentences_that_begin():
    with pytest.raises(ConfigurationError, match=r"^a start state is learned where sentences begin anew; set"):
        trainer_of(learn_start_state=True)


def test_validation_in_two_threads():
    torch.set_num_threads(2)
    try:
        trainer = Trainer(small_config(validate_every=1, num_steps=1), CORPUS, VOCABULARY, validation=CORPUS)
        assert trainer._validate(Reports())
    finally:
        torch.set_num_threads(1)


def test_fine_tuning_trains_the_softmax_first():
    old = trainer_of(num_negatives=None)
    before = {name: parameter.detach().clone() for name, parameter in old.bilm.named_parameters()}
    start = StartModel(old.bilm, old.softmax, VOCABULARY)
    words = Vocabulary(["<S>", "</S>", "<UNK>", "sea", "harbour", "the", "noon"])
    config = small_config(softmax_only_steps=2, num_negatives=None, dropout=0.0)
    trainer = Trainer(config, CORPUS, words, start=start)
    for word in ("<S>", "sea", "the"):
        row, old_row = words.id_of(word), VOCABULARY.id_of(word)
        assert torch.equal(trainer.softmax.weight[row], old.softmax.weight[old_row])
    for step in range(3):
        softmax = trainer.softmax.weight.detach().clone()
        trainer.train_step()
        assert not torch.equal(trainer.softmax.weight, softmax)
        same = all(torch.equal(p, before[name]) for name, p in trainer.bilm.named_parameters())
        assert same == (step < 2)


def unigram_entropy() -> float:
    """Of the words that the forward direction predicts, in nats."""
    targets = [word for sentence in SENTENCES for word in [*sentence, "</S>"]]
    shares = np.array([targets.count(word) for word in set(targets)]) / len(targets)
    return float(-(shares * np.log(shares)).sum())


@pytest.mark.parametrize(
    "optimizer",
    [
        OptimizerConfig(learning_rate=0.02, warmup_steps=5),
        OptimizerConfig(name="adagrad", learning_rate=0.2, gradient_clip=10.0),
    ],
    ids=["adamw", "adagrad"],
)
def test_a_small_text_is_learnt(optimizer):
    """Below the entropy of the words alone means that the context is used, in both directions."""
    model = bilm_config(cell_size=16, projection_size=8, cell_clip=3.0, projection_clip=3.0)
    config = small_config(model=model, optimizer=optimizer, num_negatives=None, num_steps=150, dropout=0.0)
    trainer = Trainer(config, CORPUS, Vocabulary.from_counts(count_words(CORPUS)))
    reports = [trainer.train_step() for _ in range(150)]
    assert reports[0].forward_loss > 0.9 * unigram_entropy()
    last = reports[-20:]
    assert np.mean([report.forward_loss for report in last]) < 0.8 * unigram_entropy()
    assert np.mean([report.backward_loss for report in last]) < 0.8 * unigram_entropy()


def test_the_padding_character_stays_zero():
    trainer = trainer_of()
    for _ in range(3):
        trainer.train_step()
    table = trainer.bilm.character_encoder._char_embedding_weights
    assert not table[0].any()
    assert table[1:].any()


def test_adagrad_is_the_formula_of_the_authors():
    """g * rate / sqrt(accumulator), accumulators from 1, no epsilon."""
    parameter = torch.nn.Parameter(torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64))
    optimizer = make_optimizer(ADAGRAD, [parameter])
    value, accumulator = parameter.detach().clone(), torch.ones(3, dtype=torch.float64)
    for step in range(4):
        gradient = torch.tensor([0.5, 0.0, -4.0], dtype=torch.float64) * (step + 1)
        parameter.grad = gradient.clone()
        optimizer.step()
        accumulator += gradient**2
        value -= 0.2 * gradient / accumulator.sqrt()
        torch.testing.assert_close(parameter.detach(), value, rtol=0, atol=1e-14)


def test_the_rate_follows_the_schedule_and_adagrad_s_is_constant():
    settings = {"num_steps": 6, "optimizer": ADAMW}
    trainer = trainer_of(**settings)
    rates = [trainer.train_step().learning_rate for _ in range(6)]
    assert rates[:3] == pytest.approx([0.005, 0.01, 0.01])
    assert rates[2:] == sorted(rates[2:], reverse=True)
    assert 0.001 < rates[-1] < 0.004
    constant = trainer_of(optimizer=ADAGRAD)
    assert [constant.train_step().learning_rate for _ in range(3)] == [0.2] * 3


def test_adagrad_s_loss_is_scaled_by_the_window():
    """As the authors': the reported norm is before clipping, of the loss times unroll_steps."""
    plain = trainer_of(optimizer=dataclasses.replace(ADAGRAD, name="adamw"), dropout=0.0)
    scaled = trainer_of(optimizer=ADAGRAD, dropout=0.0)
    assert scaled.train_step().gradient_norm == pytest.approx(4 * plain.train_step().gradient_norm, rel=1e-5)


def test_gradients_are_clipped_by_their_global_norm():
    trainer = trainer_of(optimizer=OptimizerConfig(gradient_clip=0.01), dropout=0.0)
    report = trainer.train_step()
    norms = torch.stack([parameter.grad.norm() for parameter in trainer.parameters.values()])
    assert report.gradient_norm > 0.1
    assert norms.norm().item() == pytest.approx(0.01, rel=1e-3)


def test_words_outside_the_vocabulary_are_predicted_as_unknown():
    trainer = trainer_of()
    ids = dict(zip(CORPUS.words, trainer.reader._target_ids.tolist(), strict=True))
    assert ids["the"] == VOCABULARY.id_of("the") == 3
    assert (ids["<S>"], ids["</S>"]) == (0, 1)
    outside = set(CORPUS.words) - set(VOCABULARY.tokens)
    assert len(outside) == 4
    assert {ids[word] for word in outside} == {VOCABULARY.unknown_id}


def test_more_negatives_than_words_are_refused():
    with pytest.raises(ConfigurationError, match=r"^num_negatives must be below the vocabulary's size 12, got 12; "):
        trainer_of(num_negatives=12).train_step()


def test_predictions_of_a_step():
    assert trainer_of(batch_size=3, unroll_steps=4).tokens_per_step == 12


def test_words_are_counted():
    counts = count_words(CORPUS)
    assert (counts["the"], counts["boat"], counts["<S>"]) == (4, 2, 0)
    assert sum(counts.values()) == sum(map(len, SENTENCES))
