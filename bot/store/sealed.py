"""Personal data at rest: sealed with AES-256-GCM, found again by blind indexes (HMAC-SHA-256), links signed.

One data key makes all three by HKDF (RFC 5869), so that none tells of another. After a change of the key what the
previous one sealed is still opened and found; what is written is written with the present one. A sealed value is bound
to its place (``context``): moved to another row it does not open.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bot.errors import ConfigurationError
from bot.settings import Settings
from bot.store.faults import explaining

KEY_FILE = "data.key"
"""Under the home in development; production names its key in the settings and keeps it elsewhere."""

_VERSION = b"\x01"
_NONCE = 12
_KEY_ID = 4
_SIGNATURE = 12
"""Bytes of a link's signature: 96 bits, which nobody guesses over the network."""


class _Key:
    """One data key and what is derived from it."""

    def __init__(self, master: bytes) -> None:
        self.id = self._derived(master, b"id")[:_KEY_ID]
        self.aead = AESGCM(self._derived(master, b"seal"))
        self.index = self._derived(master, b"index")
        self.sign = self._derived(master, b"sign")

    @staticmethod
    def _derived(master: bytes, purpose: bytes) -> bytes:
        return HKDF(SHA256(), 32, salt=b"wenban", info=purpose).derive(master)


class Sealer:
    """Seals, opens, indexes and signs with the present key; opens, finds and checks with the previous ones too."""

    def __init__(self, key: bytes, previous: Sequence[bytes] = ()) -> None:
        self._key = _Key(key)
        self._keys = [self._key, *(_Key(other) for other in previous)]

    def seal(self, text: str, context: str) -> bytes:
        """``text`` sealed for the place ``context`` (table, column and row in one string)."""
        nonce = os.urandom(_NONCE)
        head = _VERSION + self._key.id
        return head + nonce + self._key.aead.encrypt(nonce, text.encode(), head + context.encode())

    def open(self, sealed: bytes, context: str) -> str:
        """The text. Raises ConfigurationError where no key that is set opens it, or it was moved or changed."""
        head, nonce = sealed[: 1 + _KEY_ID], sealed[1 + _KEY_ID : 1 + _KEY_ID + _NONCE]
        for key in self._keys:
            if head == _VERSION + key.id:
                try:
                    return key.aead.decrypt(nonce, sealed[len(head) + _NONCE :], head + context.encode()).decode()
                except InvalidTag:
                    break
        raise ConfigurationError(
            "有一条加密保存的资料打不开。",
            code="sealed_unreadable",
            remedy="请检查 WENBAN_DATA_KEY；换过密钥时，把旧密钥设为 WENBAN_DATA_KEY_PREVIOUS。",
        )

    def is_current(self, sealed: bytes) -> bool:
        """Whether ``sealed`` was made with the present key."""
        return sealed[: 1 + _KEY_ID] == _VERSION + self._key.id

    def index(self, purpose: str, *parts: str) -> str:
        """The blind index of ``parts``, to be stored and compared: 64 hex signs, nothing without the key."""
        return _mac(self._key.index, purpose, *parts).hex()

    def indexes(self, purpose: str, *parts: str) -> tuple[str, ...]:
        """The index under the present key and under every previous one, to look up by."""
        return tuple(_mac(key.index, purpose, *parts).hex() for key in self._keys)

    def signed(self, purpose: str, text: str) -> str:
        """``text`` with its signature, short enough for a text message: ``TEXT.SIGNATURE``, safe in a URL."""
        return f"{text}.{_url(_mac(self._key.sign, purpose, text)[:_SIGNATURE])}"

    def signed_text(self, purpose: str, token: str) -> str | None:
        """The text of a token made by :meth:`signed`; None where it was not made here for ``purpose``."""
        text, _, signature = token.rpartition(".")
        right = [_url(_mac(key.sign, purpose, text)[:_SIGNATURE]) for key in self._keys]
        return text if any(hmac.compare_digest(signature.encode(), each.encode()) for each in right) else None


def load_sealer(settings: Settings) -> Sealer:
    """The sealer of an installation. In development a key is made once and kept under the home (mode 0600).

    Raises ConfigurationError where a key is none, StorageFull.
    """
    if settings.data_key is None:
        return Sealer(_own_key(settings.home / KEY_FILE))
    previous = settings.data_key_previous.get_secret_value() if settings.data_key_previous else ""
    older = [_parsed(word, "WENBAN_DATA_KEY_PREVIOUS") for word in previous.replace(",", " ").split()]
    return Sealer(_parsed(settings.data_key.get_secret_value(), "WENBAN_DATA_KEY"), older)


def _own_key(file: Path) -> bytes:
    if not file.exists():
        with explaining():
            file.parent.mkdir(parents=True, exist_ok=True)
            fresh = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as written:
                written.write(_url(secrets.token_bytes(32)))
                written.flush()
                os.fsync(written.fileno())
            try:
                os.link(fresh, file)  # whoever is first wins; the others read what he wrote
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
    return _parsed(file.read_text("ascii"), str(file))


def _parsed(text: str, name: str) -> bytes:
    """A key of 32 bytes in base64 (either alphabet) or hex."""
    text = text.strip()
    try:
        key = bytes.fromhex(text) if len(text) == 64 else base64.urlsafe_b64decode(_padded(text))
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != 32:
        raise ConfigurationError(
            f"{name} 不是可用的数据密钥。",
            code="data_key_invalid",
            remedy='应为 32 字节的 base64 或十六进制。生成：python3 -c "import secrets; print(secrets.token_hex(32))"',
        )
    return key


def _padded(text: str) -> str:
    text = text.rstrip("=").replace("+", "-").replace("/", "_")
    return text + "=" * (-len(text) % 4)


def _mac(key: bytes, *parts: str) -> bytes:
    # the lengths keep ("ab", "c") and ("a", "bc") apart
    body = b"".join(len(part.encode()).to_bytes(4) + part.encode() for part in parts)
    return hmac.new(key, body, hashlib.sha256).digest()


def _url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
