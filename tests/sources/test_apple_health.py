"""Claims about Apple's export. The records are invented, the layout is Apple's."""

import os
import subprocess
import sys
import zipfile
from datetime import UTC, date, datetime, timedelta

import numpy as np
from letters import heard, refused, walked

from medtwin.record import codes

HEAD = """\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE HealthData [
<!-- HealthKit Export Version: 14 -->
<!ELEMENT HealthData (ExportDate,Me,(Record|Correlation|Workout|ActivitySummary)*)>
<!ATTLIST HealthData
  locale CDATA #REQUIRED
>
]>
<HealthData locale="en_GB">
 <ExportDate value="2024-05-31 12:00:00 +0200"/>
 <Me HKCharacteristicTypeIdentifierDateOfBirth="1980-02-03" \
HKCharacteristicTypeIdentifierBiologicalSex="HKBiologicalSexFemale"/>
"""
TAIL = "</HealthData>\n"


def record(kind, value, unit="", begin="08:00:00", end="08:00:00", by="Ada's Watch", day="01"):
    said = f' unit="{unit}"' if unit else ""
    return (
        f' <Record type="HK{kind}" sourceName="{by}"{said} creationDate="2024-05-{day} {end} +0200"'
        f' startDate="2024-05-{day} {begin} +0200" endDate="2024-05-{day} {end} +0200"'
        f' value="{value}"/>\n'
    )


def export(*records):
    return (HEAD + "".join(records) + TAIL).encode()


STEPS = record("QuantityTypeIdentifierStepCount", 120, "count", "08:00:00", "08:10:00")


def told(content, name="ada.xml"):
    return [(f.code.id, round(f.value, 6), f.says) for a in heard(content, name) for f in a.facts]


def test_steps_last_from_their_begin_to_their_end_in_the_offset_written():
    (fact,) = [f for a in heard(export(STEPS), "ada.xml") for f in a.facts]
    assert fact.at == datetime(2024, 5, 1, 6, tzinfo=UTC)
    assert fact.until == fact.at + timedelta(minutes=10)
    assert fact.source == "Ada's Watch"


def test_a_percentage_of_apple_is_a_fraction():
    one = record("QuantityTypeIdentifierOxygenSaturation", 0.97, "%")
    assert told(export(one)) == [("spo2", 97, "")]


def test_each_unit_is_the_files_own():
    some = [
        record("QuantityTypeIdentifierBloodGlucose", 100, "mg/dL"),
        record("QuantityTypeIdentifierBloodGlucose", 5, "mmol&lt;180.1558800000541&gt;/L"),
        record("QuantityTypeIdentifierBodyMass", 150, "lb"),
        record("QuantityTypeIdentifierBodyTemperature", 98.6, "degF"),
        record("QuantityTypeIdentifierVO2Max", 41.5, "mL/min·kg"),
        record("QuantityTypeIdentifierDistanceWalkingRunning", 1.5, "km"),
    ]
    # 1 lb is 0.45359237 kg; 5 mmol of glucose are 90.078 mg/dL; 98.6 °F are 37 °C
    assert [round(v, 3) for _, v, _ in told(export(*some))] == [100, 90.078, 68.039, 37, 41.5, 1500]


def test_sleep_stages_are_stretches_with_minutes():
    night = record(
        "CategoryTypeIdentifierSleepAnalysis",
        "HKCategoryValueSleepAnalysisAsleepDeep",
        "",
        "01:00:00",
        "01:45:00",
    )
    assert told(export(night)) == [("sleep_deep", 45, "")]


def test_what_stands_in_a_correlation_stands_at_the_top_too_and_counts_once():
    pair = record("QuantityTypeIdentifierBloodPressureSystolic", 121, "mmHg") + record(
        "QuantityTypeIdentifierBloodPressureDiastolic", 79, "mmHg"
    )
    nested = (
        ' <Correlation type="HKCorrelationTypeIdentifierBloodPressure" sourceName="Cuff">\n'
        + pair.replace(" <Record", "  <Record")
        + " </Correlation>\n"
    )
    assert told(export(pair, nested)) == [("systolic", 121, ""), ("diastolic", 79, "")]


def test_a_workout_is_exercise_and_its_sums_are_left_to_the_records():
    run = (
        ' <Workout workoutActivityType="HKWorkoutActivityTypeRunning" duration="30.5"'
        ' durationUnit="min" sourceName="Watch" startDate="2024-05-01 18:00:00 +0200"'
        ' endDate="2024-05-01 18:30:00 +0200">\n'
        '  <WorkoutStatistics type="HKQuantityTypeIdentifierActiveEnergyBurned" sum="300"'
        ' unit="kcal"/>\n </Workout>\n'
    )
    assert told(export(run)) == [("exercise", 30, "running")]


def test_a_quantity_we_have_no_line_for_keeps_apples_word_and_unit():
    one = record("QuantityTypeIdentifierWalkingSpeed", 4.5, "km/hr")
    (fact,) = [f for a in heard(export(one), "ada.xml") for f in a.facts]
    assert fact.code.id == "apple|HKQuantityTypeIdentifierWalkingSpeed|km/h"
    assert (fact.code.name, fact.value) == ("walking speed", 4.5)


def test_a_symptom_is_in_words():
    one = record("CategoryTypeIdentifierHeadache", "HKCategoryValueSeverityMild")
    assert told(export(one)) == [("apple|HKCategoryTypeIdentifierHeadache", 1, "severity mild")]


def test_kinds_not_understood_are_counted():
    heard_ = heard(export(STEPS, " <Audiogram/>\n", " <Audiogram/>\n"), "ada.xml")
    assert [a.kept for a in heard_] == ["", "Apple Audiogram", "Apple Audiogram"]


def test_the_person_is_known_by_birth_and_sex():
    (arrived,) = heard(export(STEPS), "ada.xml")
    assert arrived.about == "apple_health|ada"
    assert (arrived.person.born, arrived.person.sex) == (date(1980, 2, 3), "female")


def test_two_people_whose_exports_are_called_alike_are_two_people():
    hers = heard(export(STEPS), "export.xml")[0].about
    his = heard(export(STEPS).replace(b"1980-02-03", b"1981-02-03"), "export.xml")[0].about
    again = heard(export(STEPS, STEPS), "export.xml")[0].about
    assert hers != his
    assert hers == again
    assert heard(export(STEPS), "export.xml", about="fhir|ada")[0].about == "fhir|ada"


def test_each_fact_says_where_it_stands():
    (arrived,) = heard(export(STEPS, STEPS.replace("120", "130")), "ada.xml")
    assert arrived.places == ("Record[1]", "Record[2]")


def test_one_broken_record_costs_itself():
    broken = STEPS.replace('value="120"', 'value="12')
    arrived = heard(export(STEPS, broken, STEPS.replace("120", "130")), "ada.xml")
    assert [f.value for f in arrived[0].facts] == [120, 130]
    (refusal,) = arrived[0].refused
    assert "not well-formed" in refusal.because
    assert refusal.original == broken.strip().encode()


def test_a_reading_no_body_has_is_refused_with_its_place():
    (arrived,) = heard(export(record("QuantityTypeIdentifierHeartRate", 900, "count/min")), "a.xml")
    assert "Record[1]" in arrived.refused[0].what
    assert "outside 0 to 350" in arrived.refused[0].because


def test_an_entity_is_never_followed():
    bomb = export(STEPS.replace("Ada's Watch", "&lol;")).replace(
        b"<!-- HealthKit", b'<!ENTITY lol "lol"><!ENTITY x SYSTEM "file:///etc/passwd"><!-- H'
    )
    arrived = heard(bomb, "ada.xml")
    assert "Entity 'lol' not defined" in refused(arrived)[0]


def test_an_export_cut_in_half_gives_what_was_whole():
    whole = export(*[STEPS] * 10)
    arrived = heard(whole[: len(whole) - 100], "ada.xml")
    assert len(arrived[0].facts) == 9
    assert "not well-formed" in refused(arrived)[0]


def test_the_blocks_of_a_long_export_are_the_file_byte_for_byte():
    long = export(*(STEPS.replace("120", str(n)) for n in range(12000)))
    arrived = heard(long, "ada.xml")
    assert len(arrived) > 2
    assert b"".join(a.original for a in arrived) == long
    assert [f.value for a in arrived for f in a.facts] == list(range(12000))
    assert sum(a.person is not None for a in arrived) == 1


ECG = """\
Name,Ada Example
Date of Birth,"3 Feb 1980"
Recorded Date,2024-05-01 09:14:40 +0200
Classification,Sinus Rhythm
Symptoms,
Software Version,1.90
Device,"Watch6,7"
Sample Rate,512.4 hertz

Lead,Lead I
Unit,µV

-265.5
12
0.5
"""
EKG = (
    ECG.replace("-265.5", "-265,5")
    .replace("0.5\n", "0,5\n")
    .replace("Sample Rate,512.4 hertz", 'Messrate,"512,4 Hertz"')
)


def test_an_ecg_is_a_waveform_in_any_language():
    for text in (ECG, EKG):
        (arrived,) = heard(text.encode(), "ada.zip:apple_health_export/electrocardiograms/e.csv")
        (wave,) = arrived.waveforms
        assert (wave.code, wave.rate, wave.channels, wave.units) == ("ecg", 512.4, ("I",), ("uV",))
        assert wave.at == datetime(2024, 5, 1, 7, 14, 40, tzinfo=UTC)
        np.testing.assert_array_equal(wave.samples, np.float32([[-265.5, 12, 0.5]]))
        assert arrived.facts[0].says == "Sinus Rhythm"
        assert arrived.about == "apple_health|ada"


def test_a_zip_gives_export_ecg_and_counts_route_and_copy(tmp_path):
    with zipfile.ZipFile(tmp_path / "ada.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("apple_health_export/export.xml", export(STEPS))
        archive.writestr("apple_health_export/export_cda.xml", "<ClinicalDocument/>")
        archive.writestr("apple_health_export/electrocardiograms/ecg.csv", ECG)
        gpx = '<?xml version="1.0"?>\n<gpx version="1.1" creator="Apple Health Export"><trk/></gpx>'
        archive.writestr("apple_health_export/workout-routes/r.gpx", gpx)
    arrived = walked(tmp_path / "ada.zip")
    assert {a.about for a in arrived} == {"apple_health|ada"}
    assert [a.kept for a in arrived if a.kept] == [
        "Apple export as CDA (the same readings again)",
        "Apple workout route",
    ]
    assert sum(len(a.waveforms) for a in arrived) == 1


def lines(n):
    return "".join(STEPS.replace("120", str(i % 99991)) for i in range(n))


def test_an_export_longer_than_a_document_may_be_streams_also_from_a_zip(tmp_path, monkeypatch):
    monkeypatch.setattr("medtwin.sources.archive.SMALL", 1 << 20)
    name = "apple_health_export/export.xml"
    with zipfile.ZipFile(tmp_path / "ada.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, export(lines(15_000)))
    size = zipfile.ZipFile(tmp_path / "ada.zip").getinfo(name).file_size
    assert size > 3 << 20
    arrived = walked(tmp_path / "ada.zip", largest=2 << 20)
    assert sum(len(a.facts) for a in arrived) == 15_000
    assert sum(len(a.original) for a in arrived) == size


def test_a_bomb_dressed_as_an_export_does_not_go_off(tmp_path):
    with zipfile.ZipFile(tmp_path / "ada.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("export.xml", HEAD + " " * (40 << 20) + TAIL)
    assert "unpacks to more" in refused(walked(tmp_path / "ada.zip", largest=10 << 20))[0]


CHILD = """
import resource, sys
from datetime import UTC, datetime
from pathlib import Path
from medtwin.sources.door import read
from medtwin.sources.source import Options
options = Options(received=datetime(2024, 6, 1, tzinfo=UTC), largest=1 << 20)
began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
n = sum(len(a.facts) for a in read([Path(sys.argv[1])], options))
print(n, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - began)
"""


def test_memory_does_not_grow_with_the_export(tmp_path):
    """25 MB may cost no more than a dozen blocks on top of what the sources take to import."""
    (tmp_path / "ada.xml").write_bytes(export(lines(100_000)))
    did = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path / "ada.xml")],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    facts, kilobytes = map(int, did.stdout.split())
    assert facts == 100_000
    assert kilobytes < 120_000


def test_glucose_of_apple_is_the_same_code_as_everybodys():
    assert told(export(record("QuantityTypeIdentifierBloodGlucose", 100, "mg/dL")))[0][0] == (
        codes.glucose.id
    )
