"""What is punctuation."""

import sys
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from pytorch_elmo.text.punctuation import punctuation_table, without_punctuation


def test_it_is_category_p_but_for_characters_that_one_edition_of_unicode_does_not_know():
    """Of the characters that Python's own tables have, it is those of category P, no more and no fewer."""
    punctuation = {code for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)).startswith("P")}
    differing = punctuation_table().keys() ^ punctuation
    assert {unicodedata.category(chr(code)) for code in differing} <= {"Cn"}  # assigned to nothing
    assert len(differing) < len(punctuation) / 20


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_the_table_and_the_pattern_delete_the_same(texts):
    deleted = without_punctuation([text.encode() for text in texts])
    assert [text.translate(punctuation_table()).encode() for text in texts] == deleted
