"""A program's token on the command line."""

from medtwin.vault.consent import Purpose
from medtwin.vault.vault import Vault


def test_a_token_lets_a_program_in_with_what_was_said_of_it(medtwin):
    said = medtwin("token", "ehr", "--grant", "care,twin", "--scope", "system/Observation.rs")
    assert said.code == 0
    with Vault.open(medtwin.home) as vault:
        bearer = vault.tokens.bearer(said.out.strip())
    assert bearer is not None
    assert (bearer.principal.name, bearer.principal.role) == ("ehr", "system")
    assert bearer.scopes == ("system/Observation.rs",)
    assert bearer.grants == (Purpose.care, Purpose.twin)


def test_a_patients_token_needs_the_pseudonym(medtwin):
    assert medtwin("token", "app", "--role", "patient").code != 0
