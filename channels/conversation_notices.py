"""Notices inside a conversation: they appear in the page where the case was asked for, as long as it is there."""

from __future__ import annotations

import asyncio
from datetime import datetime

from bot.conversations.model import Reply
from bot.conversations.service import ConversationService
from bot.errors import NotFound
from bot.notifications.ports import Delivery, Outgoing, Refused, Sent

CHANNEL = "web"


class ConversationNotices:
    """Adds a notice to the log of a conversation."""

    channel = CHANNEL

    def __init__(self, conversations: ConversationService) -> None:
        self._conversations = conversations

    async def deliver(self, address: str, outgoing: Outgoing, now: datetime) -> Delivery:  # noqa: ARG002
        """``address`` is the conversation's id."""
        reply = Reply("case", ({"kind": "text", "text": outgoing.text},), confidence=1.0)
        try:
            event = await asyncio.to_thread(self._conversations.tell, address, reply)
        except NotFound:
            return Refused("conversation_gone", "the conversation is not there any more")
        return Sent(str(event.number))

    async def close(self) -> None:
        """Holds nothing."""
