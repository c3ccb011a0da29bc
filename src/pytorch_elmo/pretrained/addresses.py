"""Where AllenNLP's models were published, now and earlier."""

from pathlib import Path

from pytorch_elmo.pretrained.catalog import MODELS, PUBLISHER

_EARLIER_ADDRESSES = (  # of the same folder, as the configurations and scripts of the 0.x releases have them
    "https://s3-us-west-2.amazonaws.com/allennlp/models/elmo/",
    "http://s3-us-west-2.amazonaws.com/allennlp/models/elmo/",
    "http://allennlp.s3.amazonaws.com/models/elmo/",
    "s3://allennlp/models/elmo/",
)


def present_address(file: str | Path) -> str:
    """The address that the catalogue has for a file of a published model; anything else stays what it is."""
    address = str(file)
    for earlier in _EARLIER_ADDRESSES:
        if address.startswith(earlier):
            return PUBLISHER + address.removeprefix(earlier)
    return address


def model_of_options(options_file: str | Path) -> str | None:
    """The name of the model whose options file was published at an address."""
    address = present_address(options_file)
    return next((name for name, entry in MODELS.items() if entry.options and entry.options.url == address), None)
