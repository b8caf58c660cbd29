"""The store's tables. In clear: pseudonym, code id, times, counts. Sealed: everything else."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

# SQLite gives rowids only to INTEGER keys; PostgreSQL needs BIGINT for the same number.
Number = BigInteger().with_variant(Integer, "sqlite")
store = MetaData()
keyring = MetaData()


def _number(name: str) -> Column[int]:
    return Column(name, Number, primary_key=True, autoincrement=True)


def _patient() -> Column[str]:
    return Column("patient", String, ForeignKey("patients.patient"), nullable=False)


def _sealed() -> Column[bytes]:
    return Column("sealed", LargeBinary, nullable=False)


def _time(name: str) -> Column[int]:
    """UTC microseconds: exact both ways."""
    return Column(name, BigInteger, nullable=False)


patients = Table(
    "patients",
    store,
    Column("patient", String, primary_key=True),
    Column("basis", String, nullable=False),
    _time("since"),
    Column("person", LargeBinary),
    Column("facts", Integer, nullable=False, default=0),
    Column("first", BigInteger),
    Column("last", BigInteger),
    Column("retired", BigInteger),
)
facts = Table(
    "facts",
    store,
    _number("arrival"),
    _patient(),
    Column("code", String, nullable=False),
    _time("at"),
    _time("known"),
    Column("digest", LargeBinary, nullable=False),
    _sealed(),
    Column("origin", LargeBinary),  # the digest of the original it came from
    UniqueConstraint("patient", "digest"),
    Index("facts_by_code", "patient", "code", "at"),
    sqlite_autoincrement=True,
)
# `facts` counts the facts of this code; `width` is there once they are many: the finest rollup.
vocabulary = Table(
    "vocabulary",
    store,
    Column("patient", String, ForeignKey("patients.patient"), primary_key=True),
    Column("code", String, primary_key=True),
    _sealed(),
    Column("facts", BigInteger),
    Column("width", BigInteger),
)
# Long courses told shortly: of each stretch of time, lowest, highest, mean, first and last.
rollups = Table(
    "rollups",
    store,
    Column("patient", String, ForeignKey("patients.patient"), primary_key=True),
    Column("code", String, primary_key=True),
    Column("width", BigInteger, primary_key=True, autoincrement=False),
    Column("begins", BigInteger, primary_key=True, autoincrement=False),
    Column("facts", BigInteger, nullable=False),
    _sealed(),
    sqlite_with_rowid=False,
)
# Signals in pieces of ten seconds.
waveforms = Table(
    "waveforms",
    store,
    _number("number"),
    _patient(),
    Column("code", String, nullable=False),
    _time("at"),
    _time("until"),
    _time("known"),
    Column("digest", LargeBinary, nullable=False),
    _sealed(),
    Column("origin", LargeBinary),
    UniqueConstraint("patient", "digest"),
    Index("waveforms_by_time", "patient", "code", "at"),
)
# `patient` is empty for an original that names nobody.
originals = Table(
    "originals",
    store,
    _number("number"),
    Column("patient", String, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    _sealed(),
    Column("received", BigInteger),
    UniqueConstraint("patient", "digest"),
)
refusals = Table(
    "refusals",
    store,
    _number("number"),
    Column("patient", String, nullable=False),
    _time("at"),
    Column("digest", LargeBinary, nullable=False),
    _sealed(),
    UniqueConstraint("patient", "digest"),
)
choices = Table(
    "choices",
    store,
    _number("number"),
    _patient(),
    Column("purpose", String, nullable=False),
    Column("yes", Boolean, nullable=False),
    _time("at"),
    Column("by", String, nullable=False),
    Index("choices_by_patient", "patient"),
)
checkpoints = Table(
    "checkpoints",
    store,
    Column("patient", String, ForeignKey("patients.patient"), primary_key=True),
    Column("model", String, primary_key=True),
    Column("at", BigInteger, primary_key=True),
    _sealed(),
)
forecasts = Table(
    "forecasts",
    store,
    Column("patient", String, ForeignKey("patients.patient"), primary_key=True),
    Column("code", String, primary_key=True),
    Column("by", String, primary_key=True),
    Column("made", BigInteger, primary_key=True),
    Column("due", BigInteger, primary_key=True),
    _sealed(),
)
alerts = Table(
    "alerts",
    store,
    _number("number"),
    _patient(),
    Column("topic", LargeBinary, nullable=False),
    _time("at"),
    _time("latest"),
    Column("times", Integer, nullable=False),
    Column("acknowledged_by", String),
    Column("acknowledged_at", BigInteger),
    Column("resolved_at", BigInteger),
    _sealed(),
    Index("alerts_by_patient", "patient"),
)
# Two records that may be, or are, of one person; why is sealed by the house, without any value.
links = Table(
    "links",
    store,
    _number("number"),
    Column("one", String, ForeignKey("patients.patient"), nullable=False),
    Column("other", String, ForeignKey("patients.patient"), nullable=False),
    Column("keep", String),
    Column("state", String, nullable=False),
    _time("at"),
    Column("decided", BigInteger),
    Column("by", String),
    _sealed(),
    UniqueConstraint("one", "other"),
    Index("links_by_other", "other"),
)
retirements = Table(
    "retirements",
    store,
    Column("patient", String, ForeignKey("patients.patient"), primary_key=True),
    Column("certificate", LargeBinary, nullable=False),
    Column("finished", Boolean, nullable=False),
)
audit = Table(
    "audit",
    store,
    Column("line", Number, primary_key=True, autoincrement=False),
    _time("at"),
    Column("who", String, nullable=False),
    Column("role", String, nullable=False),
    Column("action", String, nullable=False),
    Column("patient", String),
    Column("purpose", String),
    Column("allowed", Boolean, nullable=False),
    Column("because", String, nullable=False),
    Column("detail", String, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Index("audit_by_patient", "patient"),
)
# A patient's log-in name may identify them, so theirs is sealed and found by digest.
accounts = Table(
    "accounts",
    store,
    Column("digest", LargeBinary, primary_key=True),
    Column("name", LargeBinary, nullable=False),
    Column("password", String, nullable=False),
    Column("role", String, nullable=False),
    Column("patient", String, ForeignKey("patients.patient")),
    Column("failures", Integer, nullable=False, default=0),
    Column("failed", BigInteger),
)
sessions = Table(
    "sessions",
    store,
    Column("token", LargeBinary, primary_key=True),
    Column("account", LargeBinary, ForeignKey("accounts.digest"), nullable=False),
    _time("until"),
)
# FHIR resources, every version of them. `name` is a keyed digest of kind and id; the content is
# in `originals`, and how it is served (id, what its references mean) is sealed here.
resources = Table(
    "resources",
    store,
    _number("number"),
    Column("kind", String, nullable=False),
    Column("name", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("patient", String, nullable=False),  # empty for the house's own
    _time("updated"),
    Column("deleted", Boolean, nullable=False),
    Column("shown", Boolean, nullable=False),  # the newest version, and not deleted
    Column("original", LargeBinary),
    _sealed(),
    UniqueConstraint("name", "version"),
    Index("resources_shown", "shown", "kind", "patient", "number"),
)
# What can be searched for, of the versions shown; every word is a keyed digest.
resource_words = Table(
    "resource_words",
    store,
    Column("word", BigInteger, primary_key=True, autoincrement=False),
    Column("patient", String, primary_key=True),
    Column("resource", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
resource_times = Table(
    "resource_times",
    store,
    Column("word", BigInteger, primary_key=True, autoincrement=False),
    Column("patient", String, primary_key=True),
    Column("low", BigInteger, primary_key=True, autoincrement=False),
    Column("high", BigInteger, primary_key=True, autoincrement=False),
    Column("resource", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
resource_links = Table(
    "resource_links",
    store,
    Column("target", BigInteger, primary_key=True, autoincrement=False),
    Column("word", BigInteger, primary_key=True, autoincrement=False),
    Column("patient", String, primary_key=True),
    Column("resource", BigInteger, primary_key=True, autoincrement=False),
    Index("resource_links_by_resource", "resource", "word"),
    sqlite_with_rowid=False,
)
# Which systems codes come in, so that a code is also found without its system.
resource_systems = Table(
    "resource_systems",
    store,
    Column("parameter", String, primary_key=True),
    Column("system", String, primary_key=True),
)
# What a program shows instead of a session; kept only hashed.
tokens = Table(
    "tokens",
    store,
    Column("token", LargeBinary, primary_key=True),
    Column("name", String, nullable=False),
    Column("role", String, nullable=False),
    Column("patient", String),
    Column("scopes", String, nullable=False),
    Column("basis", String, nullable=False),
    Column("grants", String, nullable=False),
    _time("until"),
)
of_resources = (resources, resource_words, resource_times, resource_links)
of_one_person = (
    *(facts, vocabulary, rollups, waveforms),
    *(originals, refusals, checkpoints, forecasts, alerts),
    *of_resources,
    tokens,
)

# In a file of their own, so that a copy of the store opens nothing.
keys = Table(
    "keys",
    keyring,
    Column("name", String, primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
)
identities = Table(
    "identities",
    keyring,
    Column("digest", LargeBinary, primary_key=True),
    Column("patient", String, nullable=False),
    Index("identities_by_patient", "patient"),
)
# Whose key was destroyed: known to the keyring too, so that an old copy of the store brings
# nobody back.
retired = Table(
    "retired",
    keyring,
    Column("patient", String, primary_key=True),
    Column("certificate", LargeBinary, nullable=False),
)
