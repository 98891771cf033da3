"""The assistant's side of the hand-off: calling a person when asked, and when it should call one by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, Final

from bot.answers.compose import Offer
from bot.answers.phrases import Phrases
from bot.clock import ZONE
from bot.conversations import danger
from bot.conversations.answering import choices_message
from bot.conversations.choices import taken
from bot.conversations.holding import Holder
from bot.conversations.model import SILENCE, Answer, Reply, SkillState, Turn, with_skill
from bot.conversations.ports import Guides, Situation, Skill
from bot.conversations.reading import act_said, cancels
from bot.conversations.referrals import emergency_texts, said
from bot.handoff.calling import Calls
from bot.handoff.model import Ask, Nobody, Place, Reason

NAME: Final = "handoff"
STOP = "取消"
"""What the button that ends the waiting sends; typed, it does the same."""
ANGER_BELIEVED = 0.6
LONGEST_MESSAGE = 500


class HandoffSkill:
    """Calls a person when the citizen asks for one; takes a message where nobody can come."""

    def __init__(self, calls: Calls, referral: Skill, guides: Guides, phrases: Phrases) -> None:
        """``referral`` tells the way by telephone, for when nobody is there."""
        self._calls = calls
        self._referral = referral
        self._guides = guides
        self._phrases = phrases

    # -- asked for -----------------------------------------------------------------------------------------------------

    def answer(self, situation: Situation) -> Answer:
        if not situation.conversation_id:
            return self._referral.answer(situation)
        found = self._calls.call(self._ask(situation, Reason.ASKED))
        if found is None:
            return SILENCE, situation.focus
        if isinstance(found, Place):
            return Reply(NAME, self._queued("queued", found), confidence=1.0), situation.focus
        reply, focus = self._referral.answer(situation)
        messages = (*reply.messages, _text(self._nobody(found, situation.today)), self._leave())
        return replace(reply, messages=messages), with_skill(focus, SkillState(NAME, {"step": "offered"}))

    def overhear(self, situation: Situation) -> Answer | None:
        """The button that leaves a message."""
        if not situation.conversation_id or situation.understanding.text.strip() != self._phrases.say("handoff.leave"):
            return None
        kept = SkillState(NAME, {"step": "message"})
        return said(NAME, [self._phrases.say("handoff.ask_message")]), with_skill(situation.focus, kept)

    def resume(self, situation: Situation) -> Answer | None:
        """The message itself, or its offer taken."""
        state = situation.focus.skill
        spoken = situation.understanding.text
        if state is None:
            return None
        if state.data.get("step") != "message":
            title = self._phrases.say("handoff.leave")
            if taken(spoken, [title], in_other_words=False) != 0:
                return None
            return self.overhear(replace(situation, understanding=replace(situation.understanding, text=title)))
        ended = with_skill(situation.focus, None)
        if cancels(spoken):
            return said(NAME, [self._phrases.say("handoff.message_cancelled")]), ended
        if act_said(spoken) == "talk_to_human":
            return None  # asks once more for a person instead: perhaps somebody is there by now
        due = self._calls.leave_message(self._ask(situation, Reason.ASKED))
        if due is None:
            return said(NAME, [self._phrases.say("handoff.message_kept_open")]), ended
        at = due.at.astimezone(ZONE)
        day = self._phrases.day(at.date(), situation.today)
        return said(NAME, [self._phrases.say("handoff.message_kept", day=day, time=f"{at:%H:%M}")]), ended

    def reminder(self, state: SkillState, situation: Situation) -> str:  # noqa: ARG002  (the protocol's signature)
        return self._phrases.say("handoff.remind_message") if state.data.get("step") == "message" else ""

    # -- called by itself ----------------------------------------------------------------------------------------------

    def watch(self, situation: Situation, answer: Answer, threat: str | None) -> Answer:
        """The answer, with a person called where it is time: danger, anger, two failures in a row, a rule.

        Where nobody can come the answer stays as it is; only danger is written down for whoever comes first.
        """
        reply, focus = answer
        if not situation.conversation_id:
            return answer
        reason = self._reason(situation, reply, threat)
        if reason is None:
            return answer
        ask = self._ask(situation, reason, matter=reply.matter, urgent=reason is Reason.DANGER)
        found = self._calls.call(ask)
        if isinstance(found, Place):
            called = self._queued(f"called_{reason.value}", found)
            return replace(reply, messages=(*reply.messages, *called)), focus
        if isinstance(found, Nobody) and reason is Reason.DANGER:
            self._calls.leave_message(ask)
            kept = _text(self._phrases.say("handoff.danger_kept"))
            return replace(reply, messages=(*reply.messages, kept)), focus
        return answer

    def _reason(self, situation: Situation, reply: Reply, threat: str | None) -> Reason | None:
        understanding = situation.understanding
        if threat is not None:
            return Reason.DANGER
        if reply.outcome == NAME:
            return None  # asked for already
        angry = understanding.intent == "abuse" and understanding.intent_confidence >= ANGER_BELIEVED
        if reply.outcome == "smalltalk" and (angry or act_said(understanding.text) == "abuse"):
            return Reason.ANGER
        if self._calls.desk.rules:
            department = self._department(reply.matter or situation.focus.matter, situation.today)
            if self._calls.desk.called_by_rule(reply.matter, department, reply.outcome):
                return Reason.RULE
        if reply.outcome == "unknown" and self._calls.failed_before(situation.conversation_id, reply.outcome):
            return Reason.FAILURES
        return None

    # -- while the assistant is silent ---------------------------------------------------------------------------------

    def while_held(self, turn: Turn) -> Reply:
        """What is said to a word that no assistant answers: mostly nothing.

        The emergency number is said whenever there is danger; who waits is told his place once, and may stop waiting.
        """
        threat = danger.danger_now(turn.text)
        title = self._phrases.say("handoff.stop_waiting")
        stops = turn.holder is Holder.WAITING and (
            cancels(turn.text) or taken(turn.text, [title], in_other_words=False) == 0
        )
        if stops and threat is None and self._calls.withdraw(turn.conversation_id):
            return said(NAME, [self._phrases.say("handoff.withdrawn")])
        place = self._calls.heard(turn.conversation_id, urgent=threat is not None)
        if threat is not None and turn.holder is Holder.WAITING:
            return said(NAME, emergency_texts(threat, self._phrases)[:1])
        return SILENCE if place is None else Reply(NAME, self._queued("waiting", place), confidence=1.0)

    # -- when the assistant itself fails -------------------------------------------------------------------------------

    def when_failed(self, turn: Turn) -> Reply | None:
        """A way on where no answer could be made: who asks for a person, or fails a second time, is put in the queue;
        where nobody can come, his words are kept as a message. None for a first failure.
        """
        asks = act_said(turn.text) == "talk_to_human"
        if not asks and not self._calls.failed_before(turn.conversation_id, "error"):
            return None
        reason = Reason.ASKED if asks else Reason.FAILURES
        urgent = danger.danger_now(turn.text) is not None
        ask = Ask(turn.conversation_id, reason, turn.text[:LONGEST_MESSAGE], urgent=urgent)
        found = self._calls.call(ask)
        if isinstance(found, Place):
            phrase = "queued" if asks else "called_failures"
            return Reply(NAME, self._queued(phrase, found), confidence=1.0)
        if found is None:
            return SILENCE  # a person has it by now
        self._calls.leave_message(ask)
        return said(NAME, [self._phrases.say("handoff.failed_kept")])

    # -- words ---------------------------------------------------------------------------------------------------------

    def _queued(self, phrase: str, place: Place) -> tuple[dict[str, Any], ...]:
        words = self._phrases.say(f"handoff.{phrase}", position=place.position, minutes=place.minutes)
        offer = Offer(self._phrases.say("handoff.stop_waiting"), STOP)
        return _text(words), choices_message(self._phrases.say("handoff.choose_waiting"), [offer])

    def _nobody(self, found: Nobody, today: date) -> str:
        if found.opens is None:
            return self._phrases.say("handoff.nobody_here")
        at = found.opens.astimezone(ZONE)
        return self._phrases.say("handoff.nobody_closed", day=self._phrases.day(at.date(), today), time=f"{at:%H:%M}")

    def _leave(self) -> dict[str, Any]:
        title = self._phrases.say("handoff.leave")
        return choices_message(self._phrases.say("handoff.choose_leave"), [Offer(title, title)])

    def _ask(self, situation: Situation, reason: Reason, *, matter: str | None = None, urgent: bool = False) -> Ask:
        department = self._department(matter or situation.focus.matter, situation.today)
        text = situation.understanding.text[:LONGEST_MESSAGE]
        return Ask(situation.conversation_id, reason, text, department, urgent)

    def _department(self, matter: str | None, today: date) -> str | None:
        published = self._guides.get(matter, today) if matter else None
        return published.guide.department if published else None


def _text(words: str) -> dict[str, Any]:
    return {"kind": "text", "text": words}
