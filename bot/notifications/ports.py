"""What delivers a notification: WeChat, SMS, a conversation. One protocol, three endings of a delivery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One notification.

    ``key``: unique and the same for ever, for receivers that drop repeats; ``template``: which notification it is
    (``case.accepted`` …); ``values``: its parts by name, short plain texts; ``text``: all of it in sentences.
    """

    key: str
    template: str
    values: Mapping[str, str]
    text: str


@dataclass(frozen=True, slots=True)
class Sent:
    """The channel took it. ``reference``: the channel's own name for it, where it gives one."""

    reference: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """This channel will never take it: it is not tried here again, and the next channel is.

    ``code`` is for machines (``not_a_follower``, ``bad_number`` …), ``reason`` for the operator.
    """

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Later:
    """It certainly was not delivered, and may be at ``retry_at``."""

    reason: str
    retry_at: datetime


@dataclass(frozen=True, slots=True)
class Unsure:
    """It may have been delivered (the answer never came). It is not sent again, so that nobody gets it twice."""

    reason: str


Delivery = Sent | Refused | Later | Unsure


class Messenger(Protocol):
    """One channel. ``channel``: its name, which is also the scheme of addresses (``wechat``, ``sms``, ``web``)."""

    @property
    def channel(self) -> str: ...

    async def deliver(self, address: str, outgoing: Outgoing, now: datetime) -> Delivery:
        """Sends ``outgoing`` to ``address`` (an openid, a phone number, a conversation's id), once.

        Returns how it ended; raises only for programming faults. Must end within a minute.
        """
        ...

    async def close(self) -> None:
        """Gives connections back; called once, on the event loop on which it delivered."""
        ...
