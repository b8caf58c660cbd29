"""Claims about DICOM: reports built item by item as PS3.16 lays them out; pydicom's own ECG."""

import io
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from letters import heard, refused
from pydicom import Dataset, Sequence
from pydicom.data import get_testdata_file
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ComprehensiveSRStorage, ExplicitVRLittleEndian

MILLIMETRE = ("mm", "UCUM", "millimeter")
PERCENT = ("%", "UCUM", "percent")


def code(value, scheme, meaning):
    one = Dataset()
    one.CodeValue, one.CodingSchemeDesignator, one.CodeMeaning = value, scheme, meaning
    return Sequence([one])


def item(kind, title, relation="CONTAINS", **more):
    one = Dataset()
    one.ValueType, one.RelationshipType = kind, relation
    one.ConceptNameCodeSequence = code(*title)
    for name, value in more.items():
        setattr(one, name, value)
    return one


def number(title, value, unit):
    measured = Dataset()
    measured.NumericValue = str(value or 0)
    measured.MeasurementUnitsCodeSequence = code(*unit)
    return item(
        "NUM", title, MeasuredValueSequence=Sequence([measured] if value is not None else [])
    )


def group(*items):
    title = ("125007", "DCM", "Measurement Group")
    return item("CONTAINER", title, ContentSequence=Sequence(items))


def tracked(name):
    return item("TEXT", ("112039", "DCM", "Tracking Identifier"), "HAS OBS CONTEXT", TextValue=name)


def site(value, meaning):
    title = ("363698007", "SCT", "Finding Site")
    return item("CODE", title, "HAS CONCEPT MOD", ConceptCodeSequence=code(value, "SCT", meaning))


def report(*items, **more):
    one = Dataset()
    one.SOPClassUID, one.SOPInstanceUID = ComprehensiveSRStorage, "1.2.3"
    one.PatientID, one.PatientName, one.PatientBirthDate = "17", "Example^Ada", "19800203"
    one.PatientSex, one.Manufacturer, one.Modality = "F", "Lab", "SR"
    one.ContentDate, one.ContentTime = "20240501", "103000"
    one.TimezoneOffsetFromUTC = "+0200"
    one.ValueType = "CONTAINER"
    one.ConceptNameCodeSequence = code("126000", "DCM", "Imaging Measurement Report")
    one.ContentSequence = Sequence(items)
    for name, value in more.items():
        setattr(one, name, value)
    one.file_meta = FileMetaDataset()
    one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    out = io.BytesIO()
    one.save_as(out, enforce_file_format=True)
    return out.getvalue()


def told(raw):
    return [(f.code.id, f.value, f.says) for a in heard(raw, "r.dcm") for f in a.facts]


def test_an_ejection_fraction_by_its_loinc_code():
    title = ("18043-0", "LN", "Left Ventricular Ejection Fraction")
    (arrived,) = heard(report(group(number(title, 42, PERCENT))), "r.dcm")
    (fact,) = arrived.facts
    assert (fact.code.id, fact.value) == ("ejection_fraction", 42)
    assert fact.at == datetime(2024, 5, 1, 8, 30, tzinfo=UTC)
    assert arrived.places == ("ContentSequence[0].ContentSequence[0]",)
    assert (arrived.about, arrived.person.name) == ("dicom|17", "Example Ada")


def test_an_aneurysm_is_a_diameter_at_the_aorta():
    across = ("81827009", "SCT", "Diameter")
    raw = report(
        group(
            site("7832008", "Abdominal aorta structure"), number(across, 5.4, ("cm", "UCUM", "cm"))
        )
    )
    assert told(raw) == [("aorta_diameter", 54, "Measurement Group, Abdominal aorta structure")]


def test_each_lesion_is_followed_by_its_name():
    long_axis = ("103339001", "SCT", "Long Axis")
    raw = report(
        group(tracked("Lesion 1"), site("10200004", "Liver"), number(long_axis, 23, MILLIMETRE)),
        group(tracked("Lesion 2"), site("10200004", "Liver"), number(long_axis, 11.5, MILLIMETRE)),
    )
    facts = [f for a in heard(raw, "r.dcm") for f in a.facts]
    assert [(f.code.id, f.value) for f in facts] == [
        ("lesion_diameter", 23),
        ("lesion_diameter", 11.5),
    ]
    assert len({f.source for f in facts}) == 2
    assert "Lesion 2" in facts[1].says


def test_a_right_ventricles_ejection_fraction_is_not_the_lefts():
    title = ("x", "99", "Right Ventricular Ejection Fraction")
    assert told(report(group(number(title, 50, PERCENT))))[0][0] == "99|x|%"


def test_a_number_without_a_value_and_free_text_are_counted():
    words = item("TEXT", ("121071", "DCM", "Remark"), TextValue="seen")
    arrived = heard(report(group(number(("a", "99", "b"), None, MILLIMETRE)), words), "r.dcm")
    assert {a.kept for a in arrived} == {"DICOM number without a value", "DICOM report text"}


def test_a_report_without_any_date_is_refused():
    title = ("18043-0", "LN", "Left Ventricular Ejection Fraction")
    raw = report(number(title, 42, PERCENT), ContentDate="", ContentTime="")
    assert "tells no date" in refused(heard(raw, "r.dcm"))[0]


@pytest.fixture(scope="module")
def ecg():
    return Path(get_testdata_file("waveform_ecg.dcm", download=False)).read_bytes()


def test_a_twelve_lead_ecg_is_a_waveform_with_the_machines_intervals(ecg):
    (arrived, *_) = heard(ecg, "e.dcm")
    rhythm, median = arrived.waveforms
    leads = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
    assert (rhythm.code, rhythm.rate, rhythm.channels) == ("ecg", 1000, leads)
    assert (median.code, len(rhythm), len(median)) == ("ecg|median beat", 10_000, 1200)
    # the sum of Einthoven's triangle: I + III = II, whatever the samples; counts are 1.25 uV
    np.testing.assert_allclose(
        rhythm.channel("I") + rhythm.channel("III"), rhythm.channel("II"), atol=2.6
    )
    values = {f.code.id: f.value for f in arrived.facts}
    assert (values["pr_interval"], values["qrs_duration"], values["qt_interval"]) == (161, 75, 368)
    assert arrived.facts[0].says == "RITMO SINUSALE; ECG NORMALE"


def test_of_an_image_the_kind_is_kept_and_no_pixel():
    raw = Path(get_testdata_file("CT_small.dcm", download=False)).read_bytes()
    (arrived,) = heard(raw, "ct.dcm")
    assert arrived.kept == "DICOM CT Image Storage, without its pixels"
    assert raw.startswith(arrived.original)
    assert len(arrived.original) < len(raw) - 128 * 128 * 2 + 1


def test_an_ecg_cut_short_and_a_deflated_file_are_refused(ecg):
    assert refused(heard(ecg[: len(ecg) // 2], "e.dcm"))
    deflated = b"\0" * 128 + b"DICM" + b"1.2.840.10008.1.2.1.99" + b"x" * 99
    assert "deflated" in refused(heard(deflated, "e.dcm"))[0]
