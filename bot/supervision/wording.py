"""What is asked of texts and of those who write them, the same for every use case of supervision. Pure."""

from __future__ import annotations

from bot.complaints.model import Actor, Party
from bot.errors import Forbidden, InvalidInput

LONGEST_TEXT = 5_000


def checked(text: str, missing: str = "请写明情况。", *, needed: bool = True) -> str:
    """``text`` without white space around it. Raises InvalidInput where it is too long, or ``needed`` and empty."""
    text = text.strip()
    if needed and not text:
        raise InvalidInput(missing, code="reason_missing", remedy="填写后再提交一次。")
    if len(text) > LONGEST_TEXT:
        raise InvalidInput(f"内容太长，最多 {LONGEST_TEXT} 个字。", code="note_too_long", remedy="请写得简短些。")
    return text


def only_supervisors(actor: Actor) -> None:
    """Raises Forbidden where ``actor`` is none."""
    if actor.party is not Party.SUPERVISOR:
        raise Forbidden("只有督办员可以这样做。", code="supervision_forbidden", remedy="请联系督办员。")
