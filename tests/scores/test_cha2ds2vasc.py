"""CHA2DS2-VASc against Lip's table and independently recomputed people."""

import csv

from medtwin.scores.cha2ds2vasc import cha2ds2vasc, score


def test_every_reference_person_has_the_published_points(vectors):
    with (vectors / "risk" / "cha2ds2vasc.csv").open() as rows:
        people = list(csv.DictReader(rows))
    assert len(people) == 59
    histories = (
        "congestive_heart_failure",
        "hypertension",
        "diabetes",
        "stroke_tia_thromboembolism",
        "vascular_disease",
    )
    for person in people:
        answers = [float(person[h]) for h in histories]
        points = score.compute(float(person["age"]), person["sex"] == "female", *answers)
        assert points.total == int(person["expected"]), person


def test_a_woman_of_75_with_no_other_factor_has_three_points():
    assert cha2ds2vasc(75, 1, 0, 0, 0, 0, 0).because == {"age 75 or more": 2, "female sex": 1}


def test_a_man_of_64_with_no_factor_has_none():
    assert cha2ds2vasc(64, 0, 0, 0, 0, 0, 0).total == 0


def test_everything_at_once_gives_the_highest_nine():
    points = cha2ds2vasc(80, 1, 1, 1, 1, 1, 1)
    assert points.total == points.highest == 9
