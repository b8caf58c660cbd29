"""What went wrong, said so that a person can go on: what, whose, what is allowed, what next."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Words:
    """The one shape of every error, on a page and in JSON."""

    what: str
    whose: str
    allowed: str
    next: str


class Trouble(Exception):
    """A request that cannot be answered as asked."""

    def __init__(self, status: int, words: Words, kind: str = "error") -> None:
        super().__init__(words.what)
        self.status = status
        self.words = words
        self.kind = kind


def shape(words: Words) -> dict[str, dict[str, str]]:
    """The error as JSON."""
    return {"error": asdict(words)}


def wrong_value(name: str, value: str, allowed: str) -> Trouble:
    """A parameter outside what is allowed; what was sent is shown short."""
    sent = value if len(value) <= 40 else f"{value[:40]}… ({len(value)} characters)"
    return Trouble(
        422,
        Words(
            f"{name} “{sent}” cannot be used",
            "the address of this request",
            allowed,
            "change the value and ask again",
        ),
    )


def unknown(what: str, whose: str = "this address") -> Trouble:
    """Nothing of that name."""
    return Trouble(
        404,
        Words(what, whose, "addresses reached from the menu", "go back to the start page"),
    )


def not_for(role: str, allowed: str) -> Trouble:
    """A page that this role does not have."""
    return Trouble(
        403,
        Words(f"a {role} may not open this page", "your account", allowed, "log in with that role"),
        "no-consent",
    )
