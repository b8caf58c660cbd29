"""Copies of the store that can be put back: sealed as it is, signed, and without the keys.

The keys go to a folder of their own: whoever finds one of the two reads nothing. Putting back an
old copy brings nobody back whose data was ended since, as far as the keyring knows of it.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest, new
from pathlib import Path
from struct import Struct
from typing import Any

import msgspec
import orjson
from sqlalchemy import Connection, Table, select, update

from medtwin.vault import audit, retirement, schema, tables
from medtwin.vault.access import Action, Principal
from medtwin.vault.audit import Anchor, Head
from medtwin.vault.dialect import Turns, Where, count_on, fill, insert_new
from medtwin.vault.keys import KeyMissing, Keyring
from medtwin.vault.store import Store, locked
from medtwin.vault.times import micros

block = 2000  # rows
size = Struct("<I")


class NoBackup(RuntimeError):
    """It cannot be copied there, or put back from there; the message says what to do."""


@dataclass(frozen=True)
class Copied:
    """What a copy holds: rows, bytes, and the digest of each table in it."""

    rows: int
    bytes: int
    digests: dict[str, str]


def back_up(store: Store, principal: Principal, folder: Path, keys: Path | None) -> Copied:
    """Copy the store as it stands now, while others go on writing; the keys too, if told where.

    Cut short, nothing stands at `folder`. Raises `NoBackup` where something stands there already.
    """
    _free(folder)
    if keys is not None:
        _apart(folder, keys)
    with store.asked(principal, Action.back_up, None, detail={"keys": int(keys is not None)}):
        pass
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True, mode=0o700)
    with store.turns.reading() as c:
        held = {str(t.name): _written(c, t, partial / f"{t.name}.rows") for t in _tables()}
        head = audit.head(c)
    said = {
        "version": schema.newest,
        "made": store.clock().isoformat(),
        "head": [head.lines, head.hash.hex()],
        "tables": held,
    }
    _signed(partial / "manifest.json", said, store.keyring)
    partial.rename(folder)
    if keys is not None:
        _keys_copied(store, keys)
    return _summed(held)


def _summed(held: dict[str, Any]) -> Copied:
    digests = {name: one["digest"] for name, one in held.items()}
    rows, size_ = (sum(one[key] for one in held.values()) for key in ("rows", "bytes"))
    return Copied(rows, size_, digests)


def _free(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise NoBackup(f"{folder} is not empty; give a folder that is not there yet")
    if folder.exists():
        folder.rmdir()


def _apart(folder: Path, keys: Path) -> None:
    a, b = folder.resolve(), keys.resolve()
    if a == b or a in b.parents or b in a.parents:
        raise NoBackup(
            f"the keys would lie with the store they open ({keys}); give a folder on another medium"
        )


def _tables() -> Sequence[Table]:
    return tables.store.sorted_tables


def _written(c: Connection, table: Table, path: Path) -> dict[str, Any]:
    """A table's rows in the order of their key, so that the same rows have the same digest."""
    digest, count = sha256(), 0
    rows = c.execution_options(yield_per=block).execute(select(table).order_by(*table.primary_key))
    with path.open("wb") as file:
        for some in rows.partitions(block):
            piece = msgspec.msgpack.encode([tuple(row) for row in some])
            piece = size.pack(len(piece)) + piece
            digest.update(piece)
            file.write(piece)
            count += len(some)
        file.flush()
        os.fsync(file.fileno())
    columns = [str(column.name) for column in table.columns]
    told = {"rows": count, "bytes": path.stat().st_size, "digest": digest.hexdigest()}
    return told | {"columns": columns}


def _signed(path: Path, said: dict[str, Any], keyring: Keyring) -> None:
    plain = orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
    path.write_bytes(_signature(keyring, plain).encode() + b"\n" + plain + b"\n")


def _signature(keyring: Keyring, plain: bytes) -> str:
    return new(keyring.house_key(b"backup"), plain, sha256).hexdigest()


def _keys_copied(store: Store, keys: Path) -> None:
    """Keyring and key file as they belong together: nobody turns them over meanwhile."""
    keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    with store.keyring.still():
        schema.copied(store.home / "keys.db", keys / "keys.db")
        shutil.copy(store.key_file, keys / "key")
    (keys / "key").chmod(0o600)


def put_back(folder: Path, home: Path, where: Where, key_file: Path, keys: Path | None) -> Copied:
    """Make a store of a copy, in a home without one. Opening it then finishes every retirement.

    `keys` is the folder of the keys, where the home has lost them. Raises `NoBackup` or
    `KeyMissing`; then nothing was put anywhere but the keys.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with locked(home / "open.lock"):
        turns = Turns(where)
        try:
            if schema.begun(turns):
                raise NoBackup(f"there is a store in {home} already; give a home without one")
            _keys_back(home, key_file, keys)
            keyring = Keyring(home / "keys.db", key_file)
            said = _checked(folder, keyring)
            anchor = Anchor(home / "audit.head", keyring.house_key(b"audit head"))
            schema.ready(turns, None)
            with turns.writing() as c:
                for table in _tables():
                    if table.name in said["tables"]:
                        _filled(c, table, folder, said["tables"][table.name]["columns"])
                        count_on(c, table)
                _ended_again(c, keyring)
            anchor.begin()
            anchor.advance(Head(said["head"][0], bytes.fromhex(said["head"][1])))
            keyring.close()
        finally:
            turns.close()
    if isinstance(where, Path):
        where.chmod(0o600)
    return _summed(said["tables"])


def _keys_back(home: Path, key_file: Path, keys: Path | None) -> None:
    there = (home / "keys.db").exists() or key_file.exists()
    if keys is None and not there:
        raise KeyMissing(f"there are no keys in {home}; say with --keys where their copy lies")
    if keys is None:
        return
    if there:
        raise NoBackup(
            f"there are keys in {home} already, and they know whose data was ended since; put back "
            "the store alone, or move them away if they are not of this store"
        )
    for name, target in (("keys.db", home / "keys.db"), ("key", key_file)):
        shutil.copy(keys / name, target)
        target.chmod(0o600)


def _checked(folder: Path, keyring: Keyring) -> dict[str, Any]:
    """What the copy holds, if it is whole and of this house."""
    try:
        signature, plain = (folder / "manifest.json").read_bytes().split(b"\n")[:2]
    except (FileNotFoundError, ValueError):
        raise NoBackup(f"{folder} holds no finished copy; give another") from None
    if not compare_digest(signature.decode(), _signature(keyring, plain)):
        raise NoBackup(f"{folder} was changed, or is of another house: these keys did not sign it")
    said = orjson.loads(plain)
    if int(said["version"]) > int(schema.newest):
        raise NoBackup(f"the copy has version {said['version']}; update medtwin and try again")
    for name, one in said["tables"].items():
        with (folder / f"{name}.rows").open("rb") as file:
            found = sha256()
            while piece := file.read(1 << 20):
                found.update(piece)
        if found.hexdigest() != one["digest"]:
            raise NoBackup(f"{name}.rows in {folder} was changed or cut short; give another copy")
    return said


def _blocks(path: Path) -> Iterator[list[list[Any]]]:
    with path.open("rb") as file:
        while told := file.read(size.size):
            yield msgspec.msgpack.decode(file.read(size.unpack(told)[0]))


def _filled(c: Connection, table: Table, folder: Path, columns: list[str]) -> None:
    places = [columns.index(x.name) if x.name in columns else None for x in table.columns]
    for rows in _blocks(folder / f"{table.name}.rows"):
        fill(c, table, [[None if p is None else row[p] for p in places] for row in rows])


def _ended_again(c: Connection, keyring: Keyring) -> None:
    """Whoever was retired since is retired: closed now, key and rows destroyed on opening."""
    p, r = tables.patients, tables.retirements
    for patient, certificate in keyring.buried().items():
        kept = c.execute(select(p.c.retired).where(p.c.patient == patient)).first()
        if kept is None:
            keyring.destroy(patient)
            continue
        row = {"patient": patient, "certificate": certificate, "finished": False}
        insert_new(c, r, [row])
        ended: datetime = retirement.opened_certificate(keyring.house, patient, certificate).at
        values = {"retired": micros(ended), "person": None, "facts": 0, "first": None, "last": None}
        c.execute(update(p).where(p.c.patient == patient).values(values))
    c.execute(update(r).values(finished=False))
