"""The six tests pass for both of medtwin's models, and each fails a system that deserves it."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from medtwin.physiology import glucose_living as living
from medtwin.twin_suite import story
from medtwin.twin_suite.adapter import Belief, Interval, Scored
from medtwin.twin_suite.keeping_score import crps
from medtwin.twin_suite.medtwin_twin import Medtwin, adapters
from medtwin.twin_suite.stage import in_turns
from medtwin.twin_suite.suite import NoAdapter, named, six, verdict
from medtwin.twin_suite.verdict import judged


@pytest.mark.parametrize("model", adapters)
@pytest.mark.parametrize("letter", six)
def test_medtwin_passes(letter, model):
    found = verdict(letter, adapters[model])
    assert found.passed, found.because
    assert found.because


class Deaf(Medtwin):
    """Looks at the first reading only."""

    def tell(self, facts, now):
        super().tell(() if self.at_hand.following else facts, now)


class Hesitant(Medtwin):
    """Learns, and is never surer."""

    def belief(self, at):
        return Belief(super().belief(at).middle, 10.0)


class Unscored(Medtwin):
    """Never looks back."""

    def ledger(self):
        return tuple(replace(e, measured=None, crps=None) for e in super().ledger())


class Flattering(Medtwin):
    """Gives itself better marks."""

    def ledger(self):
        return tuple(replace(e, crps=e.crps and e.crps / 2) for e in super().ledger())


class Oracle(Medtwin):
    """Says beforehand what was measured afterwards."""

    def ledger(self):
        return tuple(replace(e, made=e.due + timedelta(minutes=1)) for e in super().ledger())


class Fatalist(Medtwin):
    """Nothing that is done makes a difference."""

    def difference(self, a, b, at, now):
        return Interval(-1.0, 0.0, 1.0)


class Backwards(Medtwin):
    """Insulin raises glucose, as it seems in records where boluses come with meals."""

    def difference(self, a, b, at, now):
        return super().difference(b, a, at, now)


class Rolling(Medtwin):
    """Throws the dice anew for each plan."""

    def difference(self, a, b, at, now):
        told = super().difference(a, b, at, now)
        return Interval(told.low - 0.1, told.middle, told.high + 0.1)


class Forgetful(Medtwin):
    """Keeps what it believes in memory only."""

    def state(self):
        return super().state() if self.at_hand.following else b""


class Punctual(Medtwin):
    """Takes no notice of what comes late."""

    def tell(self, facts, now):
        super().tell([f for f in facts if f.known - f.at < timedelta(minutes=10)], now)


class Insistent(Medtwin):
    """Hears no."""

    def choose(self, purpose, now, yes):
        self.now = now


class Cached(Medtwin):
    """Asks for consent only when it computes, not when it shows what it has."""

    def belief(self, at):
        try:
            self.last = super().belief(at)
        except PermissionError:
            pass
        return self.last


class Resentful(Medtwin):
    """Throws away what comes for care while there is no yes to a twin."""

    withdrawn = False

    def choose(self, purpose, now, yes):
        self.withdrawn = not yes
        super().choose(purpose, now, yes)

    def tell(self, facts, now):
        super().tell(() if self.withdrawn else facts, now)


class Diarist(Medtwin):
    """Writes down beside the store whom it met."""

    def admit(self, who, now):
        super().admit(who, now)
        (self.home / "log.txt").write_text(f"admitted {who.name}\n")


class Unsealed(Medtwin):
    """Leaves a copy of what it believed beside the store."""

    def retire(self, because):
        (self.home / "backup.bin").write_bytes(self.state())
        super().retire(because)


class Remembering(Medtwin):
    """Shows from memory who was there."""

    def doors(self):
        return super().doors() | {"memory": lambda: story.somebody.name}


class Hoarder(Medtwin):
    """Hides the data and keeps the key."""

    def holds_key(self):
        return True


class Unwitnessed(Medtwin):
    """Leaves no line about the end."""

    def audit(self):
        return tuple(line for line in super().audit() if line.action != "retire")


class Broken(Medtwin):
    """Does not answer at all."""

    def tell(self, facts, now):
        raise RuntimeError("the disk is full")


@dataclass(frozen=True)
class Wrong:
    """A system with one thing wrong with it."""

    kind: type
    name: str = "wrong"
    address: str = ""
    story: object = story.morning

    def open(self, home):
        return self.kind(home, living.model)


@pytest.mark.parametrize(
    ("letter", "kind", "said"),
    [
        ("a", Deaf, "0 of 8 readings changed it"),
        ("a", Hesitant, "doubt shrank at 0 of 8"),
        ("b", Unscored, "0 of 156 are held against the reading"),
        ("b", Flattering, "scores"),
        ("b", Oracle, "every forecast was made before its time: no, 204 were not"),
        ("c", Fatalist, "2 U of insulin: +0.0"),
        ("c", Backwards, "2 U of insulin: +"),
        ("c", Rolling, "the same plan twice differs"),
        ("d", Forgetful, "not the same"),
        ("d", Punctual, "facts late"),
        ("e", Insistent, "at once it still answers: state, belief, forecast, difference, ledger"),
        ("e", Cached, "at once it still answers: belief"),
        ("e", Resentful, "care kept 0 of the 14 facts"),
        ("f", Diarist, "in clear in log.txt"),
        ("f", Unsealed, "in clear in backup.bin"),
        ("f", Remembering, "afterwards still open: memory"),
        ("f", Hoarder, "their key is there"),
        ("f", Unwitnessed, "0 audit lines"),
        ("f", Broken, "RuntimeError: the disk is full"),
    ],
)
def test_a_system_that_deserves_it_fails(letter, kind, said):
    found = verdict(letter, Wrong(kind))
    assert not found.passed
    assert said in found.because


def test_a_forecast_of_one_certain_value_costs_its_distance_from_what_came():
    # All quantiles at 100: the mean pinball loss is |y - 100| / 2 for levels even about a half.
    certain = Scored(story.began, story.began, (0.25, 0.5, 0.75), (100.0,) * 3, None, None)
    assert crps(certain, 130.0) == pytest.approx(30.0)


def test_facts_arrive_in_whole_quarters_of_an_hour():
    turns = in_turns(story.morning.facts)
    assert [len(facts) for _, facts in turns[:3]] == [2, 3, 3]
    assert turns[-1][0] - turns[0][0] == timedelta(hours=4)


def test_where_nothing_could_be_seen_nothing_was_passed():
    assert not judged("a", "claim", []).passed


def test_an_adapter_that_is_none_is_refused_with_what_it_needs():
    with pytest.raises(NoAdapter, match="give module:name"):
        named("nowhere:at_all")
    with pytest.raises(NoAdapter, match="it needs name, address"):
        named("math:pi")
