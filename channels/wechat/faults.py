"""How a call to the platform may fail, told apart by what may be done about it."""

from __future__ import annotations

from typing import ClassVar

from bot.errors import Unavailable
from channels.wechat.words import table

STALE_TOKEN = frozenset({40001, 40014, 42001})
CLOSED = frozenset({45015, 45047})
"""The citizen's window is closed or its count used up."""
GONE = frozenset({40003, 43004})
"""The citizen does not follow, or never did."""
BUSY = frozenset({-1, 45009, 45011})
"""The platform asks to try again later; nothing was done."""


class PlatformFault(Unavailable):
    """A call failed."""

    default_code: ClassVar[str] = "wechat_platform"


class NotDone(PlatformFault):
    """Certainly not done: it could not be sent, or the platform asks for patience. May be tried again."""


class InDoubt(PlatformFault):
    """Sent, and no answer came: it may have been done. Never send the same again."""


class Rejected(PlatformFault):
    """The platform refused. ``errcode``: its number."""

    def __init__(self, errcode: int, errmsg: str) -> None:
        meaning = meaning_of(errcode)
        super().__init__(f"微信平台拒绝了（{errcode}）：{meaning}", remedy=meaning, details=[{"reason": errmsg[:200]}])
        self.errcode = errcode


def meaning_of(errcode: int) -> str:
    """What the platform's number means and what to do."""
    words = table("platform")
    return str(words.get(str(errcode), words["other"]))
