"""Where one number came from: who said it, when, in which words, and what they said before."""

from medtwin.vault.access import Role
from medtwin.web.bedside.origins import original, origins
from medtwin.web.page import Page

page = Page(
    "origin",
    "Where this came from",
    "/patients/{patient}/origin",
    "every word that was said of one fact, with the original bytes",
    origins,
    roles=frozenset({Role.clinician, Role.patient}),
    files={"original": original},
)
