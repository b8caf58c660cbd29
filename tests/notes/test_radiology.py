"""Radiology reports: sites, sizes and how they go."""

from datetime import UTC, datetime

import pytest

from medtwin.notes.radiology import compared, courses, lesions, metastatic
from medtwin.notes.sites import Site

JAN, APR, JUL = (datetime(2026, m, 1, tzinfo=UTC) for m in (1, 4, 7))
SECOND = """Findings: The nodule in the right upper lobe measures 18 mm, previously 12 mm.
New 2.3 x 1.8 cm metastasis in segment VII of the liver. No adrenal mass.
Impression: Metastasis in segment VII of the liver."""
THIRD = """Findings: The right upper lobe nodule is unchanged.
The liver metastasis in segment VII now measures 11 mm."""
FIRST = "Findings: A 12 mm nodule in the right upper lobe. The spleen is normal."
REPORTS = [(APR, SECOND), (JAN, FIRST), (JUL, THIRD)]
LUNG, LIVER = Site("lung", "right", "upper lobe"), Site("liver", "", "segment 7")


def test_a_lesion_has_its_site_side_part_and_longest_diameter():
    lung, liver, adrenal = lesions(SECOND, APR)
    assert (lung.what, lung.site, lung.size, lung.before) == ("nodule", LUNG, 18, 12)
    assert (liver.site, liver.size, liver.course, liver.metastatic) == (LIVER, 23, "new", True)
    assert (adrenal.site.organ, adrenal.course, adrenal.seen) == ("adrenal", "absent", False)


def test_the_course_of_each_site_over_the_reports():
    rows = courses(REPORTS)
    assert [(s.size, s.course) if s else None for s in rows[LUNG]] == [
        (12, "first seen"),
        (18, "larger"),
        (None, "stable"),
    ]
    assert [(s.size, s.course) if s else None for s in rows[LIVER]] == [
        None,
        (23, "new"),
        (11, "smaller"),
    ]


def test_metastatic_sites_stand_since_the_first_report_that_says_so():
    assert metastatic(REPORTS) == {LIVER: APR}


@pytest.mark.parametrize(
    ("before", "now", "course"),
    [(10, 12, "stable"), (25, 30, "larger"), (30, 21, "smaller"), (30, 22, "stable")],
)
def test_sizes_are_compared_as_recist_does(before, now, course):
    # + 20 % and 5 mm at least; - 30 %: Eisenhauer et al., Eur J Cancer 2009;45:228
    assert compared(before, now) == course


def test_a_resolved_lesion_is_not_seen_any_more():
    (one,) = lesions("Findings: The left lower lobe nodule has resolved.", APR)
    assert (one.course, one.seen) == ("resolved", False)


def test_an_aneurysm_has_its_diameter():
    (one,) = lesions("There is an infrarenal abdominal aortic aneurysm measuring 4.8 cm.", APR)
    assert (one.what, one.site.organ, one.size) == ("aneurysm", "aorta", 48)


def test_the_next_sentence_may_tell_the_size():
    (one,) = lesions("There is a mass in the left kidney. It measures 3.1 x 2.9 cm.", APR)
    assert (one.site, one.size) == (Site("kidney", "left"), 31)


def test_what_was_asked_is_not_what_was_seen():
    assert lesions("Indication: liver mass.\nFindings: The liver is normal.", APR) == []


def test_a_possible_metastasis_is_no_metastatic_site():
    said = "Findings: A 9 mm liver lesion, possible metastasis."
    assert metastatic([(APR, said)]) == {}
