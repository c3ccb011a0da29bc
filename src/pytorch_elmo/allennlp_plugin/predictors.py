"""Predictors for sentences that are tokenised already: no spaCy, no guess at tags.

    allennlp predict model.tar.gz lines.jsonl --predictor srl_from_tokens     # {"tokens": [...], "verbs": [3]}
    allennlp predict model.tar.gz lines.jsonl --predictor tagger_from_tokens  # {"tokens": [...]}

With `--use-dataset-reader` the same predictors take a file of the task's data instead; its gold tags are left out,
so that one that the model has never seen does not stop them.
"""

from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from typing import Any

from allennlp.common.util import JsonDict, sanitize
from allennlp.data import Instance
from allennlp.data.tokenizers import Token
from allennlp.predictors.predictor import Predictor

from pytorch_elmo.errors import TextError

Frame = dict[str, Any]


@Predictor.register("tagger_from_tokens", exist_ok=True)
class TaggerFromTokens(Predictor):
    """Tags of a sentence, from a tagger such as `crf_tagger` or `simple_tagger`.

    Takes `{"tokens": [...]}`, gives `{"words": [...], "tags": [...]}`, one tag a word.
    """

    def predict(self, tokens: list[str]) -> JsonDict:
        """The tags of one sentence."""
        return self.predict_json({"tokens": tokens})

    def predict_instance(self, instance: Instance) -> JsonDict:
        """The tags of a sentence that the dataset reader read."""
        return _words_and_tags(super().predict_instance(_without_gold(instance)))

    def predict_batch_instance(self, instances: list[Instance]) -> list[JsonDict]:
        """The tags of several."""
        outputs = super().predict_batch_instance(list(map(_without_gold, instances)))
        return list(map(_words_and_tags, outputs))

    def load_line(self, line: str) -> JsonDict:
        """The sentence on a line of the input.

        Raises:
            ValueError: not JSON.
            TextError: `tokens` is missing, or not what it is to be.
        """
        json_dict = super().load_line(line)
        _tokens_of(json_dict)
        return json_dict

    def _json_to_instance(self, json_dict: JsonDict) -> Instance:
        return self._dataset_reader.text_to_instance(list(map(Token, _tokens_of(json_dict))))


@Predictor.register("srl_from_tokens", exist_ok=True)
class SrlFromTokens(Predictor):
    """Semantic roles of the verbs of a sentence, from AllenNLP's model `srl`.

    Takes `{"tokens": [...], "verbs": [3]}`, the verbs by their places from 0, and gives AllenNLP's form of
    `semantic_role_labeling`: `{"words": [...], "verbs": [{"verb": ..., "description": ..., "tags": [...]}]}`, the
    verbs in the order of the request. An instance of the dataset reader is one verb, or a sentence without any.
    """

    def predict(self, tokens: list[str], verbs: list[int]) -> JsonDict:
        """The roles in one sentence."""
        return self.predict_json({"tokens": tokens, "verbs": verbs})

    def load_line(self, line: str) -> JsonDict:
        """The sentence on a line of the input.

        Raises:
            ValueError: not JSON.
            TextError: `tokens` or `verbs` is missing, or not what it is to be.
        """
        json_dict = super().load_line(line)
        _verbs_of(json_dict, len(_tokens_of(json_dict)))
        return json_dict

    def predict_json(self, inputs: JsonDict) -> JsonDict:
        """The roles in one sentence.

        Raises:
            TextError: `tokens` or `verbs` is missing, or not what it is to be.
        """
        return self.predict_batch_json([inputs])[0]

    def predict_batch_json(self, inputs: list[JsonDict]) -> list[JsonDict]:
        """The roles in several sentences, so many verbs at a time as there are sentences.

        Raises:
            TextError: as `predict_json`.
        """
        instances = [list(self._instances(json_dict)) for json_dict in inputs]
        frames = iter(self._frames([instance for of_sentence in instances for instance in of_sentence], len(inputs)))
        return [
            {"words": list(json_dict["tokens"]), "verbs": list(islice(frames, len(of_sentence)))}
            for json_dict, of_sentence in zip(inputs, instances, strict=True)
        ]

    def predict_instance(self, instance: Instance) -> JsonDict:
        """The roles of the verb of an instance of the dataset reader; without a verb there are none."""
        return self.predict_batch_instance([instance])[0]

    def predict_batch_instance(self, instances: list[Instance]) -> list[JsonDict]:
        """The same of several."""
        with_verb = [_without_gold(instance) for instance in instances if any(instance["verb_indicator"].labels)]
        frames = iter(self._frames(with_verb, len(instances)))
        return [
            {
                "words": [token.text for token in instance["tokens"]],
                "verbs": [next(frames)] if any(instance["verb_indicator"].labels) else [],
            }
            for instance in instances
        ]

    def _frames(self, instances: list[Instance], batch_size: int) -> Iterator[Frame]:
        """The frame of each instance, all of which have a verb."""
        for start in range(0, len(instances), batch_size):
            for output in self._model.forward_on_instances(instances[start : start + batch_size]):
                words, tags = output["words"], output["tags"]
                yield sanitize({"verb": output["verb"], "description": bracketed(words, tags), "tags": tags})

    def _instances(self, json_dict: JsonDict) -> Iterator[Instance]:
        tokens = _tokens_of(json_dict)
        for verb in _verbs_of(json_dict, len(tokens)):
            indicator = [int(place == verb) for place in range(len(tokens))]
            yield self._dataset_reader.text_to_instance(list(map(Token, tokens)), indicator)


def bracketed(words: Sequence[str], tags: Sequence[str]) -> str:
    """A frame for reading, as AllenNLP writes it: `[ARG0: Rain] [V: falls] today`.

    Args:
        words: of a sentence.
        tags: as many, in BIO form.
    """
    starts = [place for place, tag in enumerate(tags) if not tag.startswith("I-")]
    pieces = []
    for start, end in pairwise([*starts, len(words)]):
        piece, tag = " ".join(words[start:end]), tags[start]
        pieces.append(f"[{tag[2:]}: {piece}]" if tag.startswith("B-") else piece)
    return " ".join(pieces)


def _without_gold(instance: Instance) -> Instance:
    """An instance to be predicted: the vocabulary, which may lack its gold tags, is not asked for them."""
    return Instance({name: field for name, field in instance.fields.items() if name != "tags"})


def _words_and_tags(output: JsonDict) -> JsonDict:
    return {"words": output["words"], "tags": output["tags"]}


def _tokens_of(json_dict: JsonDict) -> list[str]:
    tokens = json_dict.get("tokens") if isinstance(json_dict, dict) else None
    if not isinstance(tokens, list) or not tokens or not all(isinstance(token, str) and token for token in tokens):
        raise TextError(
            f'a line must have "tokens", a list of words that are not empty, got {_short(json_dict)}; '
            'write for instance {"tokens": ["Rain", "falls"]}'
        )
    return tokens


def _verbs_of(json_dict: JsonDict, num_tokens: int) -> list[int]:
    verbs = json_dict.get("verbs")
    places = range(num_tokens)
    if not isinstance(verbs, list) or not all(type(verb) is int and verb in places for verb in verbs):
        raise TextError(
            f'a line must have "verbs", a list of places in its {num_tokens} tokens counted from 0, got '
            f'{_short(json_dict)}; write for instance {{"tokens": ["Rain", "falls"], "verbs": [1]}}'
        )
    return verbs


def _short(json_dict: JsonDict) -> str:
    text = repr(json_dict)
    return text if len(text) <= 80 else f"{text[:80]}..."
