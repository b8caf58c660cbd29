"""Claims about HL7 v2: what a message says becomes facts about the right person."""

from datetime import UTC, date, datetime

import pytest
from letters import facts, heard, refused

from medtwin.record import codes
from medtwin.record.codes import Kind
from medtwin.record.record import Record

PID = "PID|1||17^^^MAIN&1.2.3&ISO^MR~99^^^^SS||Example^Ada^B^^Dr^^L||19800203|F|||Hill 1^^Ulm||0731"
AT = "20240501101500+0200"
ada = "urn:oid:1.2.3|17"


def head(kind: str, number: str = "1", sent: str = AT) -> str:
    return rf"MSH|^~\&|LAB|WEST|EHR|EAST|{sent}||{kind}|{number}|P|2.5.1"


def message(kind: str, *lines: str, **said: str) -> bytes:
    return "\r".join([head(kind, **said), PID, *lines]).encode()


def told(kind: str, *lines: str, **said: str):
    return heard(message(kind, *lines, **said), "x.hl7")


def result(obx: str, status: str = "F"):
    return told("ORU^R01", f"OBR|1|||24323-8^Panel^LN|||{AT}||||||||||||||||||{status}", obx)


def obx(value: str, sort: str = "NM", code: str = "2339-0^Glucose^LN", unit: str = "mg/dL") -> str:
    return f"OBX|1|{sort}|{code}||{value}|{unit}|70-99|N|||F|||20240501090000+0200"


def test_the_person_is_who_pid_says_and_is_called_by_the_record_number():
    first = told("ADT^A04")[0]
    who = first.person
    assert first.about == ada
    assert (who.name, who.born, who.sex) == ("Dr Ada B Example", date(1980, 2, 3), "female")
    assert who.identifiers == (ada, "hl7v2:WEST|99")
    assert who.address == ("Hill 1, Ulm",)


def test_two_hospitals_seventeen_are_two_people():
    east = message("ADT^A04").replace(b"|WEST|", b"|NORTH|").replace(b"&1.2.3&ISO", b"")
    west = message("ADT^A04").replace(b"&1.2.3&ISO", b"")
    assert heard(east, "x.hl7")[0].about != heard(west, "x.hl7")[0].about


def test_a_number_is_converted_and_says_where_it_stands():
    arrived = result(obx("5.5", unit="mmol/L"))[0]
    glucose = next(f for f in arrived.facts if f.code == codes.glucose)
    assert glucose.value == pytest.approx(99.09, abs=0.01)
    assert glucose.at == datetime(2024, 5, 1, 7, tzinfo=UTC)
    assert arrived.places[arrived.facts.index(glucose)] == "OBX|1"
    assert glucose.source == "HL7 v2, WEST"


def test_the_original_is_kept_byte_for_byte():
    raw = message("ORU^R01", obx("100"))
    assert heard(raw, "x.hl7")[0].original == raw


@pytest.mark.parametrize(
    ("line", "value", "says"),
    [
        (obx("100"), 100, ""),
        (obx("<20"), 20, "<"),
        (obx("^100", "SN"), 100, ""),
        (obx(">^400", "SN"), 400, ">"),
        (obx("120", "ST"), 120, ""),
        (obx("Positive", "ST", "22310-7^H pylori^LN", ""), 1, "Positive"),
        (obx("260385009^Negative^SCT", "CWE", "22310-7^H pylori^LN", ""), 1, "Negative"),
        (obx("260385009^Negative^SCT", "CE", "22310-7^H pylori^LN", ""), 1, "Negative"),
        (obx("one~two", "TX", "1^Remark^L", ""), 1, "one\ntwo"),
        (obx(r"one\.br\two", "FT", "1^Remark^L", ""), 1, "one\ntwo"),
        (obx("20240401", "DT", "1^Last dose^L", ""), 1, "2024-04-01"),
        (obx("20240401083000", "TS", "1^Last dose^L", ""), 1, "2024-04-01T08:30:00"),
        (obx("^1^:^128", "SN", "1^Titre^L", ""), 1, "1.0 / 128.0"),
        (obx("^2^-^5", "SN", "1^Cells^L", ""), 1, "2.0 to 5.0"),
        (obx("2^5", "NR", "1^Cells^L", ""), 1, "2 to 5"),
    ],
)
def test_each_type_of_value_is_read(line, value, says):
    observed = [f for f in result(line)[0].facts if f.code.kind is not Kind.report]
    assert [(f.value, f.says) for f in observed] == [(value, says)]


def test_several_values_are_several_facts_each_with_its_place():
    arrived = result(obx("100~110"))[0]
    assert [f.value for f in arrived.facts if f.code == codes.glucose] == [100, 110]
    assert arrived.places[-2:] == ("OBX|1 value 1", "OBX|1 value 2")


def test_lines_of_one_text_are_one_text():
    lines = [f"OBX|{k}|TX|1^Report^L||line {k}||||||F" for k in range(1, 4)]
    said = [f.says for f in told("ORU^R01", *lines)[0].facts]
    assert said == ["line 1\nline 2\nline 3"]


def test_a_very_long_text_in_many_lines_is_read_in_no_time():
    lines = [f"OBX|{k}|TX|1^Report^L||{'word ' * 50}||||||F" for k in range(20_000)]
    (fact,) = told("ORU^R01", *lines)[0].facts
    assert fact.says.count("\n") == 19_999


def record(*messages: bytes) -> Record:
    days = [datetime(2024, 5, d, 12, tzinfo=UTC) for d in range(2, 2 + len(messages))]
    pairs = zip(messages, days, strict=True)
    known = Record("ada")
    for raw, day in pairs:
        known = known.add(f for a in heard(raw, "x.hl7", received=day) for f in a.facts)
    return known


def changed(status: str, value: str) -> bytes:
    line = obx(value).replace("|||F|||", f"|||{status}|||")
    return message("ORU^R01", line, number=f"2{status}")


def test_a_correction_replaces_nothing_and_both_are_known_with_their_dates():
    known = record(message("ORU^R01", obx("100")), changed("C", "210"))[codes.glucose]
    assert known.current.value.tolist() == [210]
    first = Record("ada", {codes.glucose: known}).known(datetime(2024, 5, 2, 13, tzinfo=UTC))
    assert first[codes.glucose].current.value.tolist() == [100]


@pytest.mark.parametrize("status", ["W", "D", "X"])
@pytest.mark.parametrize("value", ["100", ""])
def test_a_result_taken_back_is_gone_and_its_row_stays(status, value):
    known = record(message("ORU^R01", obx("100")), changed(status, value))[codes.glucose]
    assert len(known.current) == 0
    assert len(known) == 2


def test_times_without_a_zone_are_in_that_of_the_message():
    line = obx("100").replace("20240501090000+0200", "20240501090000")
    fact = told("ORU^R01", line)[0].facts[0]
    assert fact.at == datetime(2024, 5, 1, 7, tzinfo=UTC)


def test_an_undated_result_is_as_old_as_its_sample():
    line = obx("100").replace("|20240501090000+0200", "|")
    fact = result(line)[0].facts[-1]
    assert fact.at == datetime(2024, 5, 1, 8, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "lines", "expected", "words"),
    [
        ("ADT^A01", ["DG1|1||E11.9^Type 2 diabetes^I10||20240101|A"], Kind.condition, "Type 2"),
        ("ADT^A01", ["AL1|1|DA|7980^Penicillin^RXNORM|SV|rash"], Kind.allergy, "criticality high"),
        ("ADT^A01", ["PR1|1||80146002^Appendectomy^SCT||20240301"], Kind.procedure, "Appendec"),
        ("ADT^A01", ["PV1|1|I||E||||||||||||||||||||||||||||||||||||||||20240430"], "", "Emergen"),
        ("VXU^V04", ["RXA|0|1|20240101||140^Flu^CVX|0.5|mL^^UCUM|||||||||||CP"], "", "Flu"),
        ("ORM^O01", ["ORC|NW|1", "RXO|161^Paracetamol^RXN|500||mg"], Kind.medication, "500 mg"),
        ("ORM^O01", ["ORC|NW|1", "OBR|1|||36643-5^Chest X-ray^LN"], Kind.care_plan, "ordered: Ch"),
        ("RDE^O11", ["ORC|NW|1", "RXE||5640^Ibuprofen^RXNORM|400||mg|"], "", "Ibuprofen, 400 mg"),
        ("RDS^O13", ["ORC|NW|1", "RXD|1|5640^Ibuprofen^RXNORM|20240402|20|tab"], "", "20 tab"),
        ("PPR^PC1", ["PRB|AD|20240402|38341003^Hypertension^SCT|7"], Kind.condition, "Hypert"),
    ],
)
def test_each_segment_of_care_is_its_kind_of_fact(kind, lines, expected, words):
    arrived = told(kind, *lines)
    kinds = [(f.code.kind, f.says) for a in arrived for f in a.facts]
    assert refused(arrived) == []
    assert any((k is expected or not expected) and words in says for k, says in kinds), kinds


def test_a_dose_given_counts_in_the_units_of_the_house():
    rxa = "RXA|0|1|20240501080000|20240501080000|11289^Warfarin^RXNORM|5|mg^^UCUM"
    arrived = told("RAS^O17", "ORC|RE|1", rxa)
    assert facts(arrived) == [(ada, "warfarin", 5)]


def test_a_vaccine_refused_is_no_vaccine():
    rxa = "RXA|0|1|20240101||140^Flu^CVX|999||||||||||||00^Parental decision^NIP002||RE|A"
    assert [f.value for f in told("VXU^V04", rxa)[0].facts] == [0]


def test_a_visit_cancelled_never_was():
    pv1 = "PV1|1|I||E||||||||||||||||||||||||||||||||||||||||20240430"
    visit = codes.opened("http://terminology.hl7.org/CodeSystem/v2-0007|E", "", "1")
    known = record(message("ADT^A01", pv1), message("ADT^A11", pv1, number="2"))[visit]
    assert known.current.value.tolist() == [0]


def test_an_appointment_is_known_since_it_was_booked_and_says_when_it_will_be():
    sch = "SCH|1|2|||||CHECKUP^Check-up|||30|min|^^^20250105090000+0100^20250105093000+0100"
    raw = "\r".join([head("SIU^S12"), sch.replace("|||30", "||30"), PID]).encode()
    (fact,) = heard(raw, "x.hl7")[0].facts
    assert fact.at == datetime(2024, 5, 1, 8, 15, tzinfo=UTC)
    assert "appointment at 2025-01-05T09:00:00+01:00, 30 min" in fact.says


def test_a_documents_text_is_kept_for_the_notes_room_with_its_place():
    txa = "TXA|1|DS^Discharge summary|TX|20240430||||||||7|||||AU"
    lines = [f"OBX|{k}|TX|1^Text^L||{t}||||||F" for k, t in ((1, "No fever."), (2, "Goes home."))]
    arrived = told("MDM^T02", txa, *lines)
    (paper,) = [a for a in arrived if a.kept == "text of a document"]
    assert paper.original == b"No fever.\nGoes home."
    assert (paper.about, paper.media, paper.origin.endswith("#TXA|1")) == (ada, "text/plain", True)
    assert [f.says for a in arrived for f in a.facts] == ["Discharge summary", "no: fever"]
    assert paper.places == ("chars 3-8",)


def test_a_merge_is_kept_for_review_and_never_done_in_silence():
    arrived = told("ADT^A40^ADT_A39", "MRG|16^^^MAIN&1.2.3&ISO^MR")
    (merge,) = [a for a in arrived if a.kept]
    assert merge.kept == "HL7 v2 merge of identifiers, to be reviewed"
    assert (merge.about, merge.original) == (ada, b"urn:oid:1.2.3|16")
    assert arrived[0].person.identifiers == (ada, "hl7v2:WEST|99")


def test_segments_without_a_reader_are_counted():
    kept = [a.kept for a in told("ADT^A04", "NK1|1|Somebody", "IN1|1", "ZZZ|own") if a.kept]
    assert kept == ["HL7 v2 NK1", "HL7 v2 IN1", "HL7 v2 ZZZ"]


def test_each_person_of_a_message_has_their_own_facts():
    other = PID.replace("17^^^", "18^^^")
    arrived = told("ORU^R01", obx("100"), other, obx("200"))
    own = [f for f in facts(arrived) if f[1] == "glucose"]
    assert own == [(ada, "glucose", 100), ("urn:oid:1.2.3|18", "glucose", 200)]


def test_facts_of_nobody_are_refused():
    raw = "\r".join([head("ORU^R01"), "PID|1", obx("100")]).encode()
    assert refused(heard(raw, "x.hl7")) == [
        "Observation in OBX|1: it names no patient; allowed is a subject that is a Patient",
        "Patient in PID: this Patient has neither id nor identifier",
    ]


@pytest.mark.parametrize(
    ("line", "because"),
    [
        (obx("abc"), "its quantity is 'abc'; allowed is a number"),
        (obx("5", unit="furlong"), "glucose in furlong: allowed is mg/dL"),
        (obx("9000"), "is outside 10 to 1500"),
        (obx("high", "ST", unit=""), "allowed is a number with its unit"),
        ("OBX|1|ED|1^Scan^L||^IM^PDF^Base64^JVBERi0xL||||||F", "base64 is broken or cut short"),
        (obx("100").replace("20240501090000+0200", "yesterday"), "'yesterday' is not a FHIR date"),
    ],
)
def test_what_cannot_be_read_is_refused_with_place_and_reason_and_the_rest_goes_on(line, because):
    arrived = told("ORU^R01", line, obx("101").replace("OBX|1", "OBX|2"))
    assert [f.value for f in arrived[0].facts] == [101]
    (said,) = refused(arrived)
    assert because in said
    assert "OBX|1" in said


def test_a_batch_that_lost_messages_says_so():
    header = r"FHS|^~\&|LAB" + "\r" + r"BHS|^~\&|LAB" + "\r"
    raw = header.encode() + message("ORU^R01", obx("100")) + b"\rBTS|2\rFTS|1\r"
    arrived = heard(raw, "x.hl7")
    assert [f.value for a in arrived for f in a.facts] == [100]
    assert refused(arrived) == ["x.hl7: BTS-1 says 2 messages, 1 came; some may be lost"]


def test_a_broken_message_costs_only_itself():
    raw = message("ORU^R01", obx("100")) + b"\rMSH|^^\\&|broken\r" + message("ORU^R01", obx("101"))
    arrived = heard(raw, "x.hl7")
    assert [f.value for a in arrived for f in a.facts] == [100, 101]
    assert len(refused(arrived)) == 1


def test_every_sample_is_read_and_nothing_trips(shared):
    folder = shared / "conformance" / "hl7v2-samples" / "data" / "SampleData" / "Hl7v2"
    for file in sorted(folder.glob("*.hl7")):
        arrived = heard(file.read_bytes(), file.name)
        assert arrived[0].kind.startswith("HL7 v2 "), file.name
        assert not any("tripped" in r or "not shaped" in r for r in refused(arrived)), file.name
