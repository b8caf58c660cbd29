"""A law of the door, for HL7: whatever is done to a message or document, it is answered."""

from hypothesis import given, settings
from hypothesis import strategies as st
from letters import heard, refused
from test_ccda import document, drug, problem, section, vital
from test_hl7v2 import message, obx

MESSAGES = [
    message("ORU^R01", "OBR|1|||24323-8^Panel^LN", obx("100"), obx("^1^:^2", "SN"), "NTE|1||x"),
    message("ADT^A01", "PV1|1|I||E", "PV2|||x^y", "DG1|1||E11^x^I10", "AL1|1|DA|7^x", "MRG|1"),
    message("RDE^O11", "ORC|NW|1", "TQ1|1|2^&mg|BID", "RXE||1^x^L|5||mg", "RXR|PO^oral"),
    message("MDM^T02", "TXA|1|DS|TX|2024", "OBX|1|ED|1^x||^IM^PDF^Base64^AAAA", "OBX|2|TX|1||x"),
    message("SIU^S12", "SCH|1|2|||||x|||30|min|^^^2024", "AIS|1||x^y"),
    message("VXU^V04", "ORC|RE|1", "RXA|0|1|20240101||140^Flu^CVX|0.5|mL^^UCUM"),
]
DOCUMENTS = [document(section(problem(), vital('<value nullFlavor="UNK"/>'), drug("16")))]


def answered(raw: bytes, name: str) -> bool:
    arrived = heard(raw, name)
    return bool(arrived) and not any("tripped over" in r for r in refused(arrived))


@settings(max_examples=400)
@given(st.sampled_from(MESSAGES), st.data())
def test_a_message_with_some_bytes_changed_is_answered(raw, data):
    spoilt = bytearray(raw)
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(4, len(spoilt) - 1))
        spoilt[place] = data.draw(st.sampled_from([*b"|^~\\&\r\n\x0b\x1c\x00", 0xFF, 65, 48]))
    assert answered(bytes(spoilt), "x.hl7")


@settings(max_examples=200)
@given(st.sampled_from(MESSAGES), st.data())
def test_a_message_with_a_field_of_nonsense_is_answered(raw, data):
    lines = raw.decode().split("\r")
    at = data.draw(st.integers(1, len(lines) - 1))
    fields = lines[at].split("|")
    field = data.draw(st.integers(1, len(fields)))
    nonsense = data.draw(st.text(max_size=12).filter(lambda t: "\r" not in t and "\n" not in t))
    lines[at] = "|".join([*fields[:field], nonsense, *fields[field + 1 :]])
    assert answered("\r".join(lines).encode("utf-8", "replace"), "x.hl7")


@settings(max_examples=150)
@given(st.sampled_from(DOCUMENTS), st.data())
def test_a_document_with_an_attribute_of_nonsense_is_answered(raw, data):
    pieces = raw.decode().split('"')
    at = data.draw(st.integers(3, (len(pieces) - 1) // 2 - 1)) * 2 + 1
    letters = st.text(st.characters(codec="ascii", exclude_characters='<&"'), max_size=8)
    pieces[at] = data.draw(letters)
    assert answered('"'.join(pieces).encode(), "x.xml")


@settings(max_examples=100)
@given(st.sampled_from(MESSAGES + DOCUMENTS), st.data())
def test_a_message_cut_anywhere_is_answered(raw, data):
    assert answered(raw[: data.draw(st.integers(4, len(raw)))], "x.hl7")
