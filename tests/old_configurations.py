"""A configuration of AllenNLP 0.9 and the same in 2.x's form, and variations of both."""

import copy

ELMO = {"type": "elmo_token_embedder", "options_file": "o.json", "weight_file": "w.hdf5", "dropout": 0.5}
CHARACTERS = {
    "type": "character_encoding",
    "embedding": {"embedding_dim": 16},
    "encoder": {"type": "cnn", "embedding_dim": 16, "num_filters": 8},
}
# An SRL configuration of 0.9 with the how-to's three edits.
OLD = {
    "dataset_reader": {
        "type": "srl",
        "token_indexers": {
            "tokens": {"type": "single_id", "lowercase_tokens": True},
            "elmo": {"type": "elmo_characters"},
        },
    },
    "train_data_path": "train",
    "validation_data_path": "dev",
    "model": {
        "type": "srl",
        "text_field_embedder": {"tokens": {"type": "embedding", "embedding_dim": 100}, "elmo": ELMO},
        "initializer": [["tag_projection_layer.*weight", {"type": "orthogonal"}]],
        "regularizer": [[".*scalar_parameters.*", {"type": "l2", "alpha": 0.001}]],
        "encoder": {"type": "alternating_lstm", "input_size": 1224, "hidden_size": 300, "num_layers": 8},
        "binary_feature_dim": 100,
    },
    "iterator": {"type": "bucket", "sorting_keys": [["tokens", "num_tokens"]], "batch_size": 80},
    "trainer": {"num_epochs": 500, "grad_clipping": 1.0, "cuda_device": 0, "num_serialized_models_to_keep": 10},
}
NEW = {
    "dataset_reader": OLD["dataset_reader"],
    "train_data_path": "train",
    "validation_data_path": "dev",
    "model": {
        **OLD["model"],
        "text_field_embedder": {"token_embedders": OLD["model"]["text_field_embedder"]},
        "initializer": {"regexes": OLD["model"]["initializer"]},
        "regularizer": {"regexes": OLD["model"]["regularizer"]},
    },
    "data_loader": {"batch_sampler": {"type": "bucket", "batch_size": 80, "sorting_keys": ["tokens"]}},
    "trainer": {"num_epochs": 500, "grad_clipping": 1.0, "checkpointer": {"keep_most_recent_by_count": 10}},
}


def with_parts(config, **parts):
    """`config` with sections replaced; a name with two underscores leads inside."""
    config = copy.deepcopy(config)
    for path, value in parts.items():
        *folders, last = path.split("__")
        part = config
        for folder in folders:
            part = part[folder]
        part[last] = value
    return config


def old(**parts):
    return with_parts(OLD, **parts)


def new(**parts):
    return with_parts(NEW, **parts)
