"""What can be asked of resources, and whether one that lies open answers it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from medtwin.vault.resource_paths import paths
from medtwin.vault.resource_values import (
    Parameter,
    Quantity,
    Resource,
    Span,
    Token,
    found,
    parameters,
    plain,
    span,
    values,
)

prefixes = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
Answers = Callable[[Resource, Mapping[str, str]], bool]


@dataclass(frozen=True)
class Asked:
    """One criterion: a parameter, how it is meant, and the values of which one must fit.

    `chain` asks the same of what a reference points at (`targets` are the kinds it may be);
    `has` asks it of what points here, through `parameter`.
    """

    parameter: str
    modifier: str = ""
    values: tuple[str, ...] = ()
    chain: "Asked | None" = None
    has: str = ""


@dataclass(frozen=True)
class Search:
    """A question: which kind, under which criteria, in which order, how many, from where on."""

    kind: str
    asked: tuple[Asked, ...] = ()
    sort: tuple[tuple[str, bool], ...] = ()  # parameter, whether the last come first
    count: int = 50
    after: str = ""


class CannotAsk(ValueError):
    """A question that cannot be answered as asked: which part, and what is allowed."""

    def __init__(self, part: str, because: str, allowed: str, code: str = "not-supported") -> None:
        super().__init__(f"{part}: {because}; allowed: {allowed}")
        self.part, self.because, self.allowed, self.code = part, because, allowed, code


def parameter_of(kind: str, name: str) -> Parameter:
    """The search parameter, or `CannotAsk` with those there are."""
    one = parameters(kind).get(name)
    if one is None:
        known = ", ".join(["_id", "_lastUpdated", *parameters(kind)])
        raise CannotAsk(name, f"{kind} has no such search parameter", known)
    return one


def split(value: str, at: str) -> list[str]:
    """The parts of a value; a backslash keeps the next letter from parting (R4, 3.1.1.4.8)."""
    parts = re.split(rf"(?<!\\){re.escape(at)}", value)
    return [re.sub(r"\\([,|$\\])", r"\1", p) for p in parts] if at != "," else parts


def prefixed(value: str) -> tuple[str, str]:
    """`ge2024-01-01` as `ge` and the rest; without a prefix it is `eq`."""
    return (value[:2], value[2:]) if value[:2] in prefixes else ("eq", value)


def asked_span(name: str, value: str) -> tuple[str, Span]:
    """A date that is asked for, with its prefix."""
    prefix, text = prefixed(value)
    reach = span(text.replace(" ", "+"))
    if reach is None:
        raise CannotAsk(
            name, f"{text!r} is no date", "2024, 2024-03, 2024-03-14 or with time", "value"
        )
    return prefix, reach


def span_fits(prefix: str, wanted: Span, there: Span, now: int) -> bool:
    """R4, 3.1.1.4.3: a date is a span of time, and so is what it is compared with."""
    (low, high), (begins, ends) = wanted, there
    inside = low <= begins and ends <= high
    if prefix == "ap":
        slack = abs(now - low) // 10
        return begins <= high + slack and ends >= low - slack
    return {
        "eq": inside,
        "ne": not inside,
        "gt": ends > high,
        "lt": begins < low,
        "ge": ends > high or inside,
        "le": begins < low or inside,
        "sa": begins > high,
        "eb": ends < low,
    }[prefix]


def number_fits(prefix: str, wanted: str, there: Decimal, name: str) -> bool:
    """R4, 3.1.1.4.4: 100 is anything that rounds to it, unless it is compared."""
    try:
        number = Decimal(wanted)
    except ArithmeticError:
        raise CannotAsk(name, f"{wanted!r} is no number", "such as 5.4 or gt5.4", "value") from None
    exponent = number.as_tuple().exponent
    half = Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0) / 2
    near = number - half <= there < number + half
    if prefix == "ap":
        return abs(there - number) <= abs(number) / 10
    return {
        "eq": near,
        "ne": not near,
        "gt": there > number,
        "lt": there < number,
        "ge": there >= number,
        "le": there <= number,
        "sa": there > number,
        "eb": there < number,
    }[prefix]


def token_fits(wanted: str, there: Token) -> bool:
    """`code`, `system|code`, `|code` (of no system), `system|` (any code of it)."""
    parts = split(wanted, "|")
    if len(parts) == 1:
        return there[1] == parts[0]
    system, code = parts[0], parts[1]
    return there[0] == system and (not code or there[1] == code)


def quantity_fits(wanted: str, there: Quantity, name: str) -> bool:
    """`5.4`, `gt5.4|http://unitsofmeasure.org|mg`, `5.4||mg`."""
    prefix, rest = prefixed(wanted)
    number, system, code = [*split(rest, "|"), "", ""][:3]
    _, has_system, has_code, unit = there
    right_unit = not code or code in (has_code, unit)
    right_system = not system or system == has_system
    return right_unit and right_system and number_fits(prefix, number, there[0], name)


def answers(kind: str, asked: Asked, now: int) -> Answers:
    """Whether an open resource fits one criterion."""
    parameter = parameter_of(kind, asked.parameter)
    if asked.modifier == "missing":
        wanted = _yes_or_no(asked)
        return lambda resource, _: (not found(parameter, resource)) is wanted
    of_kind = parameter.type == "reference" and asked.modifier in parameter.targets
    modifier = "" if of_kind else asked.modifier
    fits = FITS.get((parameter.type, modifier)) or _unknown(parameter, asked)
    name = asked.parameter

    def fit(resource: Resource, refers: Mapping[str, str]) -> bool:
        there = values(parameter, resource)
        return any(
            fits(Case(name, value, one, now, refers, parameter))
            for value in asked.values
            for one in there
        )

    if asked.modifier == "not":
        return lambda resource, refers: not fit(resource, refers)
    return fit


@dataclass(frozen=True, slots=True)
class Case:
    """One value asked for, beside one that is there."""

    name: str
    wanted: str
    there: Any
    now: int
    refers: Mapping[str, str]
    parameter: Parameter


def _yes_or_no(asked: Asked) -> bool:
    if asked.values not in (("true",), ("false",)):
        raise CannotAsk(
            f"{asked.parameter}:missing", "is asked with yes or no", "true or false", "value"
        )
    return asked.values == ("true",)


def _unknown(parameter: Parameter, asked: Asked) -> Any:
    allowed = [m or "none" for sort, m in FITS if sort == parameter.type]
    raise CannotAsk(
        f"{asked.parameter}:{asked.modifier}",
        f"this modifier is not known for a {parameter.type}",
        ", ".join([*allowed, "missing"]),
    )


def _span(case: Case) -> bool:
    prefix, wanted = asked_span(case.name, case.wanted)
    return span_fits(prefix, wanted, case.there, case.now)


def _number(case: Case) -> bool:
    prefix, rest = prefixed(case.wanted)
    return number_fits(prefix, rest, case.there[0], case.name)


def _reference(case: Case) -> bool:
    there = case.refers.get(case.there, case.there).split("/_history/")[0]
    return there == case.wanted or there.rpartition("/")[2] == case.wanted


def _composite(case: Case) -> bool:
    parts = split(case.wanted, "$")
    names = case.parameter.components
    if len(parts) != len(names):
        raise CannotAsk(
            case.name, "has another number of parts", "$".join(n for n, _ in names), "value"
        )
    return all(
        _part_fits(case, name, path, wanted)
        for (name, path), wanted in zip(names, parts, strict=True)
    )


def _part_fits(case: Case, name: str, expression: str, wanted: str) -> bool:
    sort = parameter_of(case.parameter.kind, name).type
    bare = Parameter(
        case.parameter.kind, name, sort, frozenset(), paths(_rooted(expression), "Part")
    )
    fits = FITS[sort, ""]
    there = values(bare, case.there)
    return any(fits(Case(name, wanted, one, case.now, case.refers, bare)) for one in there)


def _rooted(expression: str) -> str:
    return " | ".join(f"Part.{p.strip()}" for p in expression.split("|"))


FITS: dict[tuple[str, str], Callable[[Case], bool]] = {
    ("token", ""): lambda c: token_fits(c.wanted, c.there),
    ("token", "not"): lambda c: token_fits(c.wanted, c.there),
    ("token", "text"): lambda c: plain(c.wanted) in plain(c.there[2]),
    ("reference", ""): _reference,
    ("reference", "identifier"): lambda _: False,  # the identifier is looked at where it stands
    ("date", ""): _span,
    ("string", ""): lambda c: any(
        w.startswith(plain(c.wanted)) for w in [plain(c.there), *plain(c.there).split()]
    ),
    ("string", "exact"): lambda c: c.there == c.wanted,
    ("string", "contains"): lambda c: plain(c.wanted) in plain(c.there),
    ("uri", ""): lambda c: c.there == c.wanted,
    ("uri", "below"): lambda c: (
        c.there == c.wanted or c.there.startswith(f"{c.wanted.rstrip('/')}/")
    ),
    ("number", ""): _number,
    ("quantity", ""): lambda c: quantity_fits(c.wanted, c.there, c.name),
    ("composite", ""): _composite,
}
"""By type of parameter and modifier: does the value fit."""
