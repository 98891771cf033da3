"""Judging in a conversation: a pressed level, or a bare digit after a notice that asked for one."""

from __future__ import annotations

from dataclasses import replace

from bot.answers.phrases import Phrases
from bot.conversations.model import Focus, Reply
from bot.conversations.ports import Situation
from bot.conversations.referrals import said
from bot.errors import Conflict, NotFound
from bot.judgements.model import POOR, Judgement, said_level
from bot.judgements.service import JudgementService

WORD = "评价"
"""What a button sends first; token and level follow."""


class JudgeSkill:
    """Hears answers to what notices asked. It is never routed to by itself."""

    def __init__(self, judgements: JudgementService, phrases: Phrases) -> None:
        self._judgements = judgements
        self._phrases = phrases

    def answer(self, situation: Situation) -> tuple[Reply, Focus]:
        """Thanks; there is nothing to judge."""
        return said("smalltalk", [self._phrases.say("smalltalk.satisfaction")]), situation.focus

    def overhear(self, situation: Situation) -> tuple[Reply, Focus] | None:
        """A button's text, or a level while one is awaited of a known citizen and no choice is open."""
        if (pressed := self.pressed(situation)) is not None:
            return pressed
        spoken = situation.understanding.text
        try:
            level = said_level(spoken)
            if level is None or situation.citizen is None or situation.focus.pending is not None:
                return None
            awaited = self._judgements.awaited_of(situation.citizen)
            if awaited is None:
                return None
            judged = self._judgements.answer_awaited(
                situation.citizen, awaited, level, channel=situation.citizen.partition(":")[0]
            )
            return self._thanks(judged), situation.focus
        except (NotFound, Conflict) as refusal:
            return self._refused(refusal), situation.focus

    def pressed(self, situation: Situation) -> tuple[Reply, Focus] | None:
        """A button's text. It is asked before whoever looks for numbers: a token may look like one."""
        parts = situation.understanding.text.split(" ")
        if len(parts) == 3 and parts[0] == WORD and (level := said_level(parts[2])) is not None:
            return self.judged(parts[1], level, situation)
        return None

    def judged(self, token: str, level: int, situation: Situation) -> tuple[Reply, Focus]:
        """Takes ``level`` as the answer to the question of ``token``, and thanks for it or says why not."""
        try:
            reply = self._thanks(self._judgements.answer(token, level, channel="conversation"))
        except (NotFound, Conflict) as refusal:
            reply = self._refused(refusal)
        return reply, replace(situation.focus, skill=None)

    def _refused(self, refusal: NotFound | Conflict) -> Reply:
        words = self._phrases.say("judge.refused", message=refusal.message, remedy=refusal.remedy)
        return said("case", [words])

    def _thanks(self, judged: Judgement) -> Reply:
        say = self._phrases.say
        level = say(f"judge.level_{judged.level}")
        if judged.changed:
            return said("case", [say("judge.changed", level=level)])
        more = (say("judge.poor") if (judged.level or 5) <= POOR else "") + say("judge.changeable")
        return said("case", [say("judge.thanks", level=level, more=more)])
