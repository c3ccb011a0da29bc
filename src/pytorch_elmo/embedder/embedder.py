"""Sentences in, numpy arrays out."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TextIO

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pytorch_elmo.elmo.carried_state import CarriedState
from pytorch_elmo.elmo.layer_choice import LayerChoice, Layers, choose_layers
from pytorch_elmo.elmo.pooling import pooling_by_name
from pytorch_elmo.elmo.token_cache import DEFAULT_CAPACITY, TokenCache
from pytorch_elmo.embedder.batches import DEFAULT_BATCH_TOKENS, BatchRule, check_sentence
from pytorch_elmo.embedder.documents import embed_document
from pytorch_elmo.embedder.setup import ALLENNLP_BATCH_SIZE, PRECISIONS, choose_device, load_model
from pytorch_elmo.embedder.words import number_words
from pytorch_elmo.errors import ConfigurationError
from pytorch_elmo.model import BiLM
from pytorch_elmo.model.bidirectional_lstm import LstmState
from pytorch_elmo.model.inference import InferenceBiLM
from pytorch_elmo.text.characters import refuse_string

Vectors = NDArray[np.float32]


class ElmoEmbedder:
    """Contextual vectors of tokenised sentences (AllenNLP 0.9's class, with its first three arguments).

    A sentence's vectors depend on nothing but the sentence, unless `stateful` is set. Give no files for the model
    in the package.

    Args:
        options_file: options.json, with `weight_file`.
        weight_file: weights.hdf5, with `options_file`.
        cuda_device: a GPU's number, -1 for the CPU; `device` says the same in PyTorch's words.
        model: a model's name or folder instead of the two files.
        device: such as `cpu` or `cuda:0`.
        precision: of matrix products: fp32, bf16 or fp16; results are float32 always.
        batch_tokens: tokens that are run together.
        batch_size: sentences that are run together; bounds the batch instead of `batch_tokens`.
        stateful: carry each batch row's state from call to call, as AllenNLP does; batches are then of `batch_size`
            sentences, 64 if it is None.
        cached_words: words whose token vectors are kept.

    Raises:
        ConfigurationError: arguments that contradict each other or cannot be run.
        PytorchElmoError: the model cannot be found or read.
    """

    def __init__(
        self,
        options_file: str | Path | None = None,
        weight_file: str | Path | None = None,
        cuda_device: int = -1,
        *,
        model: str | Path | BiLM = "default",
        device: str | torch.device | None = None,
        precision: str = "fp32",
        batch_tokens: int = DEFAULT_BATCH_TOKENS,
        batch_size: int | None = None,
        stateful: bool = False,
        cached_words: int = DEFAULT_CAPACITY,
    ) -> None:
        if precision not in PRECISIONS:
            raise ConfigurationError(f"precision is one of {', '.join(PRECISIONS)}, got {precision!r}")
        if stateful and precision != "fp32":
            raise ConfigurationError(
                f"stateful reproduces AllenNLP in fp32, got precision {precision}; drop one of them"
            )
        if stateful and batch_size is None:
            batch_size = ALLENNLP_BATCH_SIZE
        self.rule = BatchRule(batch_tokens=batch_tokens, batch_size=batch_size)
        bilm, self.name = load_model(options_file, weight_file, model)
        self.bilm = bilm.to(choose_device(device, cuda_device))
        self.precision, self.stateful = precision, stateful
        self._engine = InferenceBiLM(self.bilm, dtype=PRECISIONS[precision])
        self._cache = TokenCache(self._engine, capacity=cached_words)
        self._carried = CarriedState()

    @classmethod
    def from_pretrained(cls, name_or_folder: str | Path, **arguments: object) -> "ElmoEmbedder":
        """An embedder over a model by its name or folder; `arguments` are the constructor's keywords."""
        return cls(model=name_or_folder, **arguments)  # type: ignore[arg-type]

    def __repr__(self) -> str:
        config = self.bilm.config
        state = ", stateful" if self.stateful else ""
        return (
            f"ElmoEmbedder({self.name}: {config.num_layers} layers of {config.dim} dimensions, "
            f"{self.precision} on {self.device}{state})"
        )

    @property
    def device(self) -> torch.device:
        """Where the biLM runs."""
        return self._engine.device

    @property
    def num_layers(self) -> int:
        """Layers of a result, the token vectors included."""
        return self.bilm.config.num_layers

    @property
    def dim(self) -> int:
        """Size of a vector."""
        return self.bilm.config.dim

    def to(self, device: str | torch.device) -> "ElmoEmbedder":
        """Move to another device, in place."""
        self.bilm.to(device)
        self._engine = InferenceBiLM(self.bilm, dtype=PRECISIONS[self.precision])
        self._cache = TokenCache(self._engine, capacity=self._cache.capacity)
        return self

    @property
    def carried_state(self) -> LstmState | None:
        """What the batch rows of a stateful embedder go on from; None before the first call."""
        return self._carried.state

    @carried_state.setter
    def carried_state(self, state: LstmState | None) -> None:
        self._carried.state = state

    def reset_states(self) -> None:
        """Forget the carried states of a stateful embedder."""
        self._carried.reset()

    def embed_sentence(self, sentence: Sequence[str], *, layers: Layers = "all") -> Vectors:
        """Vectors of one sentence.

        Args:
            sentence: tokens; may be empty.
            layers: `all`, `top`, `average`, a layer's number, or one weight per layer.

        Returns:
            (num_layers, num_tokens, dim) float32, or (num_tokens, dim) where `layers` names less than all.

        Raises:
            TextError: a string instead of a list of tokens.
            ConfigurationError: layers that the model does not have.
        """
        return self.embed_batch([sentence], layers=layers)[0]

    def embed_batch(self, batch: Sequence[Sequence[str]], *, layers: Layers = "all") -> list[Vectors]:
        """Vectors of several sentences, each as `embed_sentence` gives them.

        A stateful embedder takes the batch as AllenNLP's rows; another may run it in smaller batches.
        """
        refuse_string(batch)
        rule = self.rule if not self.stateful else BatchRule(batch_size=max(len(batch), 1))
        return list(self._embed(batch, rule, choose_layers(layers, self.num_layers)))

    def embed_sentences(
        self, sentences: Iterable[Sequence[str]], batch_size: int | None = None, *, layers: Layers = "all"
    ) -> Iterator[Vectors]:
        """Vectors of any number of sentences, lazily and in their order.

        Args:
            sentences: a list, a generator, or a column of a `datasets.Dataset`.
            batch_size: sentences run together; the constructor's batches if None.
            layers: as for `embed_sentence`.
        """
        refuse_string(sentences)
        rule = self.rule if batch_size is None else replace(self.rule, batch_size=batch_size)
        return self._embed(sentences, rule, choose_layers(layers, self.num_layers))

    def sentence_vectors(
        self, sentences: Iterable[Sequence[str]], *, layers: Layers = "average", pooling: str = "mean"
    ) -> Vectors:
        """One vector per sentence.

        Args:
            sentences: tokenised sentences; an empty one gets zeros.
            layers: what is pooled; `all` pools every layer.
            pooling: mean, max, or first-last (each direction where it has read everything).

        Returns:
            (num_sentences, dim) float32; (num_sentences, num_layers, dim) for `all`.
        """
        pool = pooling_by_name(pooling)
        pooled = []
        for vectors in self.embed_sentences(sentences, layers=layers):
            rows = torch.from_numpy(vectors if vectors.ndim == 3 else vectors[None])
            result = pool(rows, torch.ones(rows.shape[:2], dtype=torch.bool)).numpy()
            pooled.append(result if vectors.ndim == 3 else result[0])
        shape = (self.num_layers, self.dim) if layers == "all" else (self.dim,)
        return np.stack(pooled) if pooled else np.empty((0, *shape), dtype=np.float32)

    def batch_to_embeddings(self, batch: Sequence[Sequence[str]]) -> tuple[Tensor, Tensor]:
        """AllenNLP's padded form of a batch.

        Returns:
            Activations (batch_size, num_layers, num_tokens, dim) float32 on the device, zero where padded, and the
            mask (batch_size, num_tokens) bool.
        """
        vectors = [torch.from_numpy(sentence) for sentence in self.embed_batch(batch)]
        num_tokens = max((sentence.shape[1] for sentence in vectors), default=0)
        activations = torch.zeros(len(vectors), self.num_layers, num_tokens, self.dim)
        mask = torch.zeros(len(vectors), num_tokens, dtype=torch.bool)
        for row, sentence in enumerate(vectors):
            activations[row, :, : sentence.shape[1]] = sentence
            mask[row, : sentence.shape[1]] = True
        return activations.to(self.device), mask.to(self.device)

    def embed_file(
        self,
        input_file: str | Path | TextIO,
        output_file_path: str | Path,
        output_format: str = "all",
        batch_size: int | None = None,
        forget_sentences: bool = False,
        use_sentence_keys: bool = False,
        *,
        overwrite: bool = False,
    ) -> None:
        """Write a text's vectors to a layer file, as the command `embed-to-hdf5` does.

        Args:
            input_file: one tokenised sentence a line; a path, or an open file that has one.
            output_file_path: HDF5 file to write.
            output_format: all, top or average.
            batch_size: sentences run together; the constructor's batches if None.
            forget_sentences: leave `sentence_to_index` out.
            use_sentence_keys: name datasets by their sentence.
            overwrite: replace an existing file once the new one is finished.

        Raises:
            PytorchElmoError: the input cannot be read, or the output exists or cannot be written.
        """
        from pytorch_elmo.embedder.file_job import FileJob, write_file

        source = input_file if isinstance(input_file, str | Path) else input_file.name
        job = FileJob(
            output=Path(output_file_path),
            layers=output_format,
            forget_sentences=forget_sentences,
            use_sentence_keys=use_sentence_keys,
            overwrite=overwrite,
        )
        write_file(self, source, job, self.rule if batch_size is None else replace(self.rule, batch_size=batch_size))

    def embed_document(self, tokens: Sequence[str], destination: NDArray[np.generic], layers: Layers = "all") -> None:
        """Write one long sentence's vectors to `destination` in chunks of `batch_tokens`; memory stays bounded.

        Args:
            tokens: any number of tokens.
            destination: array of the result's shape, such as a memory-mapped file; other dtypes are rounded to.
            layers: as for `embed_sentence`.
        """
        check_sentence(tokens)
        choice = choose_layers(layers, self.num_layers)
        embed_document(self._engine, self._cache, tokens, destination, choice, self.rule.chunk_tokens)

    def _embed(self, sentences: Iterable[Sequence[str]], rule: BatchRule, choice: LayerChoice) -> Iterator[Vectors]:
        for batch in rule.batches(sentences):
            run = self._embed_stateful(batch) if self.stateful else self._embed_stateless(batch, rule)
            for sentence in run:
                chosen: Vectors = choice(sentence).cpu().numpy()
                yield chosen

    def _embed_stateless(self, batch: list[list[str]], rule: BatchRule) -> list[Tensor]:
        """(num_layers, num_tokens, dim) of each sentence, every one from zeros."""
        config = self.bilm.config
        short = [sentence for sentence in batch if 0 < len(sentence) <= rule.chunk_tokens]
        words, places = number_words(short)
        embedded = iter(self._engine.embed(self._cache.vectors(words), places, boundaries=False))
        results = []
        for sentence in batch:
            if 0 < len(sentence) <= rule.chunk_tokens:
                results.append(next(embedded))
            else:
                vectors = np.empty((config.num_layers, len(sentence), config.dim), dtype=np.float32)
                if sentence:
                    self.embed_document(sentence, vectors)
                results.append(torch.from_numpy(vectors))
        return results

    @torch.no_grad()
    def _embed_stateful(self, batch: list[list[str]]) -> list[Tensor]:
        """As AllenNLP's `embed_batch`: row by row from the states of the batch before."""
        if not any(batch):  # AllenNLP fails here, and leaves the states as they are
            return [torch.empty(self.num_layers, 0, self.dim) for _ in batch]
        words, sentences = number_words(batch)
        lengths = torch.tensor([len(sentence) for sentence in sentences], device=self.device)
        places = torch.zeros(len(batch), int(lengths.max()), dtype=torch.int64)
        for row, sentence in enumerate(sentences):
            places[row, : len(sentence)] = torch.from_numpy(sentence)
        mask = torch.arange(places.shape[1], device=self.device) < lengths.unsqueeze(-1)
        vectors = self._cache.vectors(words)[places.to(self.device)]
        output = self.bilm.run_tokens(vectors, mask, self._carried.rows(self.bilm.lstm, len(batch)))
        self._carried.update(output.state)
        activations = torch.stack(output.layer_activations, dim=1)
        return [activations[row, :, 1 : len(sentence) + 1].clone() for row, sentence in enumerate(batch)]
