"""medtwin's own twins as the suite sees them: a real vault in a folder, tended by the round."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from medtwin.care.admission import taken_up, the_round
from medtwin.care.event import Event
from medtwin.care.round import AtHand, tend
from medtwin.engine.model import Model
from medtwin.engine.simulate import advance
from medtwin.physiology import glucose_living as living
from medtwin.physiology import type1 as s2008
from medtwin.record import codes
from medtwin.record.observation import Observation
from medtwin.record.person import Person
from medtwin.sources.source import Arrived
from medtwin.twin import forecast as looking
from medtwin.twin import ledger as scoring
from medtwin.twin.bytes import dumped
from medtwin.twin.loop import Following
from medtwin.twin.twin import Twin, parameters
from medtwin.twin_suite import story
from medtwin.twin_suite.adapter import Belief, Fact, Interval, Line, Scored, Story, Who
from medtwin.vault.access import Principal, Role
from medtwin.vault.consent import Purpose
from medtwin.vault.vault import Vault

operator, clinician = Principal("the suite", Role.operator), Principal("a nurse", Role.clinician)
meaning = {
    story.glucose: codes.glucose,
    story.bolus: codes.insulin_bolus,
    story.basal: codes.insulin_basal,
    story.carbohydrate: codes.carbohydrate,
}
device = "a pump with a sensor"


def observed(facts: Sequence[Fact]) -> tuple[Observation, ...]:
    """The suite's facts in medtwin's words."""
    return tuple(Observation(f.at, meaning[f.what], f.value, device, f.known) for f in facts)


def unheard(_: Event) -> None:
    """Nobody listens."""


def _of_members(twin: Twin, minutes: float) -> Belief:
    """What the members of an ensemble think, without the sensor's own noise on top."""
    clock = twin.at / 60
    carried = advance(
        *(twin.model, twin.states, twin.parameters, clock, clock + minutes, twin.running)
    )
    shown = twin.model.observe(tuple(carried.states), parameters(twin))[codes.glucose]
    return Belief(float(shown.mean()), float(shown.std()))


@dataclass(frozen=True)
class MedtwinAdapter:
    """medtwin with the twin of one model."""

    name: str
    address: str
    model: Model[Any]
    story: Story = story.morning

    def open(self, home: Path) -> "Medtwin":
        """A vault on this folder; its keys lie there too."""
        return Medtwin(home, self.model)


glucose_living = MedtwinAdapter(
    "medtwin, living glucose twin (exact filter)",
    f"{__name__}:glucose_living",
    living.model,
)
type1 = MedtwinAdapter("medtwin, type 1 twin (ensemble)", f"{__name__}:type1", s2008.model)
adapters = {"glucose_living": glucose_living, "type1": type1}


class Medtwin:
    """A house with one person in it, from `open` to `close`."""

    def __init__(self, home: Path, model: Model[Any]) -> None:
        self.home, self.model, self.now = home, model, story.began
        self.vault = Vault.open(home, clock=lambda: self.now)
        self.at_hand = AtHand(model=model)
        self.patient = next((p.patient for p in self.vault.patients(operator)), "")

    def close(self) -> None:
        self.vault.close()

    # What arrives

    def admit(self, who: Who, now: datetime) -> None:
        self.now = now
        said = Person((who.identifier,), who.name)
        arrived = Arrived(who.words.encode(), "text/plain", "suite", who.identifier, said, (), ())
        self.vault.receive(operator, [arrived], "an invented person", list(Purpose))
        (listed,) = self.vault.patients(operator)
        self.patient = listed.patient

    def tell(self, facts: Sequence[Fact], now: datetime) -> None:
        self.now = now
        tend(self.patient, observed(facts), self.vault, unheard, now, self.at_hand)

    def choose(self, purpose: str, now: datetime, yes: bool) -> None:
        self.now = now
        self.vault.choose(operator, self.patient, Purpose(purpose), yes)

    def retire(self, because: str) -> None:
        self.vault.retire(operator, self.patient, because)

    # What the twin says: each time asked of the vault, never of what is at hand alone

    def state(self) -> bytes:
        return dumped(self._twin())

    def belief(self, at: datetime) -> Belief:
        twin = self._twin()
        minutes = (at.timestamp() - twin.at) / 60
        if twin.spread is None:
            return _of_members(twin, minutes)
        mean, spread = looking.ahead(twin, codes.glucose, [minutes])
        return Belief(float(mean[0]), float(spread[0]))

    def expected(self, plan: Sequence[Fact], at: datetime, now: datetime) -> float:
        ahead = looking.forecast(self._twin(), codes.glucose, [at], observed(plan))
        return float(ahead.middle[0])

    def difference(
        self, a: Sequence[Fact], b: Sequence[Fact], at: datetime, now: datetime
    ) -> Interval:
        change = looking.compare(self._twin(), codes.glucose, [at], observed(a), observed(b))
        low, _, high = (float(v) for v in change.band(0.9)[:, 0])
        return Interval(low, float(change.middle[0]), high)

    def ledger(self) -> tuple[Scored, ...]:
        kept = self.vault.ledger(the_round, self.patient, Purpose.twin)
        return tuple(
            Scored(e.made, e.due, scoring.levels, e.quantiles, e.measured, e.crps) for e in kept
        )

    def _twin(self) -> Twin:
        return self._following().twin

    def _following(self) -> Following:
        _, facts = self.vault.news(the_round, self.patient, Purpose.twin, 0)
        followed = self.at_hand.following.get(self.patient)
        if followed is None:
            now = max((self.now, *(o.known for o in facts)))
            followed = taken_up(self.vault, self.patient, facts, now, self.model)
        if followed is None:
            raise LookupError(f"{self.patient} has no reading yet; tell one first")
        return followed

    # What is kept

    def kept(self) -> int:
        return len(self.vault.record(clinician, self.patient, Purpose.care))

    def doors(self) -> Mapping[str, Callable[[], object]]:
        vault, patient, own = self.vault, self.patient, Principal("p", Role.patient, self.patient)
        care, twin = Purpose.care, Purpose.twin
        return {
            "record": lambda: len(vault.record(clinician, patient, care)),
            "own record": lambda: len(vault.record(own, patient, care)),
            "record for research": lambda: len(
                vault.record(Principal("r", Role.researcher), patient, Purpose.research)
            ),
            "who": lambda: vault.who(clinician, patient, care).name,
            "news": lambda: vault.news(the_round, patient, twin, 0)[1],
            "originals": lambda: list(vault.originals(clinician, patient, care)),
            "twin": lambda: vault.checkpoint(the_round, patient, self.model.name, twin),
            "state at hand": self.state,
            "ledger": lambda: vault.ledger(the_round, patient, twin),
            "alerts": lambda: vault.alerts(clinician, patient),
        }

    def holds_key(self) -> bool:
        with closing(sqlite3.connect(self.home / "keys.db")) as ring:
            asked = "select count(*) from keys where name = ?"
            ((keys,),) = ring.execute(asked, (self.patient,)).fetchall()
            asked = "select count(*) from identities where patient = ?"
            ((ways,),) = ring.execute(asked, (self.patient,)).fetchall()
        return keys + ways > 0

    def certificate(self) -> str:
        found = self.vault.certificate(self.patient)
        return "" if found is None else str(found)

    def audit(self) -> tuple[Line, ...]:
        lines = self.vault.audit(operator, self.patient, 1_000_000)
        return tuple(Line(line.action, line.allowed, line.because) for line in lines)

    def audit_is_whole(self) -> bool:
        return self.vault.verify().ok
