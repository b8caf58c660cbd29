"""A law of the door: whatever comes, it answers; it never raises and never says nothing."""

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st
from letters import ada, bundle, heard, reading, refused
from test_diaries import CLARITY, KLARHEIT, LIBRE
from test_fhir import EVENTS
from test_table import PLAIN

begins = st.sampled_from(
    [b"", b"{", b'{"resourceType":"Bundle","entry":[', b"time,glucose\n", b"PAR1", b"PK\x03\x04"]
    + [t.encode() for t in (CLARITY, KLARHEIT, LIBRE)]
    + [PLAIN, bundle(ada, reading(1))]
)
names = st.sampled_from(["x.json", "x.ndjson", "x.csv", "x.parquet", "x.txt", "x"])
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["code", "reference", "value", "start"]), inner, max_size=2
        )
    ),
    max_leaves=4,
)
event = {"subject": {"reference": "Patient/ada"}, "patient": {"reference": "Patient/ada"}}
good = [ada, reading(1)] + [{"resourceType": k, "id": "e"} | event | said for k, said, _ in EVENTS]


def answered(arrived):
    return arrived and not any("tripped over" in because for because in refused(arrived))


@settings(max_examples=150)
@given(begins, st.binary(max_size=300), names)
def test_any_bytes_under_any_name_are_answered(beginning, rest, name):
    assert answered(heard(beginning + rest, name))


@settings(max_examples=150)
@given(begins, st.data(), names)
def test_any_file_with_some_bytes_changed_is_answered(beginning, data, name):
    spoilt = bytearray(beginning or b"x")
    for _ in range(3):
        spoilt[data.draw(st.integers(0, len(spoilt) - 1))] = data.draw(st.integers(0, 255))
    assert answered(heard(bytes(spoilt), name))


@settings(max_examples=300)
@given(st.sampled_from(good), st.data(), junk)
def test_any_element_of_a_resource_may_be_nonsense(resource, data, nonsense):
    spoilt = orjson.loads(orjson.dumps(resource))
    inside, key = spoilt, data.draw(st.sampled_from(sorted(spoilt)))
    if isinstance(spoilt[key], dict) and spoilt[key] and data.draw(st.booleans()):
        inside, key = spoilt[key], data.draw(st.sampled_from(sorted(spoilt[key])))
    inside[key] = nonsense
    try:
        letter = bundle(spoilt, reading(2, 77))
    except TypeError:  # a number no JSON holds
        return
    arrived = heard(letter)
    assert answered(arrived)
    assert len(arrived) == 2
    assert any(f.value == 77 for a in arrived for f in a.facts)
