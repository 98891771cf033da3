"""The one door to wechatpy: signatures, encryption and XML of the server URL, guarded on the way in and out.

wechatpy 1.8.18 raises whatever comes (KeyError, TypeError, struct.error …) on malformed input and renders replies
without escaping. Nothing of that passes here: what is wrong raises :class:`Refused`, replies are well-formed.

Rules: 微信公众平台 开发文档 (接入指南; 消息加解密说明).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import xmltodict
from wechatpy import parse_message
from wechatpy.crypto import PrpCrypto
from wechatpy.replies import TextReply

from bot.errors import Forbidden
from bot.wechat.model import Message
from channels.wechat.words import say

LONGEST_BODY = 64 * 1024
STALE_SECONDS = 300
"""How far a post's timestamp may be from our clock."""
LONGEST_FIELD = 8 * 1024
MOST_FIELDS = 60
KEY_LENGTH = 43
"""Characters of an EncodingAESKey: 32 bytes in base64 without the last ``=``."""

_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_OPENID = re.compile(r"[0-9A-Za-z_@.-]{1,64}")
_NAME = re.compile(r"[A-Za-z_][0-9A-Za-z_]{0,63}")
_CONTROL = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 does not allow."""


class Refused(Forbidden):
    """A request that is not the platform's, or not one of ours. ``reason`` says for the log which guard it met."""

    default_code = "wechat_refused"
    statuses: ClassVar[Mapping[str, int]] = {"too_large": 413, "xml": 400, "field": 400, "query": 400, "encrypted": 400}

    def __init__(self, reason: str) -> None:
        super().__init__(say(f"refused.{reason}"), remedy=say(f"refused.{reason}_remedy"), code=f"wechat_{reason}")
        self.reason = reason
        self.status = self.statuses.get(reason, 403)  # type: ignore[misc]  # one error, several causes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message taken out of a post, and how the reply has to be wrapped. ``key``: None in plain mode."""

    message: Message
    key: bytes | None
    nonce: str


class Adapter:
    """Opens posts and wraps replies of one Official Account."""

    def __init__(
        self, token: str, app_id: str = "", aes_keys: Sequence[str] = (), *, encrypted_only: bool = False
    ) -> None:
        """``aes_keys``: the present EncodingAESKey, then the previous. Raises ValueError where one is none."""
        self._token = token
        self._app_id = app_id
        self._keys = [decoded_key(key) for key in aes_keys]
        self._encrypted_only = encrypted_only
        if encrypted_only and not self._keys:
            raise ValueError("the encrypted mode needs a key")

    def verify(self, query: Mapping[str, str], now: datetime) -> str:
        """The ``echostr`` to answer the platform's check of the server URL with. Raises Refused."""
        self._check(query, "signature", now)
        return _wanted(query, "echostr", 1024)

    def open(self, query: Mapping[str, str], body: bytes, now: datetime) -> Envelope:
        """The message of a post. Raises Refused and nothing else, whatever was posted."""
        if len(body) > LONGEST_BODY:
            raise Refused("too_large")
        self._check(query, "signature", now)
        if query.get("encrypt_type", "raw") in {"", "raw"}:
            if self._encrypted_only:
                raise Refused("plain")
            return Envelope(_message(body), None, "")
        if query["encrypt_type"] != "aes":
            raise Refused("query")
        if not self._keys:
            raise Refused("no_key")
        encrypted = _tree(body).get("Encrypt")
        if not isinstance(encrypted, str) or not encrypted:
            raise Refused("encrypted")
        self._check(query, "msg_signature", now, encrypted)
        xml, key = self._decrypted(encrypted)
        return Envelope(_message(xml), key, query["nonce"])

    def sealed(self, envelope: Envelope, text: str, now: datetime) -> bytes:
        """The reply ``text`` to the message of ``envelope`` as the platform takes it, wrapped with the key it used."""
        return self.wrapped(reply_xml(envelope.message, text, now), envelope.key, envelope.nonce, now)

    def wrapped(self, xml: str, key: bytes | None, nonce: str, now: datetime) -> bytes:
        """``xml`` encrypted with ``key`` and signed; as it is without a key."""
        if key is None:
            return xml.encode()
        timestamp = str(int(now.timestamp()))
        encrypted = _Crypto(key).encrypt(xml, self._app_id).decode()
        signature = signed(self._token, timestamp, nonce, encrypted)
        return (
            f"<xml>\n<Encrypt><![CDATA[{encrypted}]]></Encrypt>\n<MsgSignature><![CDATA[{signature}]]></MsgSignature>\n"
            f"<TimeStamp>{timestamp}</TimeStamp>\n<Nonce><![CDATA[{nonce}]]></Nonce>\n</xml>"
        ).encode()

    def _check(self, query: Mapping[str, str], name: str, now: datetime, *more: str) -> None:
        timestamp, nonce = _wanted(query, "timestamp", 12), _wanted(query, "nonce", 128)
        if not _TIMESTAMP.fullmatch(timestamp) or _CONTROL.search(nonce) or "]]>" in nonce:
            raise Refused("query")
        shown = _wanted(query, name, 128)
        if not hmac.compare_digest(shown.encode(), signed(self._token, timestamp, nonce, *more).encode()):
            raise Refused("signature")
        if abs(now.timestamp() - int(timestamp)) > STALE_SECONDS:
            raise Refused("stale")

    def _decrypted(self, encrypted: str) -> tuple[bytes, bytes]:
        """The message inside and the key that opened it."""
        try:
            length = len(base64.b64decode(encrypted, validate=True))
        except (binascii.Error, ValueError):
            raise Refused("encrypted") from None
        if not length or length % 16:
            raise Refused("encrypted")
        for key in self._keys:
            try:
                return _Crypto(key).decrypt(encrypted, self._app_id).encode(), key
            except Exception:  # noqa: S112 - a wrong key or appid, and the library raises anything on damaged text
                continue
        raise Refused("appid")


class _Crypto(PrpCrypto):  # type: ignore[misc]  # the library has no types
    def get_random_string(self) -> str:
        return secrets.token_hex(8)  # the library draws from a generator that can be predicted


def decoded_key(text: str) -> bytes:
    """The 32 bytes of an EncodingAESKey. Raises ValueError."""
    if not re.fullmatch(rf"[0-9A-Za-z+/]{{{KEY_LENGTH}}}", text):
        raise ValueError("an EncodingAESKey has 43 letters and digits")
    return base64.b64decode(text + "=")


def signed(*parts: str) -> str:
    """SHA-1 over the sorted ``parts``, as the platform signs."""
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()  # noqa: S324 - the platform's choice


def reply_xml(message: Message, text: str, now: datetime) -> str:
    """A text reply to ``message``: control characters removed, ``]]>`` unable to end the CDATA section."""
    reply = TextReply(source=message.account, target=message.openid, time=int(now.timestamp()))
    reply.content = in_cdata(text)
    rendered: str = reply.render()
    return rendered


def in_cdata(text: str) -> str:
    """``text`` without what XML forbids, each ``]]>`` split over two sections."""
    return _CONTROL.sub("", text).replace("]]>", "]]]]><![CDATA[>")


def _wanted(query: Mapping[str, str], name: str, longest: int) -> str:
    value = query.get(name, "")
    if not value or len(value) > longest:
        raise Refused("query")
    return value


def _tree(body: bytes) -> Mapping[str, Any]:
    """The elements under ``<xml>``, entities switched off; anything the parser raises is a refusal."""
    try:
        data = xmltodict.parse(body.decode("utf-8"), disable_entities=True)["xml"]
    except Exception:
        raise Refused("xml") from None
    if not isinstance(data, dict):
        raise Refused("xml")
    return data


def _message(xml: bytes) -> Message:
    try:
        parsed = parse_message(xml.decode("utf-8"))
        kind, event = str(parsed._data["MsgType"]).lower(), str(parsed._data.get("Event") or "").lower()
        openid, account = parsed.source, parsed.target
        sent_at, message_id = parsed.time, parsed._data.get("MsgId")
        fields = dict(_fields(parsed._data))
        if event in _FOLLOWS:  # the library's names for a follow by a code; it has taken the key's prefix off
            event, fields["EventKey"] = "subscribe", fields.get("EventKey", "") if event == "subscribe_scan" else ""
    except Refused:
        raise
    except Exception:
        raise Refused("xml") from None
    if not all(isinstance(each, str) and _OPENID.fullmatch(each) for each in (openid, account)):
        raise Refused("field")
    if not isinstance(sent_at, int) or not 0 < sent_at < 10**11:
        raise Refused("field")
    if message_id is not None and not re.fullmatch(r"[0-9]{1,20}", str(message_id)):
        raise Refused("field")
    if not _NAME.fullmatch(kind) or (kind == "event") != bool(event) or (event and not _NAME.fullmatch(event)):
        raise Refused("field")
    if kind != "event" and not message_id:
        raise Refused("field")
    # Of events only the finished jobs carry a MsgId, which is their job's and not the event's.
    return Message(kind, openid, account, sent_at, str(message_id or "") if kind != "event" else "", event, fields)


_FOLLOWS = frozenset({"subscribe_scan", "subscribe_scan_product"})
_ENVELOPE = frozenset({"ToUserName", "FromUserName", "CreateTime", "MsgType", "MsgId", "Event", "Encrypt"})


def _fields(data: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """What else a message carries, as text; what is nested gets the names joined by dots, lists a number."""
    found: list[tuple[str, str]] = []
    pending: list[tuple[str, Any, int]] = [(k, v, 0) for k, v in data.items() if k not in _ENVELOPE]
    while pending:
        name, value, depth = pending.pop(0)
        if isinstance(value, dict) and depth < 4:
            pending += [(f"{name}.{k}", v, depth + 1) for k, v in value.items()]
        elif isinstance(value, list) and depth < 4:
            pending += [(f"{name}.{place}", v, depth + 1) for place, v in enumerate(value)]
        elif value is None or isinstance(value, str):
            if len(value or "") > LONGEST_FIELD:
                raise Refused("field")
            found.append((name, value or ""))
        if len(found) > MOST_FIELDS or len(pending) > MOST_FIELDS:
            raise Refused("field")
    return found
