import numpy as np
import pytest

from pytorch_elmo.errors import ConfigurationError, LayerFileError
from pytorch_elmo.storage.layout import LayerFileSpec, disk_shape, exactly, sentence_shape, swap_tokens_and_layers


@pytest.mark.parametrize("token_counts", [[3, 2, 3, 1, 0, 3], [3, 2, 3, 1, 0, 3, 2]])
def test_counts_must_agree_with_the_manifest(manifest, token_counts):
    counted = f"{len(token_counts)} sentences and {sum(token_counts)} tokens, got 7 and 13"
    with pytest.raises(ConfigurationError, match=f"must count what the token counts do: {counted}"):
        LayerFileSpec(manifest=manifest, token_counts=np.array(token_counts))


def test_keys_and_manifest_must_agree(small_job):
    job = small_job()
    with pytest.raises(ConfigurationError, match="keys go with a manifest of sentence keys, got some with 'index'"):
        LayerFileSpec(manifest=job.manifest, token_counts=job.token_counts, keys=job.sentences)
    job = small_job(keys="sentence")
    with pytest.raises(ConfigurationError, match=r"keys go with a manifest .*, got none with 'sentence'"):
        LayerFileSpec(manifest=job.manifest, token_counts=job.token_counts)


def test_keys_leave_no_need_for_an_index(small_job):
    job = small_job(keys="sentence")
    with pytest.raises(ConfigurationError, match="got both keys and sentences; give one"):
        LayerFileSpec(
            manifest=job.manifest, token_counts=job.token_counts, keys=job.sentences, sentences=job.sentences
        )


@pytest.mark.parametrize(
    ("fields", "on_disk", "as_read"),
    [
        ({}, (3, 5, 4), (3, 5, 4)),
        ({"layout": "packed"}, (5, 3, 4), (3, 5, 4)),
        ({"num_layers": None}, (5, 4), (5, 4)),
        ({"layout": "packed", "num_layers": None}, (5, 4), (5, 4)),
    ],
)
def test_shapes(small_job, fields, on_disk, as_read):
    manifest = small_job(**fields).manifest
    assert disk_shape(manifest, 5) == on_disk
    assert sentence_shape(manifest, 5) == as_read
    assert swap_tokens_and_layers(manifest, np.zeros(as_read)).shape == on_disk


@pytest.mark.parametrize(("texts", "found"), [(["a"], 1), (["a", "b", "c", "d"], 4)])
def test_a_changed_input_is_noticed(texts, found):
    with pytest.raises(LayerFileError, match=f"2 sentences were counted, now there are {found}; start again"):
        list(exactly(texts, 2))
    assert list(exactly(texts, found)) == texts
