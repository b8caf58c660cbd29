"""Examples in docs and docstrings run as tests; shapes in annotations are checked meanwhile."""

import os

# Small matrices on many threads are slower, and the gate runs one process per core.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from jaxtyping import install_import_hook
from sybil import Sybil
from sybil.document import PythonDocStringDocument
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser
from sybil.parsers.rest import DocTestParser

# The rooms that calculate. Physiology is left out: its functions are compiled, not called.
# An int may stand where a float is asked for (PEP 484).
calculating = ["record", "maths", "scores", "learning", "twin", "trials"]
install_import_hook(
    [f"medtwin.{room}" for room in calculating],
    "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))",
)

_pages = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["docs/*.md", "docs/models/*.md", "README.md"],
)
_docstrings = Sybil(
    parsers=[DocTestParser()],
    patterns=["medtwin/**/*.py", "medtwin/*.py"],
    document_types={".py": PythonDocStringDocument},
)

pytest_collect_file = (_pages + _docstrings).pytest()
