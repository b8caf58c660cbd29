"""What went wrong, said once on stderr: what, whose, what is allowed, what to do next."""

import traceback

from medtwin.commands.report import aside
from medtwin.settings import Settings
from medtwin.vault.access import Refused

wrong_input, refused, unexpected = 2, 3, 70


def told(why: Exception) -> int:
    """Say it, and give the exit code that goes with it."""
    if Settings().debug:
        traceback.print_exception(why)
    if isinstance(why, Refused):
        aside.print(f"refused: {why}", style="yellow", markup=False, highlight=False)
        return refused
    if _ours(why) or isinstance(why, OSError):
        aside.print(f"error: {why}", style="red", markup=False, highlight=False)
        return wrong_input
    aside.print(
        f"medtwin met something it did not expect ({type(why).__name__}: {why}); nothing "
        "half-written is kept; MEDTWIN_DEBUG=1 shows where, for a report to the developers",
        style="red",
        markup=False,
        highlight=False,
    )
    return unexpected


def _ours(why: Exception) -> bool:
    """Errors whose type is ours carry a sentence for people."""
    return type(why).__module__.startswith("medtwin.")
