import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytorch_elmo.errors import LayerFileError
from pytorch_elmo.storage.sentence_index import index_entries, index_json

ANY_TEXT = st.text(alphabet=st.characters(codec=None), max_size=5)  # lone surrogates too
WITH_DUPLICATES = st.lists(ANY_TEXT, min_size=1, max_size=4).flatmap(lambda few: st.lists(st.sampled_from(few)))


@given(WITH_DUPLICATES | st.lists(ANY_TEXT))
def test_it_is_spelled_as_allennlp_spells_it(texts):
    sentence_to_index = {}
    for index, text in enumerate(texts):
        sentence_to_index[text] = str(index)
    assert b"".join(index_json(lambda: texts, len(texts))).decode("ascii") == json.dumps(sentence_to_index)


def test_the_last_of_equal_sentences_counts():
    texts = ["a", "b", "a", "c", "b", "a"]
    assert list(index_entries(lambda: texts, 6)) == [("a", 5), ("b", 4), ("c", 3)]


def test_an_input_that_grows_between_readings_is_noticed():
    readings = [["a", "b"], ["a", "b", "c"]]
    with pytest.raises(LayerFileError, match="2 sentences were counted, now there are 3"):
        b"".join(index_json(lambda: readings.pop(0), 2))
