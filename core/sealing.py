"""Secrets that must be read again (not only compared) are kept sealed: AES-256-GCM with the id of its key.

A sealed text is `version (1 byte) | key id (8 bytes) | nonce (12) | ciphertext and tag`. Its purpose is bound to it, so
that one sealed for one column cannot be moved into another.
"""

import hashlib
import os
from base64 import b64decode, b64encode
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.settings import settings

_VERSION = b"\x01"
_KEY_ID = 8
_NONCE = 12


class CannotOpen(Exception):
    """The text was sealed with a key that is not there, for another purpose, or was changed."""


def seal(text: bytes, purpose: str) -> bytes:
    key_id, key = _keys()[0]
    nonce = os.urandom(_NONCE)
    return _VERSION + key_id + nonce + AESGCM(key).encrypt(nonce, text, purpose.encode())


def opened(sealed: bytes, purpose: str) -> bytes:
    """What was sealed. Raises CannotOpen."""
    version, key_id = sealed[:1], sealed[1 : 1 + _KEY_ID]
    nonce, rest = sealed[1 + _KEY_ID : 1 + _KEY_ID + _NONCE], sealed[1 + _KEY_ID + _NONCE :]
    key = dict(_keys()).get(key_id)
    if version != _VERSION or key is None:
        raise CannotOpen("no such key")
    try:
        return AESGCM(key).decrypt(nonce, rest, purpose.encode())
    except InvalidTag:
        raise CannotOpen("changed, or sealed for something else") from None


def is_current(sealed: bytes) -> bool:
    """Whether it was sealed with the first key; others are only for reading until everything is sealed anew."""
    return sealed[1 : 1 + _KEY_ID] == _keys()[0][0]


def derived(purpose: str) -> tuple[tuple[str, bytes], ...]:
    """A key of 32 bytes for one purpose from each sealing key, by its id, the one to use first (HKDF, RFC 5869)."""
    return tuple(
        (key_id.hex(), HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(key))
        for key_id, key in _keys()
    )


@cache
def _keys() -> tuple[tuple[bytes, bytes], ...]:
    """The keys by id, the one to seal with first. Without ENCRYPTION_KEYS one is made and kept beside the data."""
    configured = settings().encryption_keys
    texts = [key.get_secret_value() for key in configured] or [_own_key()]
    keys = [b64decode(text, validate=True) for text in texts]
    if any(len(key) != 32 for key in keys):
        raise ValueError("each of ENCRYPTION_KEYS must be 32 bytes in base64")
    return tuple((hashlib.sha256(key).digest()[:_KEY_ID], key) for key in keys)


def _own_key() -> str:
    path = settings().data_dir / "encryption.key"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(b64encode(os.urandom(32)).decode())
        file.flush()
        os.fsync(file.fileno())
    return path.read_text(encoding="ascii").strip()
