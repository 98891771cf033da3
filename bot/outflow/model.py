"""Events and subscriptions as values; signatures, back-off, and which addresses may be reached. Pure but for the dice.

Events are CloudEvents 1.0 in JSON. Deliveries carry ``webhook-id``, ``webhook-timestamp`` and ``webhook-signature``
(``v1,`` and the base64 of HMAC-SHA-256 over id, timestamp and body, parted by dots), as the Standard Webhooks
specification has them, for which verifying libraries exist in every language.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

import orjson

from bot.errors import InvalidInput

SECRET_PREFIX = "whsec_"  # noqa: S105  (what every secret begins with)
MOST_ATTEMPTS = 12
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=6)
LONGEST_URL = 500
MOST_TOPICS = 20
STREAM = "redis"
"""The target of deliveries to Redis Streams; webhooks are ``webhook:NUMBER``."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_TOPIC = re.compile(r"[a-z_]+(?:\.(?:[a-z_]+|\*))*|\*")


@dataclass(frozen=True, slots=True)
class Event:
    """One event. ``id`` and ``source`` together are unique and the same at every delivery."""

    id: str
    type: str
    source: str
    subject: str
    time: datetime
    data: Mapping[str, Any]

    def body(self) -> bytes:
        """The event as CloudEvents JSON, the same bytes every time."""
        return orjson.dumps(
            {
                "specversion": "1.0",
                "id": self.id,
                "type": self.type,
                "source": self.source,
                "subject": self.subject,
                "time": self.time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "datacontenttype": "application/json",
                "data": self.data,
            },
            option=orjson.OPT_SORT_KEYS,
        )


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where events go. ``topics``: patterns of event types, ``*`` at the end or alone."""

    id: int
    name: str
    url: str
    topics: tuple[str, ...]
    active: bool
    created_at: datetime
    created_by: str

    @property
    def target(self) -> str:
        return f"webhook:{self.id}"


def wants(topics: Sequence[str], event_type: str) -> bool:
    """Whether a subscription to ``topics`` is about events of this type."""
    return any(fnmatchcase(event_type, topic) for topic in topics)


def checked_name(name: str) -> str:
    """The name as stored. Raises InvalidInput."""
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            "名称不对。", code="webhook_name_invalid", remedy="请用小写字母、数字、横线，最多 40 个字符。"
        )
    return name


def checked_topics(topics: Sequence[str]) -> tuple[str, ...]:
    """The topics as stored. Raises InvalidInput."""
    wanted = tuple(dict.fromkeys(topic.strip() for topic in topics))
    if not wanted or len(wanted) > MOST_TOPICS or not all(_TOPIC.fullmatch(topic) for topic in wanted):
        raise InvalidInput(
            "主题不对。",
            code="webhook_topics_invalid",
            remedy="写成 complaint.filed、complaint.*、supervision.alarm 或 *，可写多个，见 docs/supervision.md。",
        )
    return wanted


def checked_url(url: str, *, private: bool) -> str:
    """The address as stored: http or https, no credentials, no private address (unless ``private``).

    A name is only looked up when something is sent there, every time (``channels/outflow.py``). Raises InvalidInput.
    """
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if host is None or parts.scheme not in ("http", "https") or len(url) > LONGEST_URL:
        raise InvalidInput("地址不对。", code="webhook_url_invalid", remedy="应为 https://主机/路径，最多 500 个字符。")
    if parts.username is not None or parts.fragment:
        raise InvalidInput(
            "地址里不能带用户名、口令或 #。", code="webhook_url_invalid", remedy="签名已能证明来源，去掉即可。"
        )
    if not private and (host == "localhost" or host.endswith(".localhost") or not is_public_literal(host)):
        raise private_address()
    return url.strip()


def private_address() -> InvalidInput:
    """The refusal of an address inside the own network."""
    return InvalidInput(
        "这个地址在内网，不能推送。",
        code="webhook_address_private",
        remedy="确实要推送到内网时，请管理员设 WENBAN_WEBHOOK_PRIVATE=allow 并重新启动。",
    )


def is_public_literal(host: str) -> bool:
    """False where ``host`` is written as a number that is no public address; names are looked up later."""
    try:
        return is_public(host)
    except ValueError:
        return True


def is_public(address: str) -> bool:
    """Whether an IP address is reached over the internet. Raises ValueError where it is none."""
    ip = ipaddress.ip_address(address.strip("[]").partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def new_secret() -> str:
    """A secret to sign with, to be given to the receiver."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signature(secret: str, event_id: str, timestamp: int, body: bytes) -> str:
    """The value of ``webhook-signature``."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = b".".join([event_id.encode(), str(timestamp).encode(), body])
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def pause_after(attempts: int, draw: float) -> timedelta:
    """How long to wait after the ``attempts``-th failure: twice as long each time, less up to half by ``draw`` (0..1).

    So receivers that come back are not met by everything at the same moment.
    """
    longest: timedelta = min(FIRST_PAUSE * 2 ** min(attempts - 1, 20), LONGEST_PAUSE)
    return longest * (1 - draw / 2)
