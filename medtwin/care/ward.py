"""The ward: many people tended as their facts arrive, in the background, for whoever watches.

Two threads. One makes the rounds: it takes what has arrived, patient by patient, and looks in on
those of whom nothing came. The other tends the twins of other organs and gets to know people
better (personal fits), slowly and at low priority; what it finds is taken over by the first.
Facts are never dropped: whoever brings them waits where too many do. Viewers are never waited for.
"""

import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from medtwin.care.admission import admitted, keep_heads, pages, supported, the_round
from medtwin.care.event import Event, What
from medtwin.care.organs import teach_organs, tend_organs
from medtwin.care.refine import Refined, refined
from medtwin.care.round import AtHand, tend
from medtwin.care.viewers import Listener, Viewers
from medtwin.record.observation import Observation
from medtwin.twin.heads import speaking
from medtwin.vault.access import Refused
from medtwin.vault.consent import Purpose
from medtwin.vault.vault import Vault

log = logging.getLogger("medtwin.ward")
looks_in = timedelta(minutes=5)
looks_in_on_organs = timedelta(hours=1)
refits = timedelta(days=1)
breath = 0.1


class Full(RuntimeError):
    """More facts wait than the ward may hold; bring them again later."""


class Ward:
    """Life: `start`, then `arrive` as often as facts come, `stop`. `listen` at any time."""

    def __init__(
        self,
        vault: Vault,
        clock: Callable[[], datetime],
        most_waiting: int = 20_000,
        fit: Callable[[Vault, str, datetime], Refined | None] = refined,
    ) -> None:
        self.vault, self.clock = vault, clock
        self.at_hand = AtHand()
        self._viewers = Viewers()
        self._fit = fit
        self._most = most_waiting
        self._inbox: OrderedDict[str, list[Observation]] = OrderedDict()
        self._changed = threading.Condition()
        self._found: dict[str, Refined] = {}
        self._seen: dict[str, datetime] = {}
        self._refused: set[str] = set()
        self._organs_at: dict[str, datetime] = {}
        self._organs_reached: dict[str, int] = {}
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    # From outside

    def start(self) -> "Ward":
        """Begin the rounds with everybody the vault keeps."""
        for listed in self.vault.patients(the_round):
            if listed.retired is None:
                self.admit(listed.patient)
        for work in (self._rounds, self._study):
            thread = threading.Thread(target=work, name=f"ward {work.__name__}", daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def stop(self, timeout: float = 10.0) -> None:
        """End after the turn that is running; what has not been tended yet was not taken."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(timeout)
        self._viewers.close()

    def admit(self, patient: str) -> None:
        """Look after this person from now on; they are visited soon."""
        self.arrive(patient, ())

    def arrive(
        self, patient: str, facts: Sequence[Observation], timeout: float | None = None
    ) -> None:
        """Facts for the next round. Waits while too many are waiting; then raises Full."""
        with self._changed:
            room = self._changed.wait_for(lambda: self._room(len(facts)), timeout)
            if not room:
                raise Full(
                    f"{self.waiting} facts wait for the ward, {self._most} may; "
                    f"{len(facts)} of {patient} were not taken: bring them again"
                )
            self._inbox.setdefault(patient, []).extend(facts)
            self._changed.notify_all()

    def listen(self, since: int | None = None) -> Listener:
        """Events from now on, or from after event number `since` (`Last-Event-ID`)."""
        return self._viewers.listen(since)

    @property
    def waiting(self) -> int:
        """How many facts have not been tended yet."""
        with self._changed:
            return sum(map(len, self._inbox.values()))

    @property
    def idle(self) -> bool:
        """Whether nobody is waiting for a visit."""
        return not self._inbox and not self._found

    @property
    def running(self) -> bool:
        """Whether every thread of the ward is alive."""
        return bool(self._threads) and all(t.is_alive() for t in self._threads)

    # The rounds

    def _room(self, more: int) -> bool:
        return self._stopping.is_set() or not self._inbox or self.waiting + more <= self._most

    def _rounds(self) -> None:
        while not self._stopping.is_set():
            patient, facts = self._next()
            if patient:
                self._visit(patient, facts)

    def _next(self) -> tuple[str, list[Observation]]:
        """Whoever has waited longest; then whoever was not looked in on for long; else nobody."""
        with self._changed:
            if not self._inbox:
                due = self._not_seen_of_late()
                if due:
                    return due, []
                self._changed.wait(breath)
            if not self._inbox:
                return "", []
            patient, facts = self._inbox.popitem(last=False)
            self._changed.notify_all()
        return patient, facts

    def _not_seen_of_late(self) -> str:
        now = self.clock()
        return next((p for p, at in self._seen.items() if now - at >= looks_in), "")

    def _visit(self, patient: str, facts: Sequence[Observation]) -> None:
        now = self.clock()
        self._seen[patient] = now
        try:
            found = self._found.pop(patient, None)
            if found:
                self._take_over(patient, found, now)
            tend(patient, facts, self.vault, self._publish, now, self.at_hand)
            self._refused.discard(patient)
            if teach_organs(facts):
                self._organs_at.pop(patient, None)
        except Refused as refused:
            self._say_refused(patient, refused, now)
        except Exception as error:  # noqa: BLE001  one person's trouble must not stop the others
            self._set_apart(patient, facts, error, now)

    def _take_over(self, patient: str, found: Refined, now: datetime) -> None:
        """Born again with their own parameters, brought through the last two days."""
        before = self.at_hand.following.get(patient)
        if before is None:
            return
        twins = admitted(self.vault, before.record, now, found.personal)
        if found.rehearsal:
            self.vault.keep_entries(the_round, patient, found.rehearsal, Purpose.twin)
        keep_heads(self.vault, patient, found.learned, now)
        self.at_hand.following[patient] = replace(
            before,
            checkpoints=twins,
            heads=tuple(map(speaking, found.learned)),
            weights=supported(pages(self.vault, patient, now), now, found.learned),
        )
        done = {"what": "personal fit", "because": found.personal.because}
        self._publish(Event(patient, What.progress, now, done))

    def _say_refused(self, patient: str, refused: Refused, now: datetime) -> None:
        if patient not in self._refused:
            self._refused.add(patient)
            because = {"because": refused.decision.because}
            self._publish(Event(patient, What.refused, now, because))

    def _set_apart(
        self, patient: str, facts: Sequence[Observation], error: Exception, now: datetime
    ) -> None:
        """Say that it failed; of several facts, try each alone, so that the good ones are kept."""
        log.warning("a visit to %s failed", patient, exc_info=error)
        self.at_hand.forget(patient)
        what: dict[str, Any] = {"because": f"{type(error).__name__}: {error}", "facts": len(facts)}
        self._publish(Event(patient, What.trouble, now, what))
        if len(facts) > 1:
            for fact in facts:
                self._visit(patient, [fact])

    def _publish(self, event: Event) -> None:
        self._viewers.publish(event)

    # Getting to know people

    def _study(self) -> None:
        with suppress(OSError, AttributeError):  # not every system knows threads' priorities
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
        studied: dict[str, datetime] = {}
        while not self._stopping.wait(breath):
            now = self.clock()
            self._tend_organs(now)
            due = [p for p in tuple(self.at_hand.following) if self._due(p, studied, now)]
            if due and not self._inbox:
                studied[due[0]] = now
                begun = monotonic()
                self._study_one(due[0], now)
                self._stopping.wait(monotonic() - begun)  # at most half of the time

    def _tend_organs(self, now: datetime) -> None:
        """The other organs' twins of those who have news for them, and once an hour of everybody
        (files are brought in without the ward)."""
        long_ago = now - looks_in_on_organs
        due = [p for p in tuple(self._seen) if self._organs_at.get(p, long_ago) <= long_ago]
        for patient in due:
            if self._stopping.is_set():
                return
            self._organs_at[patient] = now
            try:
                tend_organs(patient, self.vault, self._publish, now, self._organs_reached)
            except Exception as error:
                log.warning("the other twins of %s failed", patient, exc_info=error)
                what = {"because": f"other twins: {type(error).__name__}: {error}"}
                self._publish(Event(patient, What.trouble, now, what))

    def _due(self, patient: str, studied: dict[str, datetime], now: datetime) -> bool:
        return patient not in studied or now - studied[patient] >= refits

    def _study_one(self, patient: str, now: datetime) -> None:
        try:
            found = self._fit(self.vault, patient, now)
        except Refused:
            return
        except Exception as error:
            log.warning("a fit of %s failed", patient, exc_info=error)
            what = {"because": f"personal fit: {type(error).__name__}: {error}"}
            self._publish(Event(patient, What.trouble, now, what))
            return
        if found:
            self._found[patient] = found
            self.admit(patient)
