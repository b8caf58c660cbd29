"""A twin that is held to account as it lives: each reading is foretold before it is learned from.

For readings that come when they come (a level, a clotting time), where a forecast made for a
fixed time ahead would find nothing to be scored by. Dawid (1984), J R Stat Soc A 147:278.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from medtwin.maths.kalman import reading
from medtwin.record.observation import Observation
from medtwin.record.record import Record, moment
from medtwin.twin.assimilate import assimilate
from medtwin.twin.forecast import forecast
from medtwin.twin.ledger import LedgerEntry, entries, score
from medtwin.twin.timeline import places
from medtwin.twin.twin import Twin


def lived_and_scored(
    twin: Twin, facts: Iterable[Observation]
) -> tuple[Twin, tuple[LedgerEntry, ...]]:
    """The twin after these facts, and what it had expected of each reading before it came.

    An entry is `made` at the fact before, `due` when the reading was taken, and `by` the model's
    name. Raises `Late` where a fact is older than the twin.
    """
    known, kept = places(twin.model), []
    for fact in sorted((f for f in facts if f.code in known), key=lambda f: (f.at, f.code.id)):
        if known[fact.code][0] == reading:
            kept += foretold(twin, fact)
        twin = assimilate(twin, [fact])
    return twin, tuple(kept)


def foretold(twin: Twin, fact: Observation) -> Sequence[LedgerEntry]:
    """What the twin expects of this reading, scored by it; nothing at the twin's own moment."""
    if fact.at.timestamp() <= twin.at:
        return ()
    said = replace(forecast(twin, fact.code, [fact.at]), by=twin.model.name)
    return score(entries(said, moment(twin.at)), Record(twin.patient).add([fact]))
