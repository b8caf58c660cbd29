"""The door's law for every device's file: whatever comes, it answers, and no source trips."""

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st
from letters import heard, refused
from test_apple_health import ECG, STEPS, export
from test_edf import edf
from test_fit import file as fit
from test_fit import pulse
from test_fitbit import HOME, NIGHT, entry
from test_gatt import line
from test_google_fit import point as fit_point
from test_google_fit import stream
from test_nightscout import sgv, treated
from test_open_mhealth import HOUR, measured, point, sent
from test_oura import FIRST
from test_oura import NIGHT as RING
from test_tidepool import datum

STEP = {"step_count": measured(9, "steps"), "effective_time_frame": HOUR}
FILES = [
    ("ada.xml", export(STEPS, STEPS)),
    ("ecg.csv", ECG.encode()),
    ("a.fit", fit(pulse(0, 60), pulse(1, 61))),
    ("a.edf", edf([("ECG", "mV", 4)], 2)),
    ("a.jsonl", line("2A37", "0648") + line("2A18", "07" + "0100" + "e807" + "0501071e00")),
    ("a.hea", b"r 2 500/100 20 10:20:30 01/05/2024\nr.dat 16x2:1+4 1000(100)/mV 12 0 0 0 0 II\n"),
    ("a.dcm", b"\0" * 128 + b"DICM" + b"\x02\0\0\0UL\x04\0\xff\0\0\0\x08\0\x60\0CS\x02\0SR" * 3),
]
JSON = [
    ("a.json", [point("step-count", "3.0", STEP)]),
    (
        "a.json",
        [sgv(120), treated("Temp Basal", absolute=1, duration=30), treated("Note", notes="x")],
    ),
    ("a.json", [datum("cbg", value=5.5, units="mmol/L"), datum("bolus", normal=2)]),
    (f"{HOME}/steps-2024-05-01.json", [entry("12")]),
    (f"{HOME}/sleep-2024-05-01.json", [NIGHT]),
    ("a.json", {"sleep": [FIRST, RING]}),
    (
        "ada.zip:Takeout/Fit/a.json",
        orjson.loads(stream("weight", fit_point("weight", {"fpVal": 70}))),
    ),
]
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2)
    ),
    max_leaves=4,
)


def answered(name, raw):
    arrived = heard(raw, name)
    assert arrived
    assert not [r for r in refused(arrived) if "tripped over it" in r]


@settings(max_examples=250)
@given(st.sampled_from(FILES), st.data())
def test_any_file_with_some_bytes_changed_is_answered(sample, data):
    name, raw = sample
    spoilt = bytearray(raw)
    for _ in range(3):
        spoilt[data.draw(st.integers(0, len(spoilt) - 1))] = data.draw(st.integers(0, 255))
    answered(name, bytes(spoilt))


@settings(max_examples=150)
@given(st.sampled_from(FILES + [(n, orjson.dumps(s)) for n, s in JSON]), st.data())
def test_any_file_cut_anywhere_is_answered(sample, data):
    name, raw = sample
    answered(name, raw[: data.draw(st.integers(1, len(raw)))])


def places(said, path=()):
    """Every place in a JSON document."""
    yield path
    for key, inner in said.items() if isinstance(said, dict) else enumerate(said):
        if isinstance(inner, dict | list):
            yield from places(inner, (*path, key))
        else:
            yield (*path, key)


@settings(max_examples=400)
@given(st.sampled_from(JSON), st.data(), junk)
def test_any_element_of_a_json_export_may_be_nonsense(sample, data, nonsense):
    name, said = sample
    spoilt = orjson.loads(orjson.dumps(said))
    *above, last = data.draw(st.sampled_from([p for p in places(spoilt) if p]))
    inside = spoilt
    for key in above:
        inside = inside[key]
    inside[last] = nonsense
    try:
        answered(name, orjson.dumps(spoilt))
    except TypeError:  # a number no JSON holds
        return


def test_the_samples_themselves_are_read():
    for name, raw in FILES[:5] + [(n, orjson.dumps(s)) for n, s in JSON]:
        arrived = heard(raw, name)
        assert any(a.facts or a.waveforms for a in arrived), (name, refused(arrived))
    assert sent(point("step-count", "3.0", STEP))
