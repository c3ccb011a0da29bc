"""Names of AllenNLP 0.9 that 2.x does not have, and what took their place."""

_PARSING = "semantic parsing left AllenNLP: install allennlp-semparse"
_TRANSFORMERS = 'use "pretrained_transformer_mismatched" with its model_name'

# For "type" in a section that a base class builds: what to do instead.
GONE: dict[str, dict[str, str]] = {
    "Model": {
        **dict.fromkeys(
            (
                "atis_parser",
                "nlvr_coverage_parser",
                "nlvr_direct_parser",
                "quarel_parser",
                "text2sql_parser",
                "wikitables_erm_parser",
                "wikitables_mml_parser",
            ),
            _PARSING,
        ),
        "bert_for_classification": 'use "basic_classifier" with a pretrained_transformer embedder',
        "biaffine_parser_multilang": "it has no successor; use biaffine_parser for one language",
        "event2mind": "it has no successor",
    },
    "DatasetReader": {
        **dict.fromkeys(
            ("atis", "grammar_based_text2sql", "nlvr", "quarel", "template_text2sql", "wikitables"), _PARSING
        ),
        "event2mind": "it has no successor",
        "language_modeling": 'use "simple_language_modeling"',
        "universal_dependencies_multilang": "it has no successor; use universal_dependencies for one language",
    },
    "TokenEmbedder": {
        "bert-pretrained": _TRANSFORMERS,
        "elmo_token_embedder_multilang": "use elmo_token_embedder for one language",
        "openai_transformer_embedder": _TRANSFORMERS,
    },
    "TokenIndexer": {
        "bert-pretrained": _TRANSFORMERS,
        "openai_transformer_byte_pair": _TRANSFORMERS,
    },
    "Seq2SeqEncoder": {"intra_sentence_attention": "it has no successor; stacked_self_attention is the nearest"},
    "Optimizer": {"bert_adam": 'use "huggingface_adamw"'},
}
PREDICTORS = {
    "biaffine-dependency-parser": "biaffine_dependency_parser",
    "constituency-parser": "constituency_parser",
    "coreference-resolution": "coreference_resolution",
    "machine-comprehension": "reading_comprehension",
    "open-information-extraction": "open_information_extraction",
    "semantic-role-labeling": "semantic_role_labeling",
    "sentence-tagger": "sentence_tagger",
    "simple_seq2seq": "seq2seq",
    "textual-entailment": "textual_entailment",
}

COMMANDS = {
    "configure": "AllenNLP 2.x has no configuration wizard; begin from a file of configs/",
    "dry-run": "use `allennlp train CONFIG -s FOLDER --dry-run`",
    "fine-tune": 'use `allennlp train` with "model": {"type": "from_archive", "archive_file": ARCHIVE} and '
    '"vocabulary": {"type": "from_files", "directory": ARCHIVE}',
    "make-vocab": "use `allennlp build-vocab CONFIG VOCABULARY.tar.gz`",
}
