"""Archives, member by member: nothing is unpacked to disk, and no bomb goes off."""

import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from io import BufferedReader, RawIOBase
from lzma import LZMAError
from typing import IO, Any

from medtwin.sources.source import HEAD, SMALL, Arrived, Sent, given, unread

ZIP, GZIP, BZIP, XZ = b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00"
BROKEN = (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile, zlib.error, LZMAError)
# The densest honest member seen (a day of constant sensor values as JSON) packs 200 to 1.
DENSEST = 2000
# Of what is longer than a document may be, only a source that streams reads anything; deflate
# packs no more than 1032 to 1, health exports 20 to 40 to 1.
DENSEST_STREAM = 300
MANY = 2_000_000
LONGEST = 64 << 30  # all members of one archive together


def archived(head: bytes) -> bool:
    """Whether these first bytes open an archive."""
    return head.startswith((ZIP, GZIP, BZIP, XZ)) or head[257:262] == b"ustar"


def members(what: Sent, largest: int) -> Iterator[Sent | Arrived]:
    """Each file inside; what is broken, locked, nested or too long is handed over refused."""
    walk = _zipped if what.head.startswith(ZIP) else _tarred
    try:
        yield from walk(what, largest)
    except BROKEN as why:
        with what.open() as file:
            original = file.read(SMALL)
        then = "send it again; what came is kept"
        yield unread(what, f"the archive breaks off ({why})", then, original)


def _zipped(what: Sent, largest: int) -> Iterator[Sent | Arrived]:
    with what.open() as file, zipfile.ZipFile(file) as archive:
        total = 0
        for info in archive.infolist()[:MANY]:
            if info.is_dir():
                continue
            name = f"{what.name}:{info.filename}"
            total += info.file_size
            if _too_dense(info, largest) or total > LONGEST:
                yield _bomb(name)
            else:
                yield _near(_zip_member(what, archive, info, name, largest), archive, info, largest)


def _zip_member(
    what: Sent, archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, largest: int
) -> Sent | Arrived:
    if info.file_size > SMALL:
        return _long(what, archive, info, name)
    return _unzipped(archive, info, name, largest)


def _near(
    member: Sent | Arrived, archive: zipfile.ZipFile, info: zipfile.ZipInfo, largest: int
) -> Sent | Arrived:
    """The member, and a way to what lies in the same folder of the archive."""
    if isinstance(member, Arrived):
        return member

    def beside(name: str) -> Sent | None:
        inner = f"{info.filename.rpartition('/')[0]}/{name}".lstrip("/")
        try:
            found = archive.getinfo(inner)
        except KeyError:
            return None
        if "/" in name or _too_dense(found, largest) or found.file_size > largest >> 2:
            return None
        outer = member.name.rpartition(":")[0]
        near = _near(
            _unzipped(archive, found, f"{outer}:{inner}", largest), archive, found, largest
        )
        return near if isinstance(near, Sent) else None

    return replace(member, beside=beside)


def _too_dense(info: zipfile.ZipInfo, largest: int) -> bool:
    packed = max(info.compress_size, 1024)
    long = info.file_size > largest
    return info.file_size > (DENSEST_STREAM if long else DENSEST) * packed


def _long(what: Sent, archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> Sent | Arrived:
    """A member too long to be held: opened anew, and read through, by the source it belongs to.

    `zipfile` gives no more bytes of it than the archive's directory says.
    """
    try:
        with archive.open(info) as member:
            head = member.read(HEAD)
    except (*BROKEN, NotImplementedError) as why:
        return unread(given(name, b""), f"it is broken in its archive ({why})", "send it again")
    except RuntimeError as why:  # what zipfile raises for a password
        return unread(given(name, b""), str(why), "send it without a password")
    if archived(head):
        return unread(given(name, b""), "it is an archive inside an archive", "unpack it once")
    return Sent(name, head, lambda: BufferedReader(Member(what, info), HEAD), info.file_size)


class Member(RawIOBase):
    """A long member of a zip, which lets go of the archive when it is closed."""

    def __init__(self, what: Sent, info: zipfile.ZipInfo) -> None:
        self.holds = ExitStack()
        archive = self.holds.enter_context(zipfile.ZipFile(self.holds.enter_context(what.open())))
        self.member = self.holds.enter_context(archive.open(info))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        got = self.member.read(len(buffer))
        buffer[: len(got)] = got
        return len(got)

    def close(self) -> None:
        self.holds.close()
        super().close()


def _unzipped(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, largest: int
) -> Sent | Arrived:
    try:
        with archive.open(info) as member:
            return _member(name, member, largest)
    except (*BROKEN, NotImplementedError) as why:
        return unread(given(name, b""), f"it is broken in its archive ({why})", "send it again")
    except RuntimeError as why:  # what zipfile raises for a password
        return unread(given(name, b""), str(why), "send it without a password")


def _tarred(what: Sent, largest: int) -> Iterator[Sent | Arrived]:
    with what.open() as file, ExitStack() as stack:
        try:
            archive = stack.enter_context(tarfile.open(fileobj=file, mode="r|*"))
        except tarfile.ReadError:
            yield from _packed(what, largest)
            return
        for info in archive:
            member = archive.extractfile(info) if info.isreg() else None
            if member is not None:
                found = _member(f"{what.name}:{info.name}", member, largest)
                yield (
                    found
                    if isinstance(found, Arrived)
                    else _with_beside(found, what, info, largest)
                )


def _with_beside(member: Sent, what: Sent, info: tarfile.TarInfo, largest: int) -> Sent:
    """The member, and a slow way (the archive is read anew) to what lies in the same folder."""

    def beside(name: str) -> Sent | None:
        inner = f"{info.name.rpartition('/')[0]}/{name}".lstrip("/")
        with what.open() as file, tarfile.open(fileobj=file, mode="r|*") as archive:
            for other in archive:
                if other.name == inner and other.isreg() and "/" not in name:
                    content = archive.extractfile(other)
                    near = _member(f"{what.name}:{inner}", content, largest) if content else None
                    if isinstance(near, Sent):
                        return _with_beside(near, what, other, largest)
        return None

    return replace(member, beside=beside)


def _packed(what: Sent, largest: int) -> Iterator[Sent | Arrived]:
    """A single file packed by gzip, bzip2 or xz."""
    import bz2
    import gzip
    import lzma

    opener = {GZIP[:2]: gzip.open, BZIP[:2]: bz2.open, XZ[:2]: lzma.open}[what.head[:2]]
    with what.open() as file, opener(file) as member:
        yield _member(what.name.removesuffix(what.path.suffix), member, largest)


def _member(name: str, member: IO[bytes], largest: int) -> Sent | Arrived:
    content = member.read(largest + 1)
    if len(content) > largest:
        return _bomb(name)
    inside = given(name, content)
    if archived(inside.head):
        return unread(inside, "it is an archive inside an archive", "unpack it once", content)
    return inside


def _bomb(name: str) -> Arrived:
    return unread(given(name, b""), "it unpacks to more than can be meant", "send the file itself")
