"""Whole archives and configurations of the golden folder, run by AllenNLP 2.10.1 with this package's ELMo in it.

Only where AllenNLP is installed: `CHECKS` is empty elsewhere, and `WAITING` names the files that then wait. These
checks go before those of `checks.archives`, which leave to them whatever needs a task model.
"""

import json
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from torch import Tensor

from checks.ledger import Golden, GoldenFile

ISSUE = "waits for AllenNLP (make setup)"
FROM_0_9, FROM_2 = "archive_0.9.0", "archive_2.10.1"
SEEDS = ("random_seed", "numpy_seed", "pytorch_seed")
# Logits and outputs of the SRL encoder are up to 28 and 19: the golden README, "archive_0.9.0/".
LARGE = 2e-5
# 2.x decodes scores with 100000 added, in float32: paths that are nearer than this for each word can tie.
TIE = 1 / 256
NEAR_TIE = "near tie"
# What a run of the original left behind, besides its model: nothing to compare with.
RECORDS = (
    "configuration",
    "archive",
    "metrics.json",
    "files of the run besides metrics_epoch_*.json and folders",
    "largest change of the character table by training",
)


def check_archives_0_9_whole(golden: Golden) -> None:
    """Both SRL models: readers, vocabulary, encoder, logits, tags and loss, twice with the state carried over."""
    for suffix in ("", "_requires_grad"):
        file = golden.arrays(f"{FROM_0_9}/archive{suffix}.npz")
        document = golden.entries(f"{FROM_0_9}/archive{suffix}.json")
        archive = _load(golden.use(f"{FROM_0_9}/model{suffix}.tar.gz"), "model.text_field_embedder.elmo.stateful")
        _compare_parts(document, golden.folder / FROM_0_9 / f"model{suffix}.tar.gz", archive.model.vocab)
        config = _written(golden.use(f"{FROM_0_9}/config_0.9{suffix}.jsonnet"))
        document.equal("config.json", {key: value for key, value in config.items() if key not in SEEDS})
        for name in RECORDS:
            document.take(name)
        for split in ("dev", "train"):
            path = golden.use(f"{FROM_0_9}/data/{split}/sample.gold_conll").parent
            _compare_split(file, split, archive, path, document)
        _train(golden, f"{FROM_0_9}/config_0.9{suffix}.jsonnet", document)
    golden.use(f"{FROM_0_9}/data/vectors.5d.txt")


def _compare_split(file: GoldenFile, split: str, archive: Any, path: Path, document: GoldenFile) -> None:
    """All instances of a file in one batch from a fresh state, and the same batch again."""
    from allennlp.nn.util import get_text_field_mask

    expected = document.take("outputs")[split]
    instances = list(archive.dataset_reader.read(path))
    batch = _batch(archive.model, instances)
    archive.model.text_field_embedder.token_embedder_elmo._elmo.reset_states()
    encoded: list[Tensor] = []
    hook = archive.model.encoder.register_forward_hook(lambda _module, _inputs, output: encoded.append(output))
    calls = [archive.model(**batch) for _ in range(2)]
    hook.remove()
    for name, ours in (
        ("tokens", batch["tokens"]["tokens"]["tokens"]),
        ("character_ids", batch["tokens"]["elmo"]["elmo_tokens"]),
        ("verb_indicator", batch["verb_indicator"]),
        ("gold_tag_ids", batch["tags"]),
        ("mask", get_text_field_mask(batch["tokens"]).long()),
    ):
        file.equal(f"{split}__{name}", ours)
    file.compare(f"{split}__encoder_output", encoded[0], LARGE)
    file.compare(f"{split}__class_probabilities", calls[0]["class_probabilities"])
    for number, call in enumerate(calls):
        file.compare(f"{split}__logits_call{number}", call["logits"], LARGE)
        file.compare(f"{split}__loss_call{number}", call["loss"])
    _compare_words(document, split, expected, instances)
    for name, call in zip(("tags", "tags of the second call, state carried over"), calls, strict=True):
        _compare_tags(document, archive.model, call, f"{split}: {name}", expected[name])


def _compare_words(document: GoldenFile, split: str, expected: dict[str, Any], instances: list[Any]) -> None:
    for name, key in (("words", "words"), ("verb", "verb"), ("gold_tags", "gold_tags")):
        ours = [instance["metadata"][key] for instance in instances]
        if ours != expected[name]:
            document.fault(f"{split}: {name} are read otherwise")


def _compare_tags(
    document: GoldenFile, model: Any, call: dict[str, Any], name: str, expected: list[list[str]]
) -> None:
    found = model.make_output_human_readable(dict(call))["tags"]
    for ours, theirs, probabilities in zip(found, expected, call["class_probabilities"], strict=True):
        scores = [
            sum(
                probabilities[place, model.vocab.get_token_index(tag, "labels")].item()
                for place, tag in enumerate(path)
            )
            for path in (ours, theirs)
        ]
        if ours != theirs:
            document.differs(f"{name}: {theirs}", NEAR_TIE, abs(scores[0] - scores[1]) <= TIE * len(theirs))


def check_archive_2_whole(golden: Golden) -> None:
    """The classifier with a fine-tuned biLM: logits of two calls, and its vocabulary made anew from its texts."""
    file, document = golden.arrays(f"{FROM_2}/archive.npz"), golden.entries(f"{FROM_2}/archive.json")
    for name in golden.model_files("syn1"):
        assert name.is_file()
    path = golden.use(f"{FROM_2}/model.tar.gz")
    archive = _load(path, "model.text_field_embedder.token_embedders.elmo.stateful", golden.folder)
    reader = archive.dataset_reader
    instances = [reader.text_to_instance(text) for text in document.take("texts")]
    for instance in instances:
        reader.apply_token_indexers(instance)
    batch = _batch(archive.model, instances)
    file.equal("ids", batch["tokens"]["elmo"]["elmo_tokens"])
    file.equal("word_ids", batch["tokens"]["tokens"]["tokens"])
    for call in range(2):
        file.compare(f"logits_call{call}", archive.model(**batch)["logits"])
    labels = [archive.model.vocab.get_token_from_index(index, "labels") for index in range(2)]
    document.equal("labels in the order of the logits", labels)
    document.equal("config.json", _member(path, "config.json"))
    document.equal("meta.json", _member(path, "meta.json"))
    document.equal("state", {"state of the biLM after loading": "None"})
    read = list(reader.read(golden.use("inputs/archive_train.jsonl")))
    _compare_vocabulary(document, archive.model.vocab, read)


def check_fixture_configuration(golden: Golden) -> None:
    """AllenNLP's own ELMo test configuration trains."""
    path = "fixtures/config/characters_token_embedder.json"
    options, weights = golden.model_files("fixture")
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "train.txt"
        data.write_text(
            "U.N. NNP I-NP I-ORG\nofficial NN I-NP O\nheads VBZ I-VP O\n\nBaghdad NNP I-NP I-LOC\n", "utf-8"
        )
        elmo = "model.text_field_embedder.token_embedders.elmo"
        overrides = {
            "train_data_path": str(data),
            "validation_data_path": str(data),
            f"{elmo}.options_file": str(options),
            f"{elmo}.weight_file": str(weights),
            "trainer.num_epochs": 1,
        }
        _run(golden.use(path), overrides, golden.entries(path))
    for name in list(golden.entries(path)):
        golden.entries(path).take(name)


def _train(golden: Golden, path: str, document: GoldenFile) -> None:
    """One epoch of a configuration as it was written, its paths made absolute."""
    names = ["train_data_path", "validation_data_path"]
    names += [f"model.text_field_embedder.elmo.{key}" for key in ("options_file", "weight_file")]
    names += ["model.text_field_embedder.tokens.pretrained_file"]
    overrides: dict[str, Any] = {"trainer.num_epochs": 1}
    for name in names:
        value: Any = _written(golden.folder / path)
        for key in name.split("."):
            value = value[key]
        overrides[name] = str(golden.folder / value)
    golden.model_files("syn2")
    _run(golden.use(path), overrides, document)


def _run(path: Path, overrides: dict[str, Any], document: GoldenFile) -> None:
    from allennlp.commands.train import train_model
    from allennlp.common import Params

    with tempfile.TemporaryDirectory() as folder:
        train_model(Params.from_file(path, overrides), str(Path(folder) / "run"))
        metrics = json.loads((Path(folder) / "run" / "metrics.json").read_text("utf-8"))
    if not 0 < metrics["training_loss"] < float("inf"):
        document.fault(f"{path.name} trains with the loss {metrics['training_loss']}")


def _load(path: Path, stateful: str, base: Path | None = None) -> Any:
    """An archive in evaluation mode, ELMo's state carried as in the original; its files are taken from `base`."""
    from allennlp.models.archival import load_archive

    overrides: dict[str, Any] = {stateful: True}
    if base is not None:
        place = stateful.rpartition(".")[0]
        written: Any = _member(path, "config.json")
        for key in place.split("."):
            written = written[key]
        overrides |= {f"{place}.{key}": str(base / written[key]) for key in ("options_file", "weight_file")}
    archive = load_archive(path, overrides=overrides)
    archive.model.eval().requires_grad_(False)
    return archive


def _batch(model: Any, instances: list[Any]) -> dict[str, Any]:
    from allennlp.data import Batch

    batch = Batch(instances)
    batch.index_instances(model.vocab)
    tensors: dict[str, Any] = batch.as_tensor_dict()
    return tensors


def _compare_parts(document: GoldenFile, path: Path, vocabulary: Any) -> None:
    """Members, archived files and vocabulary, as unpacked by this package and read by AllenNLP."""
    from pytorch_elmo.formats.allennlp_archive import unpack

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        unpack(path, folder)
        found = {str(item.relative_to(folder)) for item in folder.rglob("*")} - {"fta"}
        if found != {member["name"] for member in document.take("members")}:
            document.fault("other members are unpacked")
        document.equal("files_to_archive.json", json.loads((folder / "files_to_archive.json").read_text("utf-8")))
        files = {item.name: item.read_text("utf-8") for item in (folder / "vocabulary").iterdir()}
        document.equal("vocabulary", files)
        labels = [vocabulary.get_token_from_index(i, "labels") for i in range(vocabulary.get_vocab_size("labels"))]
        document.equal("labels in the order of the logits", labels)


def _compare_vocabulary(document: GoldenFile, archived: Any, instances: list[Any]) -> None:
    from allennlp.data import Vocabulary

    made = Vocabulary.from_instances(instances)
    for namespace in ("tokens", "labels"):
        if made.get_index_to_token_vocabulary(namespace) != archived.get_index_to_token_vocabulary(namespace):
            document.fault(f"the vocabulary {namespace} made from the training texts is another")


def _member(path: Path, name: str) -> Any:
    from pytorch_elmo.formats.allennlp_archive import unpack

    with tempfile.TemporaryDirectory() as folder:
        unpack(path, Path(folder))
        return json.loads((Path(folder) / name).read_text("utf-8"))


def _written(path: Path) -> dict[str, Any]:
    from pytorch_elmo.allennlp_plugin.translate_command import evaluate

    return evaluate(path)


INSTALLED = find_spec("allennlp") is not None and find_spec("allennlp_models") is not None
CHECKS = (check_archives_0_9_whole, check_archive_2_whole, check_fixture_configuration) if INSTALLED else ()
PURPOSES = (
    {NEAR_TIE: "AllenNLP 2 decodes tags in float32 with 100000 added, so paths of almost the same score may swap"}
    if INSTALLED
    else {}
)
WAITING = (
    {}
    if INSTALLED
    else dict.fromkeys(
        ("fixtures/config/*", f"{FROM_0_9}/config_*", f"{FROM_0_9}/data/*", "inputs/archive_train.jsonl"), ISSUE
    )
)
