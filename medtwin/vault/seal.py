"""One person's key at work: what it seals opens only in the place it was sealed for."""

import os
from dataclasses import dataclass
from hashlib import blake2b

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

nonce_size = 12  # NIST SP 800-38D, section 5.2.1.1


class Tampered(RuntimeError):
    """Sealed bytes do not open: they were changed or moved, or this is another key."""


@dataclass(frozen=True, slots=True)
class Seal:
    """AES-256-GCM under one person's key, and a keyed digest for finding equal things."""

    owner: str
    cipher: AESGCM
    digest_key: bytes

    def close(self, place: bytes, plain: bytes) -> bytes:
        """Seal `plain` for `place` (table and row); moved elsewhere it does not open."""
        nonce = os.urandom(nonce_size)
        return nonce + self.cipher.encrypt(nonce, plain, place)

    def open(self, place: bytes, sealed: bytes) -> bytes:
        """The plain bytes, or `Tampered`."""
        try:
            return self.cipher.decrypt(sealed[:nonce_size], sealed[nonce_size:], place)
        except InvalidTag:
            raise Tampered(
                f"sealed data of {self.owner or 'the house'} does not open; it was changed, "
                "moved, or belongs to another key: restore store and keys from one backup"
            ) from None

    def digest(self, plain: bytes) -> bytes:
        """16 bytes that are equal for equal things of this person, and tell nothing else."""
        return blake2b(plain, key=self.digest_key, digest_size=16).digest()


def seal(owner: str, key: bytes) -> Seal:
    """The seal of `owner`, from their 32-byte key."""
    return Seal(owner, AESGCM(derived(key, b"medtwin sealing")), derived(key, b"medtwin digest"))


def derived(key: bytes, use: bytes) -> bytes:
    """A key of its own for each use (HKDF, RFC 5869)."""
    return HKDF(SHA256(), 32, salt=None, info=use).derive(key)


def place(owner: str, table: str, *row: object) -> bytes:
    """The name of a place in the store, for binding what is sealed to it."""
    return "|".join([table, owner, *map(str, row)]).encode()
