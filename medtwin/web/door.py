"""The door: who is asking, by a session kept on the server, and whether a form is theirs."""

import hmac
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from threading import Lock
from typing import Any

from medtwin.web.trouble import Trouble, Words

SESSION = "medtwin_session"
DOOR = "medtwin_door"
TRIES = 5
WINDOW = timedelta(minutes=5)


def csrf(secret: str) -> str:
    """The mark a form must carry: only who holds the cookie can make it."""
    return hmac.new(secret.encode(), b"medtwin form", sha256).hexdigest()


def check_form(form: Mapping[str, str], secret: str, headers: Mapping[str, str]) -> None:
    """Refuse a form that another site could have sent."""
    elsewhere = headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
    right = secret and hmac.compare_digest(form.get("csrf", ""), csrf(secret))
    if elsewhere or not right:
        raise Trouble(
            403,
            Words(
                "this form did not come from your open page",
                "your session",
                "forms sent from a page of this site, in the session that opened it",
                "go back, reload the page and send it again",
            ),
        )


@dataclass
class Turnstile:
    """Counts failed log-ins by name and by address; too many, and the door waits."""

    failed: dict[str, deque[datetime]] = field(default_factory=dict)
    lock: Any = field(default_factory=Lock)

    def check(self, keys: tuple[str, ...], now: datetime) -> None:
        """Refuse while one of these has failed too often of late."""
        with self.lock:
            self._forget(now)
            wait = [self.failed[k][0] + WINDOW - now for k in keys if self._full(k)]
        if wait:
            raise too_many(max(wait))

    def note(self, keys: tuple[str, ...], now: datetime) -> None:
        """Remember a failure."""
        with self.lock:
            for key in keys:
                self.failed.setdefault(key, deque(maxlen=4 * TRIES)).append(now)

    def _full(self, key: str) -> bool:
        limit = 4 * TRIES if key.startswith("address ") else TRIES
        return len(self.failed.get(key, ())) >= limit

    def _forget(self, now: datetime) -> None:
        for key in list(self.failed):
            times = self.failed[key]
            while times and times[0] <= now - WINDOW:
                times.popleft()
            if not times:
                del self.failed[key]


def too_many(wait: timedelta) -> Trouble:
    """The door waits."""
    return Trouble(
        429,
        Words(
            "too many failed log-ins",
            "this name or this address",
            f"{TRIES} failed tries in {WINDOW.total_seconds() / 60:.0f} minutes",
            f"wait {max(wait.total_seconds(), 1) / 60:.0f} min and try again",
        ),
    )
