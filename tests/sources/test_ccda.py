"""Claims about C-CDA: entries become facts of the right person; nothing else is made of them."""

from datetime import UTC, date, datetime

import pytest
from letters import facts, heard, refused

from medtwin.record import codes
from medtwin.record.codes import Kind

ROOT = "2.16.840.1.113883.10.20.22.4."
SNOMED, LOINC = "2.16.840.1.113883.6.96", "2.16.840.1.113883.6.1"
WHO = """<recordTarget><patientRole><id root="2.16.840.1.113883.4.1" extension="999"/>
<id root="1.2.3" extension="17"/><addr><streetAddressLine>Hill 1</streetAddressLine>
<city>Ulm</city></addr><telecom value="tel:0731"/><patient><name use="L"><given>Ada</given>
<given qualifier="CL">Addy</given><family>Example</family></name>
<administrativeGenderCode code="F"/><birthTime value="19800203"/></patient></patientRole>
</recordTarget>"""


def document(body: str = "", who: str = WHO, before: str = "") -> bytes:
    return f"""<?xml version="1.0"?>{before}<ClinicalDocument xmlns="urn:hl7-org:v3"
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><id root="9.9"/>
<code code="34133-9" codeSystem="{LOINC}" displayName="Summary"/><title>A summary</title>
<effectiveTime value="20240501120000+0200"/>{who}
<component><structuredBody>{body}</structuredBody></component></ClinicalDocument>""".encode()


def section(*entries: str, code: str = "11450-4", words: str = "") -> str:
    inside = "".join(f"<entry>{e}</entry>" for e in entries)
    return f"""<component><section><code code="{code}" codeSystem="{LOINC}"/>
<title>Title</title><text>{words}</text>{inside}</section></component>"""


def cd(name: str, code: str, words: str, system: str = SNOMED) -> str:
    return f'<{name} xsi:type="CD" code="{code}" codeSystem="{system}" displayName="{words}"/>'


def problem(extra: str = "", time: str = '<low value="20240101"/>') -> str:
    inner = f"""<observation classCode="OBS" moodCode="EVN" {extra}><templateId root="{ROOT}4"/>
{cd("code", "64572001", "Condition")}<effectiveTime>{time}</effectiveTime>
{cd("value", "233604007", "Pneumonia")}</observation>"""
    relation = f'<entryRelationship typeCode="SUBJ">{inner}</entryRelationship>'
    return f'<act classCode="ACT" moodCode="EVN"><templateId root="{ROOT}3"/>{relation}</act>'


def vital(value: str, code: str = "8480-6", when: str = "202404301030") -> str:
    inner = f"""<observation classCode="OBS" moodCode="EVN"><templateId root="{ROOT}27"/>
{cd("code", code, "Vital", LOINC)}<effectiveTime value="{when}"/>{value}</observation>"""
    head = f'<organizer moodCode="EVN"><templateId root="{ROOT}26"/>'
    return f"{head}<component>{inner}</component></organizer>"


def pq(value: str, unit: str) -> str:
    return f'<value xsi:type="PQ" value="{value}" unit="{unit}"/>'


def drug(template: str, extra: str = "", more: str = "") -> str:
    material = cd("code", "573621", "Proventil", "2.16.840.1.113883.6.88")
    product = f"<manufacturedProduct><manufacturedMaterial>{material}</manufacturedMaterial>"
    return f"""<substanceAdministration {extra or 'moodCode="EVN"'}>
<templateId root="{ROOT}{template}"/><effectiveTime xsi:type="IVL_TS"><low value="20240103"/>
</effectiveTime>{more}<consumable>{product}</manufacturedProduct></consumable>
</substanceAdministration>"""


def told(*entries: str, code: str = "11450-4"):
    return heard(document(section(*entries, code=code)), "x.xml")


def own(arrived) -> list:
    return [f for f in arrived[0].facts if f.code.kind is not Kind.report]


def test_the_person_is_who_the_record_target_says():
    first = told()[0]
    who = first.person
    assert first.about == "urn:oid:1.2.3|17"
    assert (who.name, who.born, who.sex) == ("Ada Example", date(1980, 2, 3), "female")
    assert who.identifiers == ("urn:oid:1.2.3|17", "http://hl7.org/fhir/sid/us-ssn|999")
    assert (who.address, who.contact) == (("Hill 1, Ulm",), ("0731",))


def test_a_problem_runs_from_its_onset_to_its_end_and_says_where_it_stands():
    arrived = told(problem(time='<low value="20240101"/><high value="20240201"/>'))
    (fact,) = own(arrived)
    assert (fact.code.kind, fact.code.name, fact.value) == (Kind.condition, "Pneumonia", 1)
    assert (fact.at.date(), fact.until.date()) == (date(2023, 12, 31), date(2024, 1, 31))
    place = arrived[0].places[arrived[0].facts.index(fact)]
    assert place == "(//section)[1]/entry/act/entryRelationship/observation"


def test_what_is_negated_is_not_so():
    assert [f.value for f in own(told(problem('negationInd="true"')))] == [0]
    given = told(drug("52", 'moodCode="EVN" negationInd="true"'))
    assert [(f.code.kind, f.value) for f in own(given)] == [(Kind.immunisation, 0)]


def test_a_relatives_illness_is_not_the_patients():
    subject = "<subject><relatedSubject/></subject>"
    about = problem().replace(f'root="{ROOT}3"/>', f'root="{ROOT}3"/>{subject}')
    history = (
        f'<organizer><templateId root="{ROOT}45"/><component>{problem()}</component></organizer>'
    )
    for entry in (about, history):
        arrived = told(entry)
        assert own(arrived) == []
        assert [a.kept.split(" in ")[0] for a in arrived[1:]] in (
            ["C-CDA act"],
            ["C-CDA organizer"],
        )


def test_vital_signs_come_in_the_units_of_the_house_at_their_time():
    arrived = told(vital(pq("131", "mm[Hg]")), vital(pq("190", "[lb_av]"), "29463-7"))
    pressure, weight = own(arrived)
    assert (pressure.code, pressure.value) == (codes.systolic, 131)
    assert pressure.at == datetime(2024, 4, 30, 8, 30, tzinfo=UTC)
    assert weight.value == pytest.approx(86.18, abs=0.01)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (pq("5.5", "mmol/L"), (99.09, "")),
        ('<value xsi:type="IVL_PQ"><low value="100" unit="mg/dL"/></value>', (100, ">=")),
    ],
)
def test_results_are_numbers_with_their_sign(value, expected):
    (fact,) = own(told(vital(value, "2339-0")))
    assert fact.value == pytest.approx(expected[0], abs=0.01)
    assert fact.says == expected[1]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (cd("value", "8517006", "Former smoker"), "Former smoker"),
        ('<value xsi:type="ST">two a day</value>', "two a day"),
        ('<value xsi:type="TS" value="20240401"/>', "2024-04-01"),
        ('<value xsi:type="BL" value="true"/>', "yes"),
    ],
)
def test_answers_are_words(value, says):
    assert [f.says for f in own(told(vital(value, "72166-2")))] == [says]


@pytest.mark.parametrize("value", ['<value xsi:type="PQ" nullFlavor="UNK"/>', ""])
def test_no_value_is_made_of_a_null_flavor(value):
    arrived = told(vital(value))
    assert own(arrived) == []
    assert [a.kept for a in arrived[1:]] == ["C-CDA Observation without a value"]


def test_an_allergy_is_to_its_substance():
    agent = cd("code", "7980", "Penicillin", "2.16.840.1.113883.6.88")
    role = f"<participantRole><playingEntity>{agent}</playingEntity></participantRole>"
    inner = f"""<observation moodCode="EVN"><templateId root="{ROOT}7"/><code code="ASSERTION"/>
<effectiveTime><low value="1998"/></effectiveTime>{cd("value", "419199007", "Allergy")}
<participant>{role}</participant></observation>"""
    (fact,) = own(told(f"<act><entryRelationship>{inner}</entryRelationship></act>"))
    assert (fact.code.kind, fact.code.name) == (Kind.allergy, "Penicillin")


def test_a_medicine_taken_says_how():
    often = """<effectiveTime xsi:type="PIVL_TS"><period value="6" unit="h"/></effectiveTime>
<doseQuantity value="2" unit="mg"/>"""
    (fact,) = own(told(drug("16", more=often), code="10160-0"))
    assert (fact.code.kind, fact.says) == (Kind.medication, "Proventil, 2 mg, every 6 h")


@pytest.mark.parametrize("mood", ["RQO", "INT", "PRMS"])
def test_a_plan_is_not_a_thing_done(mood):
    entry = f"""<procedure moodCode="{mood}"><templateId root="{ROOT}41"/>
{cd("code", "73761001", "Colonoscopy")}<effectiveTime value="20250101"/></procedure>"""
    (fact,) = own(told(entry, code="18776-5"))
    assert (fact.code.kind, fact.says) == (Kind.care_plan, "ordered: Colonoscopy")


def test_procedures_and_visits_are_facts():
    done = f"""<procedure moodCode="EVN"><templateId root="{ROOT}14"/>
{cd("code", "73761001", "Colonoscopy")}<effectiveTime value="20240401"/></procedure>"""
    visit = f"""<encounter moodCode="EVN"><templateId root="{ROOT}49"/>
{cd("code", "99213", "Office visit", "2.16.840.1.113883.6.12")}<effectiveTime value="20240402"/>
</encounter>"""
    kinds = [f.code.kind for f in own(told(done, visit))]
    assert kinds == [Kind.procedure, Kind.encounter]


def test_a_section_in_words_only_is_kept_with_its_words_and_counted():
    body = section(
        code="10164-2", words="<paragraph>No fever.</paragraph><list><item>Cough</item></list>"
    )
    (arrived,) = heard(document(body), "x.xml")[1:]
    assert arrived.kept == "C-CDA section in words only"
    assert (arrived.original, arrived.media) == (b"No fever.\nCough", "text/plain")
    assert arrived.about == "urn:oid:1.2.3|17"


def test_entries_without_a_reader_are_counted_by_their_section():
    supply = '<supply moodCode="EVN"/>'
    assert [a.kept for a in told(supply)[1:]] == ["C-CDA supply in Title"]


BOMB = """<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY c "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY e SYSTEM "file:///etc/passwd">]>"""


@pytest.mark.parametrize(
    ("raw", "because"),
    [
        (document(before=BOMB), "document type of its own"),
        (document(section(words="&d;&e;"), before=BOMB), "document type of its own"),
        (document()[:400], "the XML is broken"),
        (document().replace(b"A summary", b"A \xff\xfe"), "the XML is broken"),
        (document("<a>" * 500 + "</a>" * 500), "goes too deep"),
        (document(section("<act/>") * 5_001), "it has 10003 entries; allowed are 10000"),
        (document(who=""), "it is about 0 patients"),
        (document(who=WHO + WHO), "it is about 2 patients"),
        (document().replace(b"urn:hl7-org:v3", b"urn:other"), "allowed is a ClinicalDocument"),
    ],
)
def test_what_is_no_document_is_refused_with_the_reason(raw, because):
    arrived = heard(raw, "x.xml")
    assert facts(arrived) == []
    assert because in refused(arrived)[0]


def test_a_letter_that_only_speaks_of_clinical_documents_is_none():
    letter = b'{"resourceType": "Patient", "id": "ClinicalDocument"}'
    assert heard(letter, "x.json")[0].kind == "Patient"


def test_one_bad_entry_costs_only_itself():
    arrived = told(vital(pq("131", "furlong")), vital(pq("131", "mm[Hg]")))
    assert [f.value for f in own(arrived)] == [131]
    (said,) = refused(arrived)
    assert said.startswith(
        "Observation at (//section)[1]/entry[1]/organizer/component/observation:"
    )


def test_a_broken_attachment_is_refused():
    body = '<component><nonXMLBody><text mediaType="application/pdf" representation="B64">JVBER'
    raw = document().replace(
        b"<component><structuredBody></structuredBody></component>",
        f"{body}</text></nonXMLBody></component>".encode(),
    )
    assert "broken or cut short" in refused(heard(raw, "x.xml"))[0]


def test_every_sample_is_read_and_nothing_trips(shared):
    folder = shared / "conformance" / "ccda-samples" / "data" / "SampleData" / "Ccda"
    files = sorted(folder.glob("*.ccda"))
    assert files
    for file in files:
        arrived = heard(file.read_bytes(), file.name, received=datetime(2026, 1, 1, tzinfo=UTC))
        assert arrived[0].person is not None, file.name
        assert arrived[0].facts, file.name
        assert not any("tripped" in r or "not shaped" in r for r in refused(arrived)), file.name
