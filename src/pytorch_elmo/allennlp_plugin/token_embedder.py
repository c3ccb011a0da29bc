"""`elmo_token_embedder`: this project's ELMo under AllenNLP's name, arguments and parameter names."""

# ruff: noqa: UP045 -- AllenNLP's from_params reads Optional, not `X | None`

from collections.abc import Mapping
from typing import Any, Optional

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data.vocabulary import Vocabulary
from allennlp.modules.token_embedders.token_embedder import TokenEmbedder
from torch import Tensor, nn

from pytorch_elmo.allennlp_plugin.indexer_errors import lines_to_add
from pytorch_elmo.allennlp_plugin.model_files import ORIGINAL_OPTIONS, ORIGINAL_WEIGHTS, local_files
from pytorch_elmo.elmo import Elmo
from pytorch_elmo.model import BiLM
from pytorch_elmo.weights.load import load_bilm, load_pretrained


@TokenEmbedder.register("elmo_token_embedder", exist_ok=True)
class ElmoTokenEmbedder(TokenEmbedder):
    """One mixture of a biLM's layers for each token (AllenNLP's class of this name).

    The parameters have AllenNLP's names, so that archives load both ways. A call does not depend on the calls
    before it, unless `stateful` is set; AllenNLP's always does.

    Args:
        options_file, weight_file: paths or addresses; the original model's by default, as in AllenNLP.
        do_layer_norm: normalise the layers before mixing, over the whole batch.
        dropout: on the mixture, in training.
        requires_grad: fine-tune the biLM.
        projection_dim: a linear layer to this size comes last; None or 0 means none.
        vocab_to_cache: words whose token vectors are computed once, the first of them a stand-in for padding. Other
            words are computed from their characters.
        scalar_mix_parameters: fixed numbers before the softmax, one per layer; learned if None.
        stateful: carry each row's LSTM state from batch to batch, as AllenNLP does.
        model: a model's name (`default`, `small`, `original`, ...) or folder, instead of the two files.
        namespace_to_cache: cache the words of this namespace of the vocabulary, instead of `vocab_to_cache`. The
            indexer gives their numbers if its `word_namespace` is the same.
        vocab: the vocabulary, which AllenNLP passes by itself.

    Raises:
        ConfigurationError: arguments that contradict each other.
        PytorchElmoError: a model that cannot be found, read or run.
    """

    def __init__(
        self,
        options_file: str = ORIGINAL_OPTIONS,
        weight_file: str = ORIGINAL_WEIGHTS,
        do_layer_norm: bool = False,
        dropout: float = 0.5,
        requires_grad: bool = False,
        projection_dim: Optional[int] = None,
        vocab_to_cache: Optional[list[str]] = None,
        scalar_mix_parameters: Optional[list[float]] = None,
        *,
        stateful: bool = False,
        model: Optional[str] = None,
        namespace_to_cache: Optional[str] = None,
        vocab: Optional[Vocabulary] = None,
    ) -> None:
        super().__init__()
        if namespace_to_cache is not None:
            if vocab_to_cache is not None:
                raise ConfigurationError(
                    "vocab_to_cache and namespace_to_cache are two ways to say one thing; give one"
                )
            vocab_to_cache = _words_of(vocab, namespace_to_cache)
        self._unknown_ids = [
            index for index, word in enumerate(vocab_to_cache or []) if vocab is not None and word == vocab._oov_token
        ]
        self._elmo = Elmo(
            None,
            None,
            1,
            requires_grad=requires_grad,
            do_layer_norm=do_layer_norm,
            dropout=dropout,
            vocab_to_cache=vocab_to_cache,
            scalar_mix_parameters=scalar_mix_parameters,
            module=_load(options_file, weight_file, model),
            stateful=stateful,
        )
        self._projection = nn.Linear(self._elmo.get_output_dim(), projection_dim) if projection_dim else None
        self.output_dim = projection_dim or self._elmo.get_output_dim()

    def get_output_dim(self) -> int:
        """Size of a vector."""
        return self.output_dim

    def forward(
        self, elmo_tokens: Optional[Tensor] = None, word_inputs: Optional[Tensor] = None, **others: Tensor
    ) -> Tensor:
        """Represent a batch of sentences.

        Args:
            elmo_tokens: (batch_size, ..., num_tokens, 50) int64 character ids.
            word_inputs: (batch_size, ..., num_tokens) int64, places in `vocab_to_cache`; a word that is not there
                is computed from its characters.
            others: tensors of another indexer, which are refused.

        Returns:
            (batch_size, ..., num_tokens, output size) float; where padded zero, or the projection's bias.

        Raises:
            ConfigurationError: the field has no character ids.
        """
        if elmo_tokens is None or others:
            raise wrong_indexer(self, [*others, *([] if word_inputs is None else ["word_inputs"])])
        if word_inputs is not None and self._unknown_ids:
            word_inputs = word_inputs.masked_fill(self._is_unknown(word_inputs), torch.iinfo(torch.int64).max)
        vectors: Tensor = self._elmo(elmo_tokens, word_inputs)["elmo_representations"][0]
        return vectors if self._projection is None else self._projection(vectors)

    def indexer_to_add(self) -> dict[str, Any]:
        """The token indexer that this embedder needs, as a configuration says it."""
        return {"type": "elmo_characters"}

    def _is_unknown(self, word_inputs: Tensor) -> Tensor:
        """AllenNLP's number for all words that are not in the vocabulary stands for no word of its own."""
        return torch.isin(word_inputs, torch.tensor(self._unknown_ids, device=word_inputs.device))


def _load(options_file: str, weight_file: str, model: Optional[str]) -> BiLM:
    if model is None:
        return load_bilm(*local_files(options_file, weight_file))
    if (options_file, weight_file) != (ORIGINAL_OPTIONS, ORIGINAL_WEIGHTS):
        raise ConfigurationError(
            f"model stands for options_file and weight_file, got {model!r} and {options_file}, {weight_file}; "
            "leave out the one or the two"
        )
    return load_pretrained(model)


def _words_of(vocab: Optional[Vocabulary], namespace: str) -> list[str]:
    words: Mapping[int, str] = {} if vocab is None else vocab.get_index_to_token_vocabulary(namespace)
    if vocab is None or words.get(0) != vocab._padding_token:
        raise ConfigurationError(
            f"namespace_to_cache needs a vocabulary with padding in the namespace {namespace!r}, got "
            f"{'no vocabulary' if vocab is None else f'{len(words)} entries without it'}; name that of a single_id "
            "indexer, for instance tokens"
        )
    return [words[index] for index in range(len(words))]


def wrong_indexer(embedder: Any, given: list[str]) -> Exception:
    """What to raise where an embedder gets the tensors `given` of an indexer that is not its own."""
    error: Exception = ConfigurationError(
        f"this embedder needs what the indexer {embedder.indexer_to_add()['type']} gives, got "
        f"{', '.join(given) or 'nothing'}; write in the dataset_reader, with this embedder's name for elmo: "
        f"{lines_to_add('elmo', embedder)}"
    )
    return error
