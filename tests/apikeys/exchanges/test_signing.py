"""What stands in for functions of ccxt does the same, and hands back to ccxt what it does not do itself."""

from collections.abc import Mapping
from typing import Any

import ccxt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apikeys.exchanges.client import signing

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E))
VALUE = TEXT | PRINTABLE | st.integers() | st.booleans() | st.floats() | st.none() | st.binary()


@given(st.dictionaries(TEXT | PRINTABLE, VALUE), st.booleans())
@example({"".join(map(chr, range(128))): "".join(map(chr, range(128)))}, False)
@example({"a": True, "b": "Zürich 東京", "c": [1, "x y"], "d": -1.5, "e": "", "": "f"}, False)
@example({"several": ["a b", "c/d"], "one": "e=f&g"}, True)
def test_it_writes_a_query_as_ccxt_does(params: Mapping[str, Any], doseq: bool) -> None:
    assert signing._urlencode(params, doseq) == ccxt.Exchange.urlencode(params, doseq)


def test_half_a_character_is_no_part_of_a_query() -> None:
    with pytest.raises(UnicodeEncodeError):
        signing._urlencode({"a": "\ud800"})
