"""Who has which key: one for each person, wrapped by the house's, in a file of their own.

The store holds only sealed data under pseudonyms. This keyring (`keys.db`) holds the wrapped
keys and the way from a person's identifier to their pseudonym; the key-encryption key lives
in a third file. Destroying a person's key here ends their data in every copy of the store.
"""

import base64
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, delete, select, update

from medtwin.vault import dialect, tables
from medtwin.vault.seal import Seal, derived, nonce_size, seal

house = "house"
alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: no letter that reads as a digit


class KeyMissing(RuntimeError):
    """A key that should be there is not; the message says which and what to do."""


def pseudonym() -> str:
    """A random name that says nothing about anybody (60 bits)."""
    return "p-" + "".join(secrets.choice(alphabet) for _ in range(12))


class Keyring:
    """Makes, opens and destroys keys. Opened keys are remembered until `forget`."""

    def __init__(self, path: Path, key_file: Path) -> None:
        self._file = key_file
        if not path.exists() and not key_file.exists():
            write_keys(key_file, [secrets.token_bytes(32)])
        read_keys(key_file)
        self._turns = dialect.Turns(path)
        tables.keyring.create_all(self._turns.engine)
        path.chmod(0o600)
        self._seals: dict[str, Seal] = {}
        self._names: dict[bytes, str] = {}
        self._house_key = self._housed()
        self.house = seal("", self._house_key)
        if len(read_keys(key_file)) > 1:
            self.turn_over()

    def _housed(self) -> bytes:
        with self._turns.writing() as c:
            if house not in self._wrapped(c, [house]):
                self._make(c, [house])
            return self._unwrapped(house, self._wrapped(c, [house])[house])

    def house_key(self, use: bytes) -> bytes:
        """A key of the house for one use."""
        return derived(self._house_key, use)

    def seal_of(self, patient: str) -> Seal:
        """This person's seal; `KeyMissing` when their key was destroyed."""
        found = self._seals.get(patient)
        if found is None:
            try:
                found = seal(patient, self._key_of(patient))
            except KeyMissing:  # the key may have been turned over between the two files
                found = seal(patient, self._key_of(patient))
            self._seals[patient] = found
        return found

    def _key_of(self, patient: str) -> bytes:
        with self._turns.reading() as c:
            wrapped = self._wrapped(c, [patient]).get(patient)
        if wrapped is None:
            raise KeyMissing(f"{patient} has no key: destroyed at retirement, or never made")
        return self._unwrapped(patient, wrapped)

    def pseudonyms(self, identifiers: Iterable[str]) -> dict[str, str]:
        """Each person's pseudonym by their identifier; newcomers get one, and a key."""
        digests = {i: self.house.digest(b"identity|" + i.encode()) for i in set(identifiers)}
        if any(d not in self._names for d in digests.values()):
            self._admit(list(digests.values()))
        return {i: self._names[d] for i, d in digests.items()}

    def found(self, identifiers: Iterable[str]) -> dict[str, str]:
        """The pseudonyms of those who have one; nobody is admitted."""
        digests = {self.house.digest(b"identity|" + i.encode()): i for i in set(identifiers)}
        table = tables.identities
        with self._turns.reading() as c:
            rows = c.execute(select(table).where(table.c.digest.in_(list(digests)))).all()
        return {digests[r.digest]: r.patient for r in rows}

    def _admit(self, digests: list[bytes]) -> None:
        table = tables.identities
        with self._turns.writing() as c:
            rows = c.execute(select(table).where(table.c.digest.in_(digests))).all()
            names = {row.digest: row.patient for row in rows}
            new = {d: pseudonym() for d in digests if d not in names}
            self._make(c, list(new.values()))
            dialect.insert_new(c, table, [{"digest": d, "patient": p} for d, p in new.items()])
        self._names.update(names | new)

    def forget(self, patient: str) -> None:
        """Drop what this process remembers of a person's key."""
        self._seals.pop(patient, None)
        self._names = {d: p for d, p in self._names.items() if p != patient}

    def destroy(self, patient: str) -> bool:
        """End this person's key, and wrap all others anew, so that no copy of it opens either.

        False where the key file cannot be written: then an old copy of the keyring still opens.
        """
        with self._turns.writing() as c:
            c.execute(delete(tables.keys).where(tables.keys.c.name == patient))
            c.execute(delete(tables.identities).where(tables.identities.c.patient == patient))
        self.forget(patient)
        try:
            self.turn_over()
        except OSError:
            self._turns.scrub()
            return False
        return True

    def bury(self, certificates: Mapping[str, bytes]) -> None:
        """Remember whose key was destroyed, so that no old copy of the store brings them back."""
        rows = [{"patient": p, "certificate": sealed} for p, sealed in certificates.items()]
        if certificates.keys() - self.buried().keys():
            with self._turns.writing() as c:
                dialect.insert_new(c, tables.retired, rows)

    def buried(self) -> dict[str, bytes]:
        """Everybody retired, as far as this keyring knows, each with the sealed certificate."""
        with self._turns.reading() as c:
            return {r.patient: r.certificate for r in c.execute(select(tables.retired))}

    @contextmanager
    def still(self) -> Iterator[None]:
        """Nobody changes a key meanwhile."""
        with self._turns.writing():
            yield

    def turn_over(self) -> None:
        """Replace the key-encryption key. Interrupted at any point, the next open finishes it.

        The file names the old and the new key until every wrapped key is under the new one.
        """
        with self._turns.writing() as c:
            write_keys(self._file, [*read_keys(self._file), secrets.token_bytes(32)])
            for name, wrapped in self._wrapped(c, None).items():
                renewed = self._wrap(name, self._unwrapped(name, wrapped))
                c.execute(
                    update(tables.keys).where(tables.keys.c.name == name).values(wrapped=renewed)
                )
        with self._turns.writing():
            write_keys(self._file, read_keys(self._file)[-1:])
        self._turns.scrub()

    def close(self) -> None:
        """Let the file go and forget every key."""
        self._seals.clear()
        self._turns.close()

    def _make(self, c: Connection, names: list[str]) -> None:
        rows = [{"name": n, "wrapped": self._wrap(n, secrets.token_bytes(32))} for n in names]
        dialect.insert_new(c, tables.keys, rows)

    def _wrapped(self, c: Connection, names: list[str] | None) -> dict[str, bytes]:
        query = select(tables.keys)
        if names is not None:
            query = query.where(tables.keys.c.name.in_(names))
        return {row.name: row.wrapped for row in c.execute(query)}

    def _wrap(self, name: str, key: bytes) -> bytes:
        """Under the newest key in the file, read now: another process may have turned it over."""
        nonce = os.urandom(nonce_size)
        newest = AESGCM(read_keys(self._file)[-1])
        return nonce + newest.encrypt(nonce, key, name.encode())

    def _unwrapped(self, name: str, wrapped: bytes) -> bytes:
        for key in read_keys(self._file):
            try:
                return AESGCM(key).decrypt(
                    wrapped[:nonce_size], wrapped[nonce_size:], name.encode()
                )
            except InvalidTag:
                continue
        raise KeyMissing(
            f"the key file {self._file.name} does not open the key of {name}; "
            "restore the key file that belongs to this keyring"
        )


def read_keys(path: Path) -> list[bytes]:
    """The key-encryption keys in the file, newest last; only its owner may read it."""
    try:
        mode = path.stat().st_mode & 0o777
        lines = path.read_text().split()
    except FileNotFoundError:
        raise KeyMissing(
            f"the key file {path} is missing while its keyring exists; restore it: without it "
            "nothing in this store can be read"
        ) from None
    if mode & 0o077:
        raise KeyMissing(f"others may read the key file {path} (mode {mode:o}); chmod 600 it")
    keys = [base64.b64decode(line) for line in lines]
    if not keys or any(len(k) != 32 for k in keys):
        raise KeyMissing(f"the key file {path} holds no 32-byte key; restore it from its backup")
    return keys


def write_keys(path: Path, keys: list[bytes]) -> None:
    """Replace the file in one step; what it held before is overwritten first where it lay."""
    new = path.with_suffix(".new")
    if new.exists():  # left by a turn-over that was cut short
        _overwrite(os.open(new, os.O_WRONLY))
        new.unlink()
    _fill(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), keys)
    old = os.open(path, os.O_WRONLY) if path.exists() else None
    new.replace(path)
    _sync_folder(path.parent)
    if old is not None:
        _overwrite(old)


def _fill(file: int, keys: list[bytes]) -> None:
    with os.fdopen(file, "wb") as out:
        out.write(b"\n".join(base64.b64encode(k) for k in keys) + b"\n")
        out.flush()
        os.fsync(out.fileno())


def _overwrite(file: int) -> None:
    with os.fdopen(file, "wb") as out:
        out.write(os.urandom(os.fstat(file).st_size))
        out.flush()
        os.fsync(out.fileno())


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
