"""One citizen talking about complaints; his focus travels as it does through the store."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from bot.answers.phrases import Phrases
from bot.attachments.service import AttachmentService
from bot.complaints.skill import ComplaintSkill
from bot.complaints.talking import NAME, Parts
from bot.conversations.assistant import Assistant
from bot.conversations.model import Focus, Reply, Speaker
from bot.conversations.reading import read
from bot.conversations.referrals import referrals
from bot.judgements.skill import JudgeSkill
from bot.store.sealed import Sealer
from bot.workdays import WorkCalendar
from tests.bot.complaints.conftest import Office
from tests.bot.conversations.city import City, PairFinder


class Talk:
    """``conversation``: its id; ``citizen``: whom the channel vouches for."""

    def __init__(
        self, office: Office, folder: Path, conversation: str = "conversation-1", citizen: str | None = None
    ) -> None:
        phrases, guides, finder = Phrases("云山市", "12345"), City(), PairFinder()
        self.attachments = AttachmentService(office.store, office.clock, folder)
        parts = Parts(office, self.attachments, office.judgements, Sealer(bytes(32)), office.clock, phrases)
        judge = JudgeSkill(office.judgements, phrases)
        skill = ComplaintSkill(parts, judge, referrals(guides, phrases)[NAME])
        self.assistant = Assistant(
            lambda: finder, guides, WorkCalendar(), phrases, {"complaint": skill, "judge": judge}
        )
        self.office = office
        self.conversation, self.citizen = conversation, citizen
        self.focus = Focus()
        self.last: Reply | None = None

    def say(self, text: str, turn: str | None = None) -> Reply:
        """One turn; the same ``turn`` again is the same message sent again."""
        channel = "wechat" if self.citizen else "web"
        speaker = Speaker(self.conversation, self.citizen, "somewhere", channel, turn or secrets.token_hex(8))
        reply, focus = self.assistant.answer(read(text), self.focus, self.office.clock.now().date(), speaker)
        self.focus = Focus.from_dict(focus.to_dict())
        assert self.focus == focus, "the focus does not survive the store"
        self.last = reply
        return reply

    def press(self, title: str) -> Reply:
        """Presses the button of the last reply whose title contains ``title``."""
        assert self.last is not None
        choices = [choice for message in self.last.messages for choice in message.get("choices") or ()]
        [payload] = [choice["payload"] for choice in choices if title in choice["title"]]
        return self.say(payload)

    def draft(self) -> dict[str, Any]:
        """The fields of the summary shown last."""
        assert self.last is not None
        [fields] = [message["draft"] for message in self.last.messages if message["kind"] == "complaint_draft"]
        return dict(fields)

    def card(self) -> dict[str, Any]:
        """The fields of the card shown last."""
        assert self.last is not None
        [fields] = [message["complaint"] for message in self.last.messages if message["kind"] == "complaint"]
        return dict(fields)
