"""Claims about HL7's annotated ECG: a strip of four samples, laid out as PORT_MT020001 says."""

from datetime import UTC, date, datetime

import numpy as np
from letters import heard, refused

TIME = '<value><head value="20240501103000.000"/><increment value="0.002" unit="s"/></value>'


def lead(name, digits):
    scale = '<origin value="5" unit="uV"/><scale value="2.5" unit="uV"/>'
    code = f'<code code="MDC_ECG_LEAD_{name}"/>'
    value = f"<value>{scale}<digits>{digits}</digits></value>"
    return f"<component><sequence>{code}{value}</sequence></component>"


def interval(name, value):
    code = f'<code code="MDC_ECG_TIME_PD_{name}"/>'
    return (
        f'<component><annotation>{code}<value value="{value}" unit="ms"/></annotation></component>'
    )


def ecg(*leads, time=TIME):
    return f"""<AnnotatedECG xmlns="urn:hl7-org:v3">
<effectiveTime><center value="20240501103000"/></effectiveTime>
<trialSubject><id root="1.2" extension="SBJ-1"/><subjectDemographicPerson><name>Ada</name>
<administrativeGenderCode code="F"/><birthTime value="19800203"/></subjectDemographicPerson>
</trialSubject>
<component><series><code code="RHYTHM"/>
<effectiveTime><low value="20240501103000"/></effectiveTime><component><sequenceSet>
<component><sequence><code code="TIME_ABSOLUTE"/>{time}</sequence></component>
{"".join(leads)}</sequenceSet></component>
<subjectOf><annotationSet><component><annotation><code code="MDC_ECG_BEAT"/>
<low value="20240501103000.270"/>{interval("PR", 148)}{interval("QT", 420)}</annotation></component>
</annotationSet></subjectOf></series></component></AnnotatedECG>""".encode()


def test_leads_are_digits_times_scale_plus_origin():
    raw = ecg(lead("I", "0 1 -2 3"), lead("AVR", "1 1 1 1"))
    (arrived,) = heard(raw, "e.xml", zone="Europe/Berlin")
    (wave,) = arrived.waveforms
    assert (wave.code, wave.rate, wave.channels, wave.units) == (
        "ecg",
        500,
        ("I", "aVR"),
        ("uV", "uV"),
    )
    np.testing.assert_array_equal(wave.channel("I"), [5, 7.5, 0, 12.5])
    assert wave.at == datetime(2024, 5, 1, 8, 30, tzinfo=UTC)
    assert (arrived.about, arrived.person.born) == ("aecg|SBJ-1", date(1980, 2, 3))


def test_intervals_stand_at_their_beat():
    (arrived,) = heard(ecg(lead("I", "0 1")), "e.xml")
    assert [(f.code.id, f.value) for f in arrived.facts] == [
        ("pr_interval", 148),
        ("qt_interval", 420),
    ]
    assert arrived.facts[0].at == datetime(2024, 5, 1, 10, 30, 0, 270000, UTC)


def test_a_strip_without_steps_or_with_words_for_digits_is_refused():
    assert "no step" in refused(heard(ecg(lead("I", "0 1"), time="<value/>"), "e.xml"))[0]
    assert "not understood" in refused(heard(ecg(lead("I", "0 one")), "e.xml"))[0]
    assert "not well-formed" in refused(heard(ecg(lead("I", "0"))[:-5], "e.xml"))[0]


def test_the_outside_ecg_has_twelve_leads_and_its_intervals(shared):
    import tarfile

    with tarfile.open(shared / "data" / "wfdb_samples" / "ecgkit_208.tar.xz") as archive:
        member = next(m for m in archive if m.name.endswith("ecg_hl7.xml"))
        raw = archive.extractfile(member).read()
    (arrived,) = heard(raw, "ecg_hl7.xml")
    assert len(arrived.waveforms[0].channels) == 12
    first = {f.code.id: f.value for f in reversed(arrived.facts)}
    assert (first["pr_interval"], first["qrs_duration"], first["qt_interval"]) == (148, 120, 420)
    # Einthoven: I + III = II, to the rounding of 2.5 uV steps
    wave = arrived.waveforms[0]
    np.testing.assert_allclose(wave.channel("I") + wave.channel("III"), wave.channel("II"), atol=8)
