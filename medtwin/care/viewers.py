"""Whoever listens to the ward. A slow listener loses old events, never holds up a model."""

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from threading import Condition, Lock
from time import monotonic

from medtwin.care.event import Event

remembered = 2000
held = 200


class Listener:
    """One viewer's own queue: the newest events win. Life: `listen` to `close`."""

    def __init__(self, viewers: "Viewers", past: list[Event]) -> None:
        self._viewers = viewers
        self._waiting: deque[Event] = deque(past[-held:], maxlen=held)
        self._changed = Condition()
        self.closed = False

    def give(self, event: Event) -> None:
        """Put an event in the queue; the oldest falls out where it is full. Never waits."""
        with self._changed:
            self._waiting.append(event)
            self._changed.notify()

    def next(self, timeout: float) -> Event | None:
        """The oldest event waiting; None if none came within so many seconds, or it is closed."""
        end = monotonic() + timeout
        with self._changed:
            while not self._waiting and not self.closed and (left := end - monotonic()) > 0:
                self._changed.wait(left)
            return self._waiting.popleft() if self._waiting else None

    def close(self) -> None:
        """Stop listening."""
        with self._changed:
            self.closed = True
            self._changed.notify_all()
        self._viewers.leave(self)

    def __enter__(self) -> "Listener":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Event]:
        while not self.closed:
            event = self.next(1.0)
            if event:
                yield event


class Viewers:
    """Everybody who listens, and the last events, so that a lost line can be taken up again."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._listeners: set[Listener] = set()
        self._past: deque[Event] = deque(maxlen=remembered)
        self._number = 0

    def publish(self, event: Event) -> Event:
        """Number the event, remember it, and give it to everybody."""
        with self._lock:
            self._number += 1
            numbered = replace(event, id=self._number)
            self._past.append(numbered)
            for listener in self._listeners:
                listener.give(numbered)
        return numbered

    def listen(self, since: int | None = None) -> Listener:
        """A new listener; with `since`, the events after that number come first.

        A number this ward has not reached is from before a restart: everything remembered comes.
        """
        with self._lock:
            after = self._number if since is None else since if since <= self._number else 0
            listener = Listener(self, [e for e in self._past if e.id > after])
            self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Give nothing more to this listener."""
        with self._lock:
            self._listeners.discard(listener)

    def close(self) -> None:
        """Send everybody home."""
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener.close()
