"""0.9's similarity functions: in 2.x each is an attention, or a matrix attention, of its own."""

from typing import Any

from pytorch_elmo.allennlp_plugin.legacy_translation import Config, Translation, demand, refuse

# Key of 0.9 -> key of 2.x, for what stands in a section that builds a model.
_RENAMED = {
    "bidaf": ("similarity_function", "matrix_attention"),
    "bidaf-ensemble": ("similarity_function", "matrix_attention"),
    "decomposable_attention": ("similarity_function", "matrix_attention"),
    "esim": ("similarity_function", "matrix_attention"),
    "simple_seq2seq": ("attention_function", "attention"),
}
_KNOWN = ("bilinear", "cosine", "dot_product", "linear")
_BILINEAR = {
    "matrix_attention": {"tensor_1_dim": "matrix_1_dim", "tensor_2_dim": "matrix_2_dim"},
    "attention": {"tensor_1_dim": "vector_dim", "tensor_2_dim": "matrix_dim"},
}


def translate_similarity(work: Translation, place: str, part: Config) -> None:
    """A similarity function of a model, or of a `legacy` attention inside it.

    Raises:
        ConfigurationError: a function that 2.x does not have.
    """
    old, new = _RENAMED.get(str(part.get("type")), ("", ""))
    if old in part and new not in part:
        part[new] = _attention(f"{place}.{old}", part.pop(old), new)
        work.note(f"{place}.{old}", f"is {new} {part[new]['type']}")
    for key, inner in part.items():
        if isinstance(inner, dict) and inner.get("type") == "legacy" and "similarity_function" in inner:
            kind = "matrix_attention" if "matrix" in key else "attention"
            attention = _attention(f"{place}.{key}.similarity_function", inner["similarity_function"], kind)
            part[key] = attention | ({"normalize": inner["normalize"]} if "normalize" in inner else {})
            work.note(f"{place}.{key}", f"legacy is {part[key]['type']}")


def _attention(place: str, function: Any, kind: str) -> Config:
    demand(place, isinstance(function, str | dict), "must be a similarity function", function)
    settings: Config = {"type": function} if isinstance(function, str) else dict(function)
    name = settings.pop("type", "dot_product")
    if name not in _KNOWN:
        refuse(place, f"2.x has {', '.join(_KNOWN)}", name, "choose one of them")
    if name == "dot_product" and settings.pop("scale_output", False):
        name = "scaled_dot_product"
    if name == "bilinear":
        settings = {_BILINEAR[kind].get(key, key): value for key, value in settings.items()}
    return {"type": name, **settings}
