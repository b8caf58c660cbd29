"""What a person types is done, said in a sentence, and never answered with a traceback."""

import json
import sqlite3

import pytest


def test_an_import_prints_what_was_kept_and_what_was_refused(medtwin, tmp_path):
    bad = tmp_path / "bad.json"
    bad.write_text('{"resourceType": "Bundle", "entry": [')
    done = medtwin("import", bad, "--basis", "a test")
    assert done.code == 0
    assert "1 refused" in done.out
    assert "Traceback" not in done.err


def test_a_devices_file_that_names_nobody_is_whose_the_operator_says(medtwin, tmp_path):
    entries = tmp_path / "Downloads" / "entries.json"
    entries.parent.mkdir()
    entries.write_text('[{"type": "sgv", "sgv": 124, "date": 1714550400000}]')
    kept = ("import", entries, "--basis", "asked", "--grant", "care", "--json")
    assert (medtwin(*kept).json["people"], medtwin(*kept).json["facts"]) == (0, 0)
    told = medtwin(*kept, "--about", "fhir|17").json
    assert (told["people"], told["facts"]) == (1, 1)
    assert "names nobody" in medtwin(*kept, "--about", "ada").err


def test_patients_lists_one_object_per_person_by_pseudonym(house):
    people = house("patients", "--json").json
    assert len(people) == 1
    assert people[0]["granted"] == ["care", "twin"]
    assert people[0]["facts"] == 577
    assert "somebody" not in json.dumps(people)


def test_show_says_the_latest_value_with_its_unit(house, somebody):
    told = house("show", somebody, "--json").json
    glucose = next(one for one in told["latest"] if one["code"] == "glucose")
    assert glucose["value"] == 120 + (575 * 7) % 40
    assert glucose["unit"] == "mg/dL"
    assert glucose["count"] == 576
    assert "glucose" in house("show", somebody).out


def test_a_forecast_has_wider_and_wider_honest_intervals(house, somebody):
    told = house("forecast", somebody, "--hours", "2", "--json").json
    widths = [row["high90"] - row["low90"] for row in told["forecast"]]
    assert len(widths) == 8
    assert 0 < widths[0] < widths[-1]
    assert told["unit"] == "mg/dL"


def test_a_bolus_lowers_glucose_against_none(house, somebody, tmp_path):
    nothing, bolus = tmp_path / "nothing.json", tmp_path / "bolus.json"
    nothing.write_text("[]")
    bolus.write_text('[{"code": "insulin_bolus", "value": 3, "in_minutes": 0}]')
    told = house("compare", somebody, "--plan", nothing, "--plan", bolus, "--hours", "2", "--json")
    last = told.json["difference"][-1]
    assert last["mean"] < 0
    assert last["low90"] < last["high90"]


def test_withdrawn_consent_changes_what_is_computed_at_once(house, somebody):
    assert house("consent", somebody, "--withdraw", "twin", "--json").json["holds"]["twin"] is False
    refused = house("forecast", somebody)
    assert refused.code == 3
    assert "withdrew from twin" in refused.err
    assert house("consent", somebody, "--grant", "twin").code == 0
    assert house("forecast", somebody, "--hours", "1", "--json").code == 0


def test_without_a_grant_a_person_is_listed_and_nothing_is_computed(medtwin, tmp_path, two_days):
    (tmp_path / "somebody.csv").write_text(two_days)
    medtwin("import", tmp_path / "somebody.csv", "--basis", "kept by law")
    (one,) = medtwin("patients", "--json").json
    assert one["granted"] == []
    assert medtwin("show", one["patient"]).code == 3


def test_the_audit_chain_is_whole_after_all_this(house):
    found = house("audit", "verify", "--json")
    assert found.code == 0
    assert found.json["ok"] is True
    assert house("audit", "list", "--limit", "3", "--json").json[0]["who"]


def test_a_changed_audit_line_is_found(medtwin):
    medtwin("patients")
    medtwin("patients")
    with sqlite3.connect(medtwin.home / "store.db") as c:
        c.execute("UPDATE audit SET because = 'no reason' WHERE line = 1")
    assert medtwin("audit", "verify").code == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("show", "p-NOBODY"), "no p-NOBODY is kept here"),
        (("import", "/nowhere/at/all", "--basis", "x"), "there is nothing at /nowhere/at/all"),
        (("forecast", "p-NOBODY", "--code", "happiness"), "there is no code 'happiness'"),
        (("consent", "p-NOBODY", "--grant", "everything"), "everything is no purpose"),
        (("account", "me", "--role", "king"), "king is no role"),
        (("forecast", "p-NOBODY", "--at", "yesterday"), "'yesterday' is no time"),
    ],
)
def test_a_mistake_is_answered_in_a_sentence(medtwin, words, says):
    done = medtwin(*words)
    assert done.code in (2, 3)
    assert says in " ".join(done.err.split())
    assert "Traceback" not in done.err


def test_a_retired_person_can_no_longer_be_read(medtwin, tmp_path, two_days):
    (tmp_path / "somebody.csv").write_text(two_days)
    medtwin("import", tmp_path / "somebody.csv", "--basis", "x", "--grant", "care,twin")
    (one,) = medtwin("patients", "--json").json
    told = medtwin("retire", one["patient"], "--because", "asked for it", "--json").json
    assert "asked for it" in told["certificate"]
    assert medtwin("show", one["patient"]).code == 3


def test_an_account_needs_a_long_password(medtwin):
    assert medtwin("account", "ann", "--role", "clinician", typed="short\n").code == 2
    long = "a long enough password\n"
    assert medtwin("account", "ann", "--role", "clinician", typed=long).code == 0
