"""What leaves the house: only of whoever agreed, without names, and the audit says so."""

import json

import pyarrow.parquet as pq

WEIGHTS = {
    "name": "weights",
    "resource": "Observation",
    "select": [
        {
            "column": [
                {"name": "who", "path": "subject.getReferenceKey(Patient)"},
                {"name": "visit", "path": "encounter.getReferenceKey()"},
                {"name": "kg", "path": "value.ofType(Quantity).value", "type": "decimal"},
                {"name": "at", "path": "effective.ofType(dateTime)"},
            ]
        }
    ],
}


def exported(house, folder, *more):
    (folder / "view.json").write_text(json.dumps(WEIGHTS))
    to = folder / "weights.parquet"
    told = house("export", "view", folder / "view.json", "--to", to, "--json", *more)
    return told, pq.read_table(to).to_pylist()


def test_only_who_agreed_is_in_a_view_and_by_pseudonym(house, tmp_path):
    told, found = exported(house, tmp_path)
    assert told["rows"] == 2
    assert {row["who"] for row in found} == {f"Patient/{house.anna}"}
    assert sorted(row["kg"] for row in found) == [71, 72.5]
    assert "e1" not in found[0]["visit"]
    assert found[0]["visit"] == found[1]["visit"]


def test_an_export_leaves_a_line_that_the_person_can_see(house, tmp_path):
    exported(house, tmp_path)
    lines = house("audit", "list", house.anna, "--json")
    assert any(line["purpose"] == "research" and line["allowed"] for line in lines)
    assert not any(
        line["purpose"] == "research" for line in house("audit", "list", house.ben, "--json")
    )


def test_shifted_dates_keep_what_lies_between_them(house, tmp_path):
    _, found = exported(house, tmp_path, "--shift-dates")
    days = sorted(row["at"][:10] for row in found)
    assert days != ["2026-03-01", "2026-03-08"]
    from datetime import date

    assert (date.fromisoformat(days[1]) - date.fromisoformat(days[0])).days == 7
