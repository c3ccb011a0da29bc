"""Every row of the table that leads from 0.9's configurations to 2.x's."""

import pytest

from old_configurations import CHARACTERS, ELMO, NEW, OLD, new, old
from pytorch_elmo.allennlp_plugin.legacy_configs import translate


def tag_indexer(attribute, namespace):
    return {"type": "single_id", "feature_name": attribute, "default_value": "NONE", "namespace": namespace}


# What a part of OLD becomes: the part, the parts of NEW, and the beginning of a line.
TABLE = {
    "basic, which shuffles in training only": (
        {"iterator": {"type": "basic", "batch_size": 64}},
        {"data_loader": {"batch_size": 64, "shuffle": True}, "validation_data_loader": {"batch_size": 64}},
        "validation_data_loader: added",
    ),
    "iterator by name": (
        {"iterator": "basic"},
        {"data_loader": {"batch_size": 32, "shuffle": True}, "validation_data_loader": {"batch_size": 32}},
        "iterator: is data_loader",
    ),
    "two keys of one field": (
        {"iterator": {"sorting_keys": [["tokens", "num_tokens"], ["tokens", "num_token_characters"]]}},
        {"data_loader": {"batch_sampler": {"type": "bucket", "batch_size": 32, "sorting_keys": ["tokens"]}}},
        "iterator: is data_loader",
    ),
    "noise, whole batches, biggest first": (
        {
            "iterator": {
                "type": "bucket",
                "sorting_keys": [["tokens", "num_tokens"]],
                "padding_noise": 0.0,
                "biggest_batch_first": True,
                "skip_smaller_batches": True,
            }
        },
        {
            "data_loader": {
                "batch_sampler": {
                    "type": "bucket",
                    "batch_size": 32,
                    "sorting_keys": ["tokens"],
                    "padding_noise": 0.0,
                    "drop_last": True,
                }
            }
        },
        "iterator.biggest_batch_first: left out",
    ),
    "a limit of samples": (
        {
            "iterator": {
                "type": "bucket",
                "sorting_keys": [["tokens", "num_tokens"]],
                "maximum_samples_per_batch": ["num_tokens", 2000],
            }
        },
        {
            "data_loader": {
                "batch_sampler": {"type": "max_tokens_sampler", "max_tokens": 2000, "sorting_keys": ["tokens"]}
            }
        },
        "iterator.maximum_samples_per_batch: is a max_tokens_sampler of 2000",
    ),
    "a part of an epoch, and of the data": (
        {"iterator": {"type": "basic", "batch_size": 30, "instances_per_epoch": 100, "max_instances_in_memory": 50}},
        {
            "data_loader": {
                "batch_size": 30,
                "shuffle": True,
                "batches_per_epoch": 4,
                "max_instances_in_memory": 50,
            },
            "validation_data_loader": {"batch_size": 30, "max_instances_in_memory": 50},
        },
        "iterator: is data_loader: batch_size 30, shuffle True, batches_per_epoch 4",
    ),
    "several processes": (
        {"iterator": {"type": "multiprocess", "num_workers": 3, "base_iterator": OLD["iterator"]}},
        {"data_loader": {**NEW["data_loader"], "num_workers": 3}},
        "iterator: is data_loader",
    ),
    "an iterator for validation": (
        {"validation_iterator": {"type": "basic", "batch_size": 7}},
        {"validation_data_loader": {"batch_size": 7, "shuffle": True}},
        "validation_iterator: is validation_data_loader",
    ),
    "a data loader from --overrides": (
        {"data_loader": {"batch_size": 1}},
        {"data_loader": {"batch_size": 1}},
        "iterator: left out, data_loader is there",
    ),
    "a lazy reader": (
        {"dataset_reader__lazy": True},
        {"data_loader__max_instances_in_memory": 80},
        "dataset_reader.lazy: is max_instances_in_memory 80",
    ),
    "a reader that is not lazy": ({"dataset_reader__lazy": False}, {}, "dataset_reader.lazy: left out"),
    "several readers": (
        {
            "dataset_reader": {
                "type": "multiprocess",
                "base_reader": {"type": "srl", "lazy": True},
                "num_workers": 2,
            },
            "train_data_path": "train/*",
        },
        {
            "dataset_reader": {"type": "sharded", "base_reader": {"type": "srl"}},
            "train_data_path": "train/*",
            "data_loader__num_workers": 2,
            "data_loader__max_instances_in_memory": 80,
        },
        "dataset_reader: multiprocess is sharded",
    ),
    "tags as in the file": (
        {"dataset_reader": {"type": "conll2003", "coding_scheme": "IOB1"}},
        {"dataset_reader": {"type": "conll2003"}},
        "dataset_reader.coding_scheme: left out",
    ),
    "tags converted": (
        {"dataset_reader": {"type": "conll2003", "coding_scheme": "BIOUL"}},
        {"dataset_reader": {"type": "conll2003", "convert_to_coding_scheme": "BIOUL"}},
        "dataset_reader.coding_scheme: is convert_to_coding_scheme BIOUL",
    ),
    "word tokenizer": (
        {"dataset_reader__tokenizer": {"type": "word", "word_splitter": {"type": "just_spaces"}}},
        {"dataset_reader__tokenizer": {"type": "just_spaces"}},
        "dataset_reader.tokenizer: the word tokenizer is {'type': 'just_spaces'}",
    ),
    "word tokenizer by name": (
        {"dataset_reader__source_tokenizer": "word"},
        {"dataset_reader__source_tokenizer": {"type": "spacy"}},
        "dataset_reader.source_tokenizer: the word tokenizer is",
    ),
    "spaCy with its settings and an end": (
        {
            "dataset_reader__tokenizer": {
                "word_splitter": {"type": "spacy", "pos_tags": True},
                "end_tokens": ["@@NULL@@"],
                "word_filter": "pass_through",
            }
        },
        {"dataset_reader__tokenizer": {"type": "spacy", "pos_tags": True, "end_tokens": ["@@NULL@@"]}},
        "dataset_reader.tokenizer: the word tokenizer is",
    ),
    "indexers of tags": (
        {
            "dataset_reader__token_indexers": {
                "pos": {"type": "pos_tag", "coarse_tags": True},
                "fine": {"type": "pos_tag", "namespace": "mine"},
                "ner": {"type": "ner_tag"},
                "dep": {"type": "dependency_label"},
            }
        },
        {
            "dataset_reader__token_indexers": {
                "pos": tag_indexer("pos_", "pos_tokens"),
                "fine": tag_indexer("tag_", "mine"),
                "ner": tag_indexer("ent_type_", "ner_tokens"),
                "dep": tag_indexer("dep_", "dep_labels"),
            }
        },
        "dataset_reader.token_indexers.ner: ner_tag is single_id of ent_type_",
    ),
    "unmatched indexers": (
        {"model__text_field_embedder": {"elmo": ELMO, "allow_unmatched_keys": True}},
        {"model__text_field_embedder": {"token_embedders": {"elmo": ELMO, "tokens": {"type": "empty"}}}},
        "model.text_field_embedder.allow_unmatched_keys: an empty embedder for tokens",
    ),
    "a map to ELMo's word cache": (
        {
            "model__text_field_embedder": {
                "token_embedders": {"elmo": ELMO, "tokens": {"type": "embedding"}},
                "embedder_to_indexer_map": {"elmo": ["elmo", "tokens"], "tokens": {"input": "tokens"}},
            }
        },
        {"model__text_field_embedder": {"token_embedders": {"elmo": ELMO, "tokens": {"type": "embedding"}}}},
        "model.text_field_embedder.embedder_to_indexer_map: left out",
    ),
    "another embedder, its type named": (
        {"model__source_embedder": {"type": "basic", "elmo": ELMO}},
        {"model__source_embedder": {"type": "basic", "token_embedders": {"elmo": ELMO}}},
        "model.source_embedder: elmo in token_embedders",
    ),
    "characters in a namespace of their own": (
        {"model__text_field_embedder": {"token_embedders": {"c": CHARACTERS}}},
        {
            "model__text_field_embedder": {
                "token_embedders": {
                    "c": {
                        **CHARACTERS,
                        "embedding": {"embedding_dim": 16, "vocab_namespace": "token_characters"},
                    }
                }
            }
        },
        "model.text_field_embedder.token_embedders.c.embedding: vocab_namespace token_characters added",
    ),
    "prevent": (
        {"model__initializer": [["a", "xavier_normal"], ["b", "prevent"], ["c", {"type": "prevent"}]]},
        {"model__initializer": {"regexes": [["a", "xavier_normal"]], "prevent_regexes": ["b", "c"]}},
        "model.initializer: the list of 3 is regexes and prevent_regexes",
    ),
    "similarity of ESIM": (
        {
            "model__type": "esim",
            "model__similarity_function": {"type": "bilinear", "tensor_1_dim": 3, "tensor_2_dim": 4},
        },
        {
            "model__type": "esim",
            "model__matrix_attention": {"type": "bilinear", "matrix_1_dim": 3, "matrix_2_dim": 4},
        },
        "model.similarity_function: is matrix_attention bilinear",
    ),
    "attention of a decoder": (
        {"model__type": "simple_seq2seq", "model__attention_function": {"type": "dot_product", "scale_output": True}},
        {"model__type": "simple_seq2seq", "model__attention": {"type": "scaled_dot_product"}},
        "model.attention_function: is attention scaled_dot_product",
    ),
    "legacy attention": (
        {
            "model__attention": {
                "type": "legacy",
                "normalize": False,
                "similarity_function": {"type": "bilinear", "tensor_1_dim": 3, "tensor_2_dim": 4},
            }
        },
        {"model__attention": {"type": "bilinear", "vector_dim": 3, "matrix_dim": 4, "normalize": False}},
        "model.attention: legacy is bilinear",
    ),
    "batch first": ({"model__encoder__batch_first": True}, {}, "model.encoder.batch_first: left out"),
    "trainer by its name": ({"trainer__type": "default"}, {}, "trainer.type: default is gradient_descent"),
    "all checkpoints": (
        {"trainer__num_serialized_models_to_keep": -1},
        {"trainer__checkpointer": {"keep_most_recent_by_count": None}},
        "trainer.num_serialized_models_to_keep: is checkpointer.keep_most_recent_by_count None",
    ),
    "checkpoints by time": (
        {"trainer__keep_serialized_model_every_num_seconds": 60, "trainer__model_save_interval": 30.0},
        {
            "trainer__checkpointer": {
                "keep_most_recent_by_count": 10,
                "keep_most_recent_by_age": 60,
                "save_every_num_seconds": 30.0,
            }
        },
        "trainer.keep_serialized_model_every_num_seconds: is checkpointer.keep_most_recent_by_age 60",
    ),
    "TensorBoard": (
        {"trainer__should_log_learning_rate": True, "trainer__histogram_interval": 5},
        {
            "trainer__callbacks": [
                {"type": "tensorboard", "distribution_interval": 5, "should_log_learning_rate": True}
            ]
        },
        "trainer.histogram_interval, should_log_learning_rate: in the trainer callback tensorboard",
    ),
    "callback trainer": (
        {
            "trainer": {
                "type": "callback",
                "optimizer": "adam",
                "callbacks": [
                    {"type": "gradient_norm_and_clip", "grad_norm": 5.0},
                    {"type": "checkpoint", "checkpointer": {"num_serialized_models_to_keep": 1}},
                    {"type": "track_metrics", "patience": 3, "validation_metric": "+f1"},
                    {"type": "update_learning_rate", "learning_rate_scheduler": {"type": "step", "step_size": 1}},
                    "validate",
                    {"type": "log_to_tensorboard", "log_batch_size_period": 10},
                ],
            }
        },
        {
            "trainer": {
                "optimizer": "adam",
                "grad_norm": 5.0,
                "checkpointer": {"keep_most_recent_by_count": 1},
                "patience": 3,
                "validation_metric": "+f1",
                "learning_rate_scheduler": {"type": "step", "step_size": 1},
                "callbacks": [{"type": "tensorboard", "batch_size_interval": 10}],
            }
        },
        "trainer.callbacks.0: gradient_norm_and_clip",
    ),
    "two GPUs": (
        {"trainer__cuda_device": [0, 1]},
        {"distributed": {"cuda_devices": [0, 1]}},
        "trainer.cuda_device: is distributed.cuda_devices [0, 1]",
    ),
    "a list of one GPU": (
        {"trainer__cuda_device": [3]},
        {"trainer__cuda_device": 3},
        "trainer.cuda_device: the list of one is 3",
    ),
    "no shuffling": (
        {"trainer__shuffle": False},
        {"data_loader__batch_sampler__shuffle": False},
        "trainer.shuffle: is shuffle False of data_loader.batch_sampler",
    ),
    "a saved vocabulary": (
        {"vocabulary": {"directory_path": "v"}},
        {"vocabulary": {"type": "from_files", "directory": "v"}},
        "vocabulary: directory_path is directory of the type from_files",
    ),
    "a vocabulary that grows": (
        {"vocabulary": {"directory_path": "v", "extend": True, "min_count": {"tokens": 2}}},
        {"vocabulary": {"type": "extend", "directory": "v", "min_count": {"tokens": 2}}},
        "vocabulary: directory_path is directory of the type extend",
    ),
    "a model's other name": (
        {"model__type": "bidirectional_language_model"},
        {"model__type": "bidirectional-language-model"},
        "model.type: bidirectional_language_model is bidirectional-language-model",
    ),
}


@pytest.mark.parametrize(("parts_of_old", "parts_of_new", "line"), TABLE.values(), ids=TABLE)
def test_table(parts_of_old, parts_of_new, line):
    config, lines = translate(old(**parts_of_old))
    expected = new(**parts_of_new)
    if "cuda_device" not in parts_of_new and "trainer__cuda_device" not in parts_of_new:
        expected["trainer"].pop("cuda_device", None)
    assert config == expected
    assert [found for found in lines if found.startswith(line)], lines
    assert translate(config) == (config, [])
