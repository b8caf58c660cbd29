"""The twins of other organs: born with their first fact, held to account reading by reading."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from medtwin.care.admission import the_round
from medtwin.care.organs import (
    brought_up,
    followed,
    going_on,
    gone_on,
    library,
    looked_ahead,
    newborn,
    teach_organs,
    tend_organs,
)
from medtwin.engine.schedule import Given
from medtwin.engine.simulate import simulate
from medtwin.physiology import propofol, psa, type1, warfarin, warfarin_inr
from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.record.record import Record
from medtwin.sources.source import Arrived
from medtwin.twin.assimilate import assimilate
from medtwin.twin.scored_life import lived_and_scored
from medtwin.vault.access import Principal, Role
from medtwin.vault.consent import Purpose
from medtwin.vault.vault import Vault

began = datetime(2031, 5, 4, 6, tzinfo=UTC)
operator = Principal("op", Role.operator)
drawn_at = (1.0, 12.0, 24.0, 48.0, 72.0, 96.0)
last = began + timedelta(hours=drawn_at[-1])


def fact(hours, code, value, late=0.0):
    at = began + timedelta(hours=hours)
    return Observation(at, code, value, "laboratory", at + timedelta(hours=late))


def one_dose(parameters=None):
    """A synthetic person swallows 100 mg of warfarin; levels and clotting are drawn for days."""
    person = parameters or warfarin.Parameters(clearance=0.2, half_effect=1.8)
    run = simulate(
        warfarin.model, person, None, [Given(0.0, codes.warfarin, 100.0)], [0.0, *drawn_at]
    )
    seen = [
        fact(h, code, float(run.of(code)[k + 1, 0]))
        for k, h in enumerate(drawn_at)
        for code in (codes.warfarin_level, codes.prothrombin_activity)
    ]
    return [fact(0.0, codes.warfarin, 100.0), fact(-24.0, codes.weight, 70.0), *seen]


@pytest.fixture
def vault(tmp_path):
    with Vault.open(tmp_path, clock=lambda: last) as opened:
        yield opened


def kept(vault, facts, grants=(Purpose.care, Purpose.twin)):
    arrived = Arrived(b"{}", "text/plain", "test", "test|1", None, tuple(facts), ())
    vault.receive(operator, [arrived], "a test", grants)
    return vault.patients(operator)[0].patient


def ledger(vault, patient):
    return vault.ledger(the_round, patient, Purpose.twin)


def test_warfarins_twin_is_followed_where_there_is_a_dose_and_a_level():
    assert warfarin.model in followed([codes.warfarin, codes.warfarin_level])
    assert warfarin.model not in followed([codes.warfarin_level])
    assert warfarin.model not in followed([codes.warfarin])


def test_a_drug_that_only_ever_ran_is_followed_too():
    assert propofol.model in followed([codes.propofol_rate, codes.propofol_level])


def test_a_simulator_of_virtual_people_follows_nobody():
    assert type1.model not in library()


def test_only_facts_that_a_model_knows_call_for_a_visit():
    assert teach_organs([fact(0, codes.warfarin_level, 5.0)])
    assert not teach_organs([fact(0, codes.glucose, 120.0)])


def test_every_reading_is_foretold_before_it_is_learned_from(vault):
    patient, told = kept(vault, one_dose()), []
    (found,) = tend_organs(patient, vault, told.append, last, {})
    assert found.twin.facts == 1 + 2 * len(drawn_at)
    entries = ledger(vault, patient)
    assert {e.by for e in entries} == {warfarin.model.name}
    assert all(e.made < e.due and e.measured is not None for e in entries)
    # of two readings at one moment, the second is learned at that moment and foretold by nothing
    assert len(entries) == len(drawn_at)
    assert {f.code for f in found.ahead} == {codes.warfarin_level, codes.prothrombin_activity}
    assert {e.payload["code"] for e in told} == {"warfarin_level", "prothrombin_activity"}


def the_twin(model, facts, now):
    """One person's twin by name, so that chance is the same each time, and what it expects."""
    record = Record("p1").add(facts)
    twin, _ = lived_and_scored(newborn(record, model), facts)
    return twin, looked_ahead(twin, record, now, going_on(record, model, now))


def test_the_twin_learns_this_persons_slow_clearance_or_fast():
    twin, _ = the_twin(warfarin.model, one_dose(), last)
    names = list(warfarin.Parameters.__dataclass_fields__)
    cleared = twin.parameters[names.index("clearance")]
    assert np.median(cleared) > 0.15  # the typical person has 0.131 L/h, this one 0.2
    assert cleared.std() < 0.131 * 0.259


def test_what_it_expects_has_a_range_that_holds_what_then_comes():
    facts = one_dose()
    early = [f for f in facts if f.at <= began + timedelta(hours=48)]
    _, expected = the_twin(warfarin.model, early, began + timedelta(hours=48))
    ahead = next(f for f in expected if f.code == codes.warfarin_level)
    low, _, high = ahead.band(0.9)[:, -1]  # 48 hours on
    truth = next(f.value for f in facts if f.code == ahead.code and f.at == ahead.times[-1])
    assert low < truth < high


def test_a_fact_that_comes_late_gives_the_twin_of_facts_in_order(vault):
    facts = one_dose()
    late = [f for f in facts if f.at == began + timedelta(hours=24)]
    patient = kept(vault, [f for f in facts if f not in late])
    brought_up(vault, the_round, patient, warfarin.model, last)
    vault.add(the_round, patient, late, Purpose.twin)
    after = brought_up(vault, the_round, patient, warfarin.model, last)
    in_order = newborn(Record(patient).add(facts), warfarin.model)
    for one in sorted(facts, key=lambda f: (f.at, f.code.id)):
        in_order = assimilate(in_order, [one])
    assert np.array_equal(after.twin.states, in_order.states)
    assert np.array_equal(after.twin.parameters, in_order.parameters)


def test_a_twin_in_step_is_taken_from_the_vault_as_it_was_kept(vault):
    patient = kept(vault, one_dose())
    first = brought_up(vault, the_round, patient, warfarin.model, last)
    entries = ledger(vault, patient)
    again = brought_up(vault, the_round, patient, warfarin.model, last)
    assert np.array_equal(first.twin.states, again.twin.states)
    assert ledger(vault, patient) == entries


def test_a_later_reading_is_lived_on_to_from_where_the_twin_was_kept(vault):
    facts = one_dose()
    patient = kept(vault, facts[:-2])
    before = brought_up(vault, the_round, patient, warfarin.model, last)
    assert before is not None
    kept(vault, facts[-2:])
    after = brought_up(vault, the_round, patient, warfarin.model, last)
    assert after is not None
    whole = newborn(Record(patient).add(facts), warfarin.model)
    in_order, _ = lived_and_scored(whole, facts)
    np.testing.assert_array_equal(after.twin.states, in_order.states)
    begun, left = gone_on(before.twin, whole, [f for f in facts if f.code != codes.weight])
    assert begun is before.twin
    assert len(left) == 2


def test_a_man_whose_androgen_is_suppressed_is_followed_by_his_psa():
    assert psa.model in followed([codes.psa, codes.androgen_suppression])
    assert psa.model not in followed([codes.psa])
    facts = [
        fact(0.0, codes.androgen_suppression, 100.0),
        *(fact(24.0 * d, codes.psa, v) for d, v in ((1, 12.0), (60, 0.6), (120, 0.3))),
    ]
    record = Record("psa").add(facts)
    twin, scored = lived_and_scored(newborn(record, psa.model), facts)
    assert twin.carried is not None
    assert len(scored) > 0
    (ahead,) = looked_ahead(twin, record, facts[-1].at)
    low, middle, high = ahead.band(0.9)
    assert np.all((low > 0) & (low < middle) & (middle < high) & (high < 12.0))


def test_the_body_is_known_also_where_the_whole_record_is_learned_at_once():
    imported = began + timedelta(days=400)
    facts = [replace(f, known=imported) for f in one_dose()]
    heavy = [replace(f, value=120.0) if f.code == codes.weight else f for f in facts]
    twin = newborn(Record("p1").add(heavy), warfarin.model)
    names = list(warfarin.Parameters.__dataclass_fields__)
    assert np.all(twin.parameters[names.index("weight")] == 120.0)


def test_a_weight_found_later_lets_the_twin_live_anew(vault):
    facts = [f for f in one_dose() if f.code != codes.weight]
    patient = kept(vault, facts)
    names = list(warfarin.Parameters.__dataclass_fields__)
    before = brought_up(vault, the_round, patient, warfarin.model, last)
    assert np.ptp(before.twin.parameters[names.index("weight")]) > 0  # not told: drawn
    assert in_step_again(vault, patient, before)
    vault.add(the_round, patient, [fact(50.0, codes.weight, 90.0)], Purpose.twin)
    after = brought_up(vault, the_round, patient, warfarin.model, last)
    assert np.allclose(after.twin.parameters[names.index("weight")], 90.0)
    assert in_step_again(vault, patient, after)


def in_step_again(vault, patient, found):
    again = brought_up(vault, the_round, patient, warfarin.model, last)
    return np.array_equal(again.twin.states, found.twin.states) and stays(vault, patient)


def stays(vault, patient):
    """Whether another look keeps nothing new: no entry is written."""
    entries = ledger(vault, patient)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("medtwin.care.organs.lived_and_scored", forbidden)
        brought_up(vault, the_round, patient, warfarin.model, last)
    return ledger(vault, patient) == entries


def forbidden(*_):
    raise AssertionError("a twin in step lived anew")


def test_without_consent_to_a_twin_nothing_is_computed(vault):
    patient = kept(vault, one_dose(), grants=(Purpose.care,))
    reached = {}
    assert tend_organs(patient, vault, lambda _: None, last, reached) == ()
    assert reached == {}


def test_a_daily_tablet_is_taken_to_go_on_and_a_single_dose_is_not():
    daily = [fact(24.0 * d + 12, codes.warfarin, 5.0) for d in range(10)]
    record = Record("p1").add([*daily, fact(200.0, codes.inr, 2.0)])
    now = began + timedelta(days=10)
    plan = going_on(record, warfarin_inr.model, now)
    assert [p.at for p in plan] == [now + timedelta(hours=12 + 24 * d) for d in range(7)]
    assert {p.value for p in plan} == {5.0}
    once = Record("p1").add([daily[-1]])
    assert going_on(once, warfarin_inr.model, now) == ()


def test_an_inr_is_expected_to_stay_while_the_tablets_go_on():
    daily = [fact(24.0 * (d - 60) + 12, codes.warfarin, 4.0) for d in range(60)]
    seen = [fact(-24.0, codes.inr, 2.4), fact(-192.0, codes.inr, 2.5)]
    _, (ahead,) = the_twin(warfarin_inr.model, [*daily, *seen], began)
    assert ahead.code == codes.inr
    assert np.all(np.abs(ahead.middle - 2.4) < 0.4)
