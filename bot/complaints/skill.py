"""The complaint's skill: which of its parts hears a text."""

from __future__ import annotations

from dataclasses import replace

import structlog

from bot.complaints import hearing, numbers
from bot.complaints.after import AfterFiling
from bot.complaints.taking import DRAFTING, Taking
from bot.complaints.talking import Parts, step_of
from bot.conversations.model import Answer, SkillState
from bot.conversations.ports import Situation, Skill
from bot.conversations.reading import asks_for
from bot.judgements.skill import JudgeSkill

log = structlog.get_logger("wenban.complaints")

FILE = "登记诉求"
"""First word of what the suggestion sends; the text follows."""
SHORTEST_TOLD, LONGEST_TOLD = 8, 400
LONGEST_FOLLOWING = 20
"""Signs up to which a text about an earlier complaint only asks how far it has come."""


class ComplaintSkill:
    """Takes complaints, tells how far they have come, and files danger at once."""

    def __init__(self, parts: Parts, judge: JudgeSkill, referral: Skill) -> None:
        """``referral`` tells the way by telephone, for texts that belong to no conversation."""
        self._after = AfterFiling(parts)
        self._taking = Taking(parts, self._after)
        self._judge = judge
        self._title = parts.say("suggest_yes")
        self._referral = referral

    def answer(self, situation: Situation) -> Answer:
        """Begins a complaint, or follows one."""
        spoken = situation.understanding.text
        if not situation.conversation_id:
            return self._referral.answer(situation)
        if hearing.says("after", "withdraw", spoken):
            return self._after.withdraw_latest(situation)
        follows = asks_for("complaint_followup", spoken) or situation.understanding.intent == "complaint_followup"
        if numbers.said(spoken).number or (follows and not _tells_more(spoken)):
            return self._after.follow(situation)
        return self._taking.begin(situation)

    def overhear(self, situation: Situation) -> Answer | None:
        """What only buttons send, and a bare complaint number."""
        if not situation.conversation_id:
            return None
        word, _, told = situation.understanding.text.partition("：" if "：" in situation.understanding.text else ":")
        if word == FILE:
            meant = replace(situation, understanding=replace(situation.understanding, text=told.strip() or FILE))
            return self._taking.begin(meant)
        place = hearing.place_sent(situation.understanding.text)
        if place is not None:
            return self._taking.begin_at(situation, place)
        pressed = self._taking.pressed(situation) or self._after.overhear(situation)
        return pressed or self._about_ones_own(situation)

    def _about_ones_own(self, situation: Situation) -> Answer | None:
        """Words that can only be about a complaint filed before, said by somebody who has one."""
        spoken = situation.understanding.text
        withdraws = hearing.says("after", "withdraw", spoken) and hearing.kind_said(spoken) is not None
        follows = asks_for("complaint_followup", spoken) and len(spoken) <= LONGEST_FOLLOWING
        if not (withdraws or follows) or self._after.latest(situation) is None:
            return None
        return self._after.withdraw_latest(situation) if withdraws else self._after.follow(situation)

    def suggestion(self, situation: Situation) -> tuple[str, str] | None:
        """Filing what the catalogue knows nothing of, where it may be a complaint that was not heard as one."""
        understanding = situation.understanding
        if not situation.conversation_id or len(understanding.text) < SHORTEST_TOLD:
            return None
        if understanding.intent != "file_complaint" and hearing.sounds_like_question(understanding.text):
            return None
        return self._title, f"{FILE}：{understanding.text[:LONGEST_TOLD]}"

    def resume(self, situation: Situation) -> Answer | None:
        """The text as an answer to what was asked."""
        if step_of(situation) in DRAFTING or step_of(situation) == "urgent":
            return self._taking.resume(situation)
        level = self._after.level_taken(situation)
        if level is not None:
            return self._judge.judged(*level, situation)
        return self._after.resume(situation)

    def reminder(self, state: SkillState, situation: Situation) -> str:  # noqa: ARG002  (the protocol's signature)
        """What is still asked, after an interrupting question was answered."""
        step = state.data.get("step", "")
        if step in DRAFTING:
            return self._taking.reminder(state)
        return self._after.reminder(step, state.data.get("number", ""))

    def alarm(self, situation: Situation, threat: str) -> Answer | None:
        """What follows the emergency number: the complaint, filed as urgent. Never raises: the number comes first."""
        if not situation.conversation_id:
            return None
        try:
            return self._taking.alarm(situation, threat)
        except Exception:
            log.exception("urgent_not_filed", danger=threat)
            return None


def _tells_more(spoken: str) -> bool:
    """Whether a text that mentions an earlier complaint tells of a new trouble at some length."""
    return len(spoken) > 40
