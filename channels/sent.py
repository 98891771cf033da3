"""What citizens send into a web conversation beside words: pictures, noted in the log, answered by a sentence."""

from __future__ import annotations

from dataclasses import dataclass

from bot.answers.phrases import Phrases
from bot.attachments.model import Attachment
from bot.attachments.service import AttachmentService
from bot.complaints.talking import NAME
from bot.conversations.holding import SILENT
from bot.conversations.model import Reply
from bot.conversations.service import ConversationService
from bot.errors import NotFound

CITIZEN = "web"


@dataclass(frozen=True, slots=True)
class Kept:
    """A picture and the conversation it belongs to. ``repeated``: it was sent before."""

    conversation_id: str
    attachment: Attachment
    repeated: bool = False


class Sent:
    """Takes pictures in and gives them out."""

    def __init__(self, conversations: ConversationService, attachments: AttachmentService, phrases: Phrases) -> None:
        self._conversations = conversations
        self._attachments = attachments
        self._phrases = phrases

    def picture(
        self, content: bytes, conversation_id: str | None, message_id: str | None, channel: str, origin: str
    ) -> Kept:
        """Keeps the picture once, in its conversation or one begun for it.

        Raises NotFound (no such web conversation), InvalidInput, TooLarge, Conflict (too many), StorageFull.
        """
        source = f"web:{message_id}" if message_id else None
        earlier = self._attachments.kept(source) if source else None
        if earlier is not None and earlier.conversation_id and conversation_id in (None, earlier.conversation_id):
            return Kept(earlier.conversation_id, earlier, repeated=True)
        if conversation_id is None:
            self._attachments.check(content)  # nothing is begun for what is no picture
            conversation_id = self._conversations.open(channel, origin)
        self._conversations.require_unnamed(conversation_id)
        source = source if source and earlier is None else self._attachments.new_source()
        kept = self._attachments.add_picture(source, f"{CITIZEN}:{conversation_id}", conversation_id, content)
        self._conversations.note(
            conversation_id, "attachment", {"text": self._phrases.say("attachment.sent"), "attachment": kept.id}
        )
        self._say(conversation_id)
        return Kept(conversation_id, kept)

    def content(self, conversation_id: str, attachment_id: str) -> bytes:
        """The picture of a web conversation. Raises NotFound, the same for one of another conversation."""
        attachment, content = self._attachments.content(attachment_id)
        self._conversations.require_unnamed(conversation_id)
        if attachment.conversation_id != conversation_id:
            raise NotFound("没有这个附件。", code="attachment_not_found", remedy="请核对编号。")
        return content

    def _say(self, conversation_id: str) -> None:
        """That it came, and what is still to be said; nothing while a person has the conversation."""
        if self._conversations.require_unnamed(conversation_id) in SILENT:
            return
        focus, _ = self._conversations.standing(conversation_id)
        complains = focus.skill is not None and focus.skill.name == NAME
        words = self._phrases.say("attachment.with_complaint" if complains else "attachment.alone")
        self._conversations.tell(
            conversation_id, Reply(NAME if complains else "smalltalk", ({"kind": "text", "text": words},))
        )
