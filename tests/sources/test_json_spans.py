"""Claims about finding resources in bytes."""

import orjson
from hypothesis import given
from hypothesis import strategies as st

from medtwin.sources.json_spans import resources

values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=6) | st.just("resource"), inner, max_size=3)
    ),
    max_leaves=8,
)
things = st.dictionaries(st.text(max_size=6), values, max_size=4)


@given(st.lists(things, max_size=5), things, st.booleans())
def test_each_slice_is_its_resource_whatever_stands_in_strings(inside, other, spaced):
    other = {k: v for k, v in other.items() if k != "entry"}
    document = other | {"entry": [{"link": [{"resource": 1}], "resource": r} for r in inside]}
    raw = orjson.dumps(document, option=orjson.OPT_INDENT_2 if spaced else 0)
    assert [orjson.loads(raw[a:b]) for a, b in resources(raw)] == inside


@given(st.lists(things, min_size=1, max_size=4), st.integers(1, 200))
def test_of_a_document_cut_short_the_whole_resources_are_found(inside, cut):
    raw = orjson.dumps({"entry": [{"resource": r} for r in inside]})[:-cut]
    found = [orjson.loads(raw[a:b]) for a, b in resources(raw)]
    assert found == inside[: len(found)]


def test_a_document_without_entries_has_none():
    assert resources(b'{"resourceType": "Patient"}') == []
