"""ELMo as a module: character ids in, learned mixtures of the biLM's layers out."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict

from torch import Tensor, nn

from pytorch_elmo.elmo.carried_state import CarriedState
from pytorch_elmo.elmo.frozen import FrozenBiLM
from pytorch_elmo.elmo.scalar_mix import ScalarMix
from pytorch_elmo.elmo.token_table import TokenTable, is_padded_right
from pytorch_elmo.elmo.vocabulary_cache import cached_embedding, cached_token_table
from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.model import BiLM
from pytorch_elmo.model.mask import remove_sentence_boundaries
from pytorch_elmo.weights.load import load_bilm, load_pretrained, save_pretrained

logger = logging.getLogger(__name__)


class ElmoOutput(TypedDict):
    """elmo_representations: tensors (batch_size, num_tokens, dim) float; mask: (batch_size, num_tokens) bool."""

    elmo_representations: list[Tensor]
    mask: Tensor


class Elmo(nn.Module):
    """Mixtures of a biLM's layers, one per output representation (Peters et al. 2018, section 3.2).

    Arguments, their order and the names of all parameters are those of AllenNLP's class. Unlike it, a call does not
    depend on the calls before it: every sentence starts from zeros unless `stateful` is set.

    Args:
        options_file: options.json.
        weight_file: weights.hdf5.
        num_output_representations: mixes, each with its own scalars.
        requires_grad: fine-tune the biLM.
        do_layer_norm: normalise layers before mixing, over the whole batch.
        dropout: on each representation, active in training mode.
        vocab_to_cache: words whose token vectors are computed once; see `vocabulary_cache`.
        keep_sentence_boundaries: return the positions of `<S>` and `</S>` too.
        scalar_mix_parameters: fixed scalars before the softmax, one per layer; learned if None.
        module: another biLM, whose forward returns `activations` and `mask`; both files are None then.
        stateful: carry each row's state from call to call, as AllenNLP does.

    Raises:
        ConfigurationError: arguments that contradict each other, or options that cannot be run.
        WeightsError: the weight file is missing, damaged, or does not fit the options.
    """

    def __init__(
        self,
        options_file: str | Path | None,
        weight_file: str | Path | None,
        num_output_representations: int,
        requires_grad: bool = False,
        do_layer_norm: bool = False,
        dropout: float = 0.5,
        vocab_to_cache: Sequence[str] | None = None,
        keep_sentence_boundaries: bool = False,
        scalar_mix_parameters: Sequence[float] | None = None,
        module: nn.Module | None = None,
        *,
        stateful: bool = False,
    ) -> None:
        super().__init__()
        if num_output_representations < 1:
            raise ConfigurationError(f"num_output_representations is at least 1, got {num_output_representations}")
        self._elmo_lstm = self._choose_module(options_file, weight_file, module)
        self._keep_sentence_boundaries = keep_sentence_boundaries
        self._dropout = nn.Dropout(p=dropout)
        self.stateful, self._carried = stateful, CarriedState()
        if isinstance(self._elmo_lstm, BiLM):
            self._elmo_lstm.requires_grad_(requires_grad)
            self._frozen = FrozenBiLM()
            if vocab_to_cache:
                self._cache_vocabulary(vocab_to_cache, requires_grad)
        self._scalar_mixes: list[ScalarMix] = []
        num_layers = _num_layers(self._elmo_lstm)
        for index in range(num_output_representations):
            mix = ScalarMix(num_layers, do_layer_norm, scalar_mix_parameters, trainable=scalar_mix_parameters is None)
            self.add_module(f"scalar_mix_{index}", mix)
            self._scalar_mixes.append(mix)

    def _choose_module(
        self, options_file: str | Path | None, weight_file: str | Path | None, module: nn.Module | None
    ) -> nn.Module:
        if module is not None:
            if options_file is not None or weight_file is not None:
                raise ConfigurationError(
                    "module replaces options_file and weight_file; pass None for both, or no module"
                )
            return module
        if options_file is None or weight_file is None:
            raise ConfigurationError("options_file and weight_file are both needed, or a module; one is None")
        return self._load(options_file, weight_file)

    def _load(self, options_file: str | Path, weight_file: str | Path) -> BiLM:
        """The biLM of the two files; a subclass may know more ways to name them."""
        return load_bilm(options_file, weight_file)

    @classmethod
    def from_pretrained(
        cls, name_or_folder: str | Path, num_output_representations: int = 1, **arguments: Any
    ) -> "Elmo":
        """ELMo over a model by its name (`default`, `small`, `original`, …) or folder."""
        bilm = load_pretrained(name_or_folder)
        return cls(None, None, num_output_representations, module=bilm, **arguments)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the biLM, as it stands, where `from_pretrained` finds it."""
        if not isinstance(self._elmo_lstm, BiLM):
            raise ConfigurationError(f"only a biLM of this package is saved, this one is {type(self._elmo_lstm)}")
        save_pretrained(self._elmo_lstm, Path(folder))

    def get_output_dim(self) -> int:
        """Size of a representation."""
        if isinstance(self._elmo_lstm, BiLM):
            return self._elmo_lstm.config.dim
        return int(self._elmo_lstm.get_output_dim())  # type: ignore[operator]

    def reset_states(self, mask: Tensor | None = None) -> None:
        """Forget the carried states, of all rows or of those where `mask` is true."""
        self._carried.reset(mask)

    def forward(self, inputs: Tensor | None, word_inputs: Tensor | None = None) -> ElmoOutput:
        """Represent a batch of sentences.

        Args:
            inputs: (batch_size, …, num_tokens, num_characters) int64 from `batch_to_ids`; inner axes are run as more
                rows of the batch and restored. None is allowed where every word is cached.
            word_inputs: (batch_size, …, num_tokens) int64 places in `vocab_to_cache`.

        Returns:
            The representations (batch_size, …, num_tokens, dim), zero where padded, and their mask.

        Raises:
            ConfigurationError: neither ids nor cached words, or ids that `batch_to_ids` does not make.
        """
        if inputs is not None and inputs.ndim < 3:
            raise ConfigurationError(
                f"character ids have at least three axes (batch_size, num_tokens, num_characters), got "
                f"{tuple(inputs.shape)}; make them with batch_to_ids"
            )
        like = word_inputs if inputs is None else inputs[..., 0]
        if like is None:
            raise ConfigurationError("Elmo needs character ids, or word ids and vocab_to_cache, got neither")
        leading = like.shape[:-1]
        rows = None if inputs is None else inputs.flatten(0, -3)
        words = None if word_inputs is None else word_inputs.flatten(0, -2)
        layers, mask = self._layers(rows, words)
        representations = []
        for mix in self._scalar_mixes:
            mixed, visible = mix(layers, mask), mask
            if not self._keep_sentence_boundaries:
                mixed, visible = remove_sentence_boundaries(mixed, mask)
            representations.append(self._dropout(mixed.unflatten(0, leading)))
        return {"elmo_representations": representations, "mask": visible.unflatten(0, leading)}

    def _layers(self, rows: Tensor | None, words: Tensor | None) -> tuple[Sequence[Tensor], Tensor]:
        bilm = self._elmo_lstm
        if not isinstance(bilm, BiLM):
            output = bilm(rows) if words is None else bilm(rows, words)
            return output["activations"], output["mask"]
        table = self._token_table(bilm, rows, words)
        if not self.stateful and self._frozen.may_run(bilm) and is_padded_right(table.mask):
            return self._frozen.run(bilm, table), table.mask
        initial = self._carried.rows(bilm.lstm, len(table.mask)) if self.stateful else None
        result = bilm.run_tokens(table.token_embeddings, table.mask, initial)
        if self.stateful:
            self._carried.update(result.state)
        return result.layer_activations, table.mask

    def _token_table(self, bilm: BiLM, rows: Tensor | None, words: Tensor | None) -> TokenTable:
        cache = getattr(bilm, "_word_embedding", None)
        if words is not None and cache is not None:
            return cached_token_table(bilm, self._frozen.engine(bilm), cache, words, rows)
        if words is not None:
            logger.warning("word_inputs were given, but no vocabulary is cached (vocab_to_cache); they are ignored")
        if rows is None:
            raise ConfigurationError("word ids alone need vocab_to_cache; pass character ids")
        return self._frozen.token_table(bilm, rows)

    def _cache_vocabulary(self, words: Sequence[str], requires_grad: bool) -> None:
        if requires_grad:
            logger.warning("vocab_to_cache holds vectors of the loaded weights; fine-tuning does not change them")
        bilm = self._elmo_lstm
        assert isinstance(bilm, BiLM)
        bilm.add_module("_word_embedding", cached_embedding(words, self._frozen.engine(bilm)))


def _num_layers(module: nn.Module) -> int:
    return module.config.num_layers if isinstance(module, BiLM) else int(module.num_layers)  # type: ignore[arg-type]
