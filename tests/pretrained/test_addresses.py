"""Addresses of published files, as they are and as they were."""

import pytest

from pytorch_elmo.pretrained.addresses import model_of_options, present_address
from pytorch_elmo.pretrained.catalog import MODELS


@pytest.mark.parametrize(
    "folder",
    [
        "https://allennlp.s3.amazonaws.com/models/elmo/",
        "https://s3-us-west-2.amazonaws.com/allennlp/models/elmo/",
        "http://s3-us-west-2.amazonaws.com/allennlp/models/elmo/",
        "s3://allennlp/models/elmo/",
    ],
)
def test_every_address_that_a_model_had(folder):
    stem = "2x4096_512_2048cnn_2xhighway"
    address = f"{folder}{stem}/elmo_{stem}_options.json"
    assert present_address(address) == MODELS["original"].options.url
    assert model_of_options(address) == "original"


def test_other_files_stay_what_they_are(tmp_path):
    assert present_address(tmp_path) == str(tmp_path)
    assert model_of_options("options.json") is None
