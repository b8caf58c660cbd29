"""Plain functions from lines that a program wrote, so that they compile like those of a file."""

import linecache
from collections.abc import Mapping
from hashlib import sha256
from types import FunctionType
from typing import Any


def functions(title: str, text: str, known: Mapping[str, Any]) -> dict[str, FunctionType]:
    """The functions that `text` defines, by name, with `known` as what lies around them.

    The lines stay readable for `inspect`, which is how the engine finds and compiles them. Only
    for text that this house wrote: it is run.
    """
    digest = sha256(text.encode()).hexdigest()[:16]
    place = f"<{title} {digest}>"
    linecache.cache[place] = (len(text), None, text.splitlines(keepends=True), place)
    namespace = {**known, "__name__": f"medtwin.written.{digest}"}
    exec(compile(text, place, "exec"), namespace)  # noqa: S102  our own text: see above
    found = {k: v for k, v in namespace.items() if isinstance(v, FunctionType)}
    return {k: v for k, v in found.items() if v.__code__.co_filename == place}
