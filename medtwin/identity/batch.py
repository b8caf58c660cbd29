"""Thousands of descriptions at once: which of them are of one person, by splink.

Splink estimates from the records themselves what each likeness is worth (expectation and
maximisation for Fellegi and Sunter's model; Linacre et al., Int J Popul Data Sci 2022;7:1794).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from medtwin.identity.arrival import DOUBT, SURE, Verdict
from medtwin.identity.traits import called, traits
from medtwin.record.person import Person


class NeedsLinkage(ImportError):
    """The extra that links batches is not installed."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two descriptions, the chance that they are of one person, and what follows.

    Above `SURE` they are joined, unless given names or birth dates speak against it: twins, and
    a parent's namesake, share nearly everything.
    """

    one: str
    other: str
    chance: float
    verdict: Verdict


@dataclass(frozen=True)
class Linked:
    """Pairs that may be one person, and who is one person by the sure ones (`groups`)."""

    pairs: tuple[Pair, ...]
    groups: tuple[frozenset[str], ...]

    @property
    def review(self) -> tuple[Pair, ...]:
        """Pairs that somebody should look at, the likeliest first."""
        unsure = (p for p in self.pairs if p.verdict is Verdict.review)
        return tuple(sorted(unsure, key=lambda p: -p.chance))


def linked(people: Mapping[str, Person], seed: int = 1) -> Linked:
    """Who is who among these descriptions, by pseudonym. Needs the extra `[linkage]`.

    Raises NeedsLinkage without it, ValueError for fewer than a hundred descriptions, among which
    nothing can be estimated (compare them with `arrival.matches`).
    """
    if len(people) < 100:
        raise ValueError(
            f"{len(people)} descriptions are too few to estimate from; allowed are 100 or more; "
            "compare them one by one with arrival.matches"
        )
    predicted = _predicted(table(people), seed)
    found = tuple(_pair(r) for r in predicted)
    return Linked(found, _groups([(p.one, p.other) for p in found if p.verdict is Verdict.same]))


def table(people: Mapping[str, Person]) -> pa.Table:
    """The traits as columns; what was not said is null."""
    rows = [_row(patient, who) for patient, who in people.items()]
    return pa.Table.from_pylist(rows, SCHEMA)


SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("unique_id", "family", "given", "born", "sex", "street")]
    + [(name, pa.string()) for name in ("postcode", "number", "year", "names")]
)


def _row(patient: str, who: Person) -> dict[str, str | None]:
    t = traits(who)
    # mail first: a household may share a telephone
    number = min(t.numbers, key=lambda n: ("@" not in n, n), default=None)
    names = " ".join(sorted((t.family, called(t.given)))) if t.family and t.given else None
    return {
        "unique_id": patient,
        "family": t.family or None,
        "given": called(t.given) or None,
        "born": t.born.isoformat() if t.born else None,
        "sex": t.sex or None,
        "street": t.street or None,
        "postcode": t.postcode or None,
        "number": number,
        "year": str(t.born.year) if t.born else None,
        "names": names,
    }


def _predicted(rows: pa.Table, seed: int) -> list[dict[str, Any]]:
    try:
        from splink import Linker, block_on
        from splink.backends.duckdb import DuckDBAPI
    except ImportError as why:
        raise NeedsLinkage(
            "linking many records needs splink; install medtwin with the extra [linkage]"
        ) from why
    store = DuckDBAPI()
    linker = Linker(store.register(rows), _settings(), log_level="ERROR")
    sure: list[Any] = [block_on("family", "given", "born"), block_on("number", "given")]
    linker.training.estimate_probability_two_random_records_match(sure, recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=2e6, seed=seed)
    # never blocked on the household alone: kin would teach that one person has many names
    for blocked in (("born", "given"), ("number", "given"), ("born", "family")):
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(*blocked))
    found = linker.inference.predict(threshold_match_probability=DOUBT)
    return found.as_record_list()


def _pair(found: dict[str, Any]) -> Pair:
    chance = float(found["match_probability"])
    given, born = found["mw_given"], found["mw_born"]
    contradicted = (given is not None and given < -3) or (born is not None and born < 4)
    verdict = Verdict.same if chance >= SURE and not contradicted else Verdict.review
    return Pair(str(found["unique_id_l"]), str(found["unique_id_r"]), chance, verdict)


def _settings() -> Any:
    import splink.comparison_library as cl
    from splink import SettingsCreator, block_on

    return SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            cl.CustomComparison(_household(), "household"),
            cl.CustomComparison(_given(), "given"),
            cl.CustomComparison(_born(), "born"),
            cl.ExactMatch("sex"),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("born"),
            block_on("names"),
            block_on("number"),
            block_on("street", "postcode"),
            block_on("substr(family, 1, 3)", "substr(given, 1, 2)", "year"),
        ],
        retain_matching_columns=False,
        retain_intermediate_calculation_columns=True,  # the verdict asks for single traits
    )


def _household() -> list[Any]:
    """Family name, dwelling and telephone as one: kin share all of them."""
    import splink.comparison_level_library as cll

    said = "(number_l = number_r or (street_l = street_r and postcode_l = postcode_r))"
    near = "jaro_winkler_similarity(family_l, family_r) >= 0.9"
    turned = _turned()
    levels = {
        f"{said} and (family_l = family_r or {turned})": "one household, the same family name",
        f"{said} and {near}": "one household, nearly the same family name",
        said: "one household, another family name",
        f"family_l = family_r or {turned}": "the same family name",
        near: "nearly the same family name",
    }
    unsaid = cll.CustomLevel("family_l is null or family_r is null").configure(is_null_level=True)
    return [
        unsaid,
        *(cll.CustomLevel(sql, label) for sql, label in levels.items()),
        cll.ElseLevel(),
    ]


def _born() -> list[Any]:
    """Dates as text; a slip of one digit, or day and month exchanged."""
    import splink.comparison_level_library as cll

    turned = "left(born_l, 4) || right(born_l, 2) || substr(born_l, 6, 2)"
    there = "left(born_r, 4) || substr(born_r, 6, 2) || right(born_r, 2)"
    slip = f"damerau_levenshtein(born_l, born_r) <= 1 or {turned} = {there}"
    return [
        cll.NullLevel("born"),
        cll.ExactMatchLevel("born"),
        cll.CustomLevel(slip, "birth dates one slip apart"),
        cll.CustomLevel("year_l = year_r", "born in the same year"),
        cll.ElseLevel(),
    ]


def _turned() -> str:
    one = "jaro_winkler_similarity(family_l, given_r) >= 0.9"
    return f"({one} and jaro_winkler_similarity(given_l, family_r) >= 0.9)"


def _given() -> list[Any]:
    """Everyday names are written out before; an initial may stand for the name."""
    import splink.comparison_level_library as cll

    turned = _turned()
    initial, lengths = "left(given_l, 1) = left(given_r, 1)", "length(given_l), length(given_r)"
    slip = "jaro_winkler_similarity(given_l, given_r) >= 0.9 or "
    slip += "damerau_levenshtein(given_l, given_r) <= 1"
    return [
        cll.CustomLevel("given_l is null or given_r is null").configure(is_null_level=True),
        cll.ExactMatchLevel("given", term_frequency_adjustments=True),
        cll.CustomLevel(f"{slip} or {turned}", "nearly the same given name"),
        cll.CustomLevel(f"{initial} and 1 in ({lengths})", "an initial that fits"),
        cll.ElseLevel(),
    ]


def _groups(pairs: list[tuple[str, str]]) -> tuple[frozenset[str], ...]:
    """Who hangs together."""
    group: dict[str, set[str]] = {}
    for one, other in pairs:
        joined = group.get(one, {one}) | group.get(other, {other})
        for patient in joined:
            group[patient] = joined
    return tuple({frozenset(g) for g in group.values()})
