"""Pictures that citizens send: fetched from the platform, made anew, kept as attachments."""

from __future__ import annotations

import asyncio

import structlog

from bot.attachments.model import MOST_BYTES, MOST_OF_A_CONVERSATION
from bot.attachments.service import AttachmentService
from bot.errors import Conflict, InvalidInput, TooLarge
from bot.wechat.model import Message
from channels.wechat.client import WeChatClient
from channels.wechat.faults import PlatformFault, Rejected
from channels.wechat.words import say

log = structlog.get_logger("wenban.wechat")

AT_ONCE = 2
"""Pictures decoded at the same time: each may take a few hundred megabytes for a moment."""


class Media:
    """Fetches and keeps pictures."""

    def __init__(self, client: WeChatClient, attachments: AttachmentService) -> None:
        self._client = client
        self._attachments = attachments
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def keep(self, message: Message, key: str, conversation_id: str | None) -> str | None:
        """Keeps the picture of ``message``; what to say where it cannot be kept, else None. Raises StorageFull."""
        try:
            content = await self._client.media(message.fields.get("MediaId", ""))
            async with self._slots:
                await asyncio.to_thread(
                    self._attachments.add_picture, f"wechat:{key}", message.citizen, conversation_id, content
                )
        except TooLarge:
            return say("citizen.picture_large", limit=MOST_BYTES // 2**20)
        except InvalidInput:
            return say("citizen.picture_bad")
        except Conflict:
            return say("citizen.picture_many", limit=MOST_OF_A_CONVERSATION)
        except Rejected as error:
            log.warning("wechat_picture_refused", errcode=error.errcode, reason=error.remedy)
            return say("citizen.picture_gone" if error.errcode == 40007 else "citizen.picture_later")
        except PlatformFault as error:
            log.warning("wechat_picture_not_fetched", reason=error.message)
            return say("citizen.picture_later")
        return None
