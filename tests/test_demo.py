"""The demo, whole: people made, kept, tended live, and going on after a stop."""

from dataclasses import replace
from datetime import timedelta
from time import monotonic

import pytest

from medtwin.care.event import What
from medtwin.demo import founder, home_of, open_demo, running
from medtwin.vault.access import Principal, Refused, Role
from medtwin.vault.consent import Purpose
from medtwin.vault.vault import Vault

nurse = Principal("nurse", Role.clinician)


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    """A demo that ran for a moment, was stopped, and was started again on the same home."""
    home, said = tmp_path_factory.mktemp("demo"), []
    with running(home, 600, 1, said.append) as (vault, ward, accounts):
        first = heard(ward, What.facts)
        opened = vault.patients(founder)
    with running(home, 600, 6, said.append) as (vault, ward, _):
        again = heard(ward, What.facts)
        yield vault, ward, accounts, opened, first, again, said


def heard(ward, kind):
    """The first event of this kind."""
    end = monotonic() + 120
    with ward.listen(0) as ears:
        while monotonic() < end:
            event = ears.next(0.5)
            if event and event.kind is kind:
                return event
    raise AssertionError(f"no {kind} in two minutes")


def test_people_are_kept_with_two_weeks_of_facts_and_the_basis_says_they_are_synthetic(lived):
    _, _, _, opened, *_ = lived
    (one,) = opened
    assert one.facts > 4000
    assert "synthetic" in one.basis


def test_their_data_keep_arriving_after_the_past(lived):
    _, _, _, opened, first, *_ = lived
    assert first.payload["facts"] >= 1
    assert first.patient == opened[0].patient


def test_a_second_start_goes_on_with_the_same_people_and_a_later_time(lived):
    vault, _, _, opened, first, again, said = lived
    assert [p.patient for p in vault.patients(founder)] == [opened[0].patient]
    assert again.at > first.at
    assert any("goes on" in line for line in said)


def test_no_reading_is_kept_twice(lived):
    vault, _ward, *_ = lived
    record = vault.record(nurse, vault.patients(founder)[0].patient, Purpose.care)
    for series in record.columns.values():
        assert len(series.current) == len(series)


def test_each_role_can_log_in_with_what_is_printed(lived):
    vault, _, accounts, _opened, *_ = lived
    assert {a.role for a in accounts} == set(Role) - {Role.system}
    for account in accounts:
        who = vault.accounts.session(vault.accounts.login(account.name, account.password))
        assert who is not None
        assert (who.role, who.patient) == (account.role, account.patient)


def test_a_log_in_lasts_by_the_real_clock_however_fast_the_hospital_lives(lived):
    vault, ward, *_ = lived
    token = vault.accounts.login("clinician", "demo-clinician")
    ward.clock.hands = replace(ward.clock.hands, began=ward.clock() + timedelta(days=3))
    assert vault.accounts.session(token) is not None


def test_the_record_shows_who_it_is_to_care_only(lived):
    vault, *_ = lived
    patient = vault.patients(founder)[0].patient
    assert vault.who(nurse, patient, Purpose.care).name == "Ada Brook (synthetic)"
    with pytest.raises(Refused):
        vault.who(founder, patient, Purpose.care)


def test_generated_people_are_never_put_among_real_ones(tmp_path):
    with Vault.open(tmp_path):
        pass
    assert home_of(tmp_path) == tmp_path / "demo"
    assert home_of(tmp_path / "new") == tmp_path / "new"


def test_more_people_than_the_register_holds_are_refused(tmp_path):
    with pytest.raises(ValueError, match="1 to 16 are allowed"):
        open_demo(tmp_path, people=17)
