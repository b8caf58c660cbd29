import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.sources.source import Arrived
from medtwin.vault.access import Principal, Refused, Role
from medtwin.vault.consent import Choice, Purpose, permits, standing
from medtwin.vault.vault import Vault

day = datetime(2026, 3, 1, tzinfo=UTC)
purposes = st.sampled_from(Purpose)


def said(purpose, yes, days=0):
    return Choice("p-1", purpose, yes, day + timedelta(days=days), "p-1")


def test_silence_is_no():
    decision = permits([], Purpose.care)
    assert not decision.allowed
    assert decision.because == "never asked about care"


def test_the_last_choice_entered_speaks_and_says_when():
    decision = permits([said(Purpose.care, True), said(Purpose.care, False, 2)], Purpose.care)
    assert not decision.allowed
    assert decision.because == "withdrew from care on 03 March 2026"


def test_a_clock_that_ran_ahead_does_not_keep_a_withdrawn_yes_alive():
    choices = [said(Purpose.care, True, days=400), said(Purpose.care, False, days=1)]
    assert not permits(choices, Purpose.care).allowed


@given(st.lists(st.tuples(purposes, st.booleans())), purposes)
def test_a_choice_about_one_purpose_says_nothing_about_another(entered, asked):
    choices = [said(purpose, yes) for purpose, yes in entered]
    of_this = [c for c in choices if c.purpose is asked]
    assert permits(choices, asked).allowed == permits(of_this, asked).allowed
    assert standing(choices).get(asked, False) == permits(choices, asked).allowed


def test_withdrawing_takes_effect_at_once_for_every_method(vault, door, admitted, made):
    patient = admitted(*Purpose)
    twin, care = Purpose.twin, Purpose.care
    vault.keep(door.system, b"state", patient, "living", made.at, twin)
    asks = {
        "record": lambda: vault.record(door.clinician, patient, care),
        "who": lambda: vault.who(door.clinician, patient, care),
        "news": lambda: vault.news(door.system, patient, care, 0),
        "originals": lambda: list(vault.originals(door.clinician, patient, care)),
        "alerts": lambda: vault.alerts(door.clinician, patient),
        "add": lambda: vault.add(door.system, patient, [made.reading(99)], care),
        "keep": lambda: vault.keep(door.system, b"x", patient, "living", made.at, twin),
        "checkpoint": lambda: vault.checkpoint(door.system, patient, "living", twin),
        "keep_entries": lambda: vault.keep_entries(door.system, patient, [], twin),
        "ledger": lambda: vault.ledger(door.system, patient, twin),
    }
    for ask in asks.values():
        ask()
    vault.choose(door.patient(patient), patient, care, yes=False)
    vault.choose(door.operator, patient, twin, yes=False)
    for ask in asks.values():
        with pytest.raises(Refused, match="withdrew from"):
            ask()


def test_importing_again_with_grants_does_not_undo_a_withdrawal(vault, door, admitted, made):
    patient = admitted(Purpose.care)
    vault.choose(door.patient(patient), patient, Purpose.care, yes=False)
    again = [made.arrived(made.reading(500))]
    vault.receive(door.operator, again, "invented", [Purpose.care, Purpose.twin])
    (listed,) = vault.patients(door.operator)
    assert listed.grants == {Purpose.care: False, Purpose.twin: True}


class ConsentMachine(RuleBasedStateMachine):
    """Whatever was said in whatever order, a person is read exactly when the last was yes."""

    operator = Principal("operator", Role.operator)
    service = Principal("service", Role.system)

    @initialize(grants=st.sets(purposes))
    def admit(self, grants):
        self.folder = tempfile.TemporaryDirectory()
        self.vault = Vault.open(Path(self.folder.name))
        self.expected = dict.fromkeys(Purpose, False) | dict.fromkeys(grants, True)
        self.receive(grants)
        self.patient = self.vault.patients(self.operator)[0].patient

    def receive(self, grants):
        fact = Observation(day, codes.glucose, 100, "sensor", day)
        arrived = Arrived(b"x", "text/plain", "x", "a|1", None, (fact,), ())
        self.vault.receive(self.operator, [arrived], "invented", list(grants))

    @rule(purpose=purposes, yes=st.booleans())
    def choose(self, purpose, yes):
        own = Principal("own", Role.patient, self.patient)
        self.vault.choose(own, self.patient, purpose, yes)
        self.expected[purpose] = yes

    @rule(grants=st.sets(purposes))
    def import_again(self, grants):
        asked = {c.purpose for c in self.vault.choices(self.operator, self.patient)}
        self.receive(grants)
        self.expected |= dict.fromkeys(grants - asked, True)

    @rule()
    def restart(self):
        home = self.vault._store.anchor._path.parent
        self.vault.close()
        self.vault = Vault.open(home)

    @invariant()
    def reads_exactly_what_is_granted(self):
        for purpose, yes in self.expected.items():
            if yes:
                assert len(self.vault.record(self.service, self.patient, purpose)) == 1
            else:
                with pytest.raises(Refused):
                    self.vault.record(self.service, self.patient, purpose)

    @invariant()
    def audit_is_whole(self):
        assert self.vault.verify().ok

    def teardown(self):
        if hasattr(self, "vault"):
            self.vault.close()
            self.folder.cleanup()


ConsentMachine.TestCase.settings = settings(max_examples=6, stateful_step_count=10, deadline=None)
TestConsentMachine = ConsentMachine.TestCase
