"""The active skill: it sees a text first, an interrupting question is answered and then led back to what was asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.conversations.model import Answer, Reply, SkillState
from bot.conversations.ports import Form, Guardian, Listener, Situation, Skill, Suggesting
from bot.conversations.reading import act_said

MOST_ASIDES = 2
"""Interrupting questions in a row after which a form is given up: the citizen has turned to something else."""

_ASIDES = "asides"
_LEADS_BACK = frozenset({"answered", "unknown", "smalltalk", "clarify"})
"""Outcomes after which the form goes on. A person, a complaint or another case end it."""


def resumed(situation: Situation, skills: Mapping[str, Skill]) -> Answer | None:
    """What the active skill makes of the text; None where none is active or the text is not for it."""
    state = situation.focus.skill
    form = skills.get(state.name) if state else None
    if not isinstance(form, Form):
        return None
    answered = form.resume(situation)
    if answered is None:
        return None
    reply, after = answered
    if after.skill is not None and after.skill.name == (state.name if state else ""):
        after = replace(after, skill=_without_asides(after.skill))
    return reply, after


def overheard(situation: Situation, skills: Mapping[str, Skill]) -> Answer | None:
    """What the first skill says that knows the text for its own; None where none does."""
    for skill in skills.values():
        if isinstance(skill, Listener) and (answered := skill.overhear(situation)) is not None:
            return answered
    return None


def alarmed(said: Reply, situation: Situation, threat: str, skills: Mapping[str, Skill]) -> Answer:
    """The emergency number, then what the first skill does that minds danger."""
    for skill in skills.values():
        if isinstance(skill, Guardian) and (done := skill.alarm(situation, threat)) is not None:
            reply, after = done
            return replace(said, messages=(*said.messages[:1], *reply.messages)), after
    return said, situation.focus


def suggested(answer: Answer, situation: Situation, skills: Mapping[str, Skill], prompt: str) -> Answer:
    """``answer``, which knows nothing, with what the skills suggest; as it is where it offers a choice already."""
    reply, after = answer
    if reply.outcome != "unknown" or any(message.get("kind") == "choices" for message in reply.messages):
        return answer
    found = [skill.suggestion(situation) for skill in skills.values() if isinstance(skill, Suggesting)]
    offers = [{"title": title, "payload": payload} for title, payload in filter(None, found)]
    if not offers:
        return answer
    return replace(reply, messages=(*reply.messages, {"kind": "choices", "text": prompt, "choices": offers})), after


def led_back(answer: Answer, situation: Situation, skills: Mapping[str, Skill]) -> Answer:
    """``answer`` to an interrupting question, with what the form still asks; the form ends after several of them.

    ``situation`` is the one that was answered, its focus still with the form.
    """
    reply, after = answer
    state = situation.focus.skill
    form = skills.get(state.name) if state else None
    if state is None or not isinstance(form, Form) or reply.outcome not in _LEADS_BACK or _starts_over(situation):
        return answer
    if after.skill is not None and after.skill != state:
        return answer
    asides = int(state.data.get(_ASIDES, "0")) + 1
    if asides > MOST_ASIDES:
        return reply, replace(after, skill=None)
    kept = state.with_data(**{_ASIDES: str(asides)})
    if reply.outcome == "clarify":
        return reply, replace(after, skill=kept)  # one question at a time: the choice first
    reminder = form.reminder(state, situation)
    if not reminder:
        return reply, replace(after, skill=None)
    again = {"kind": "text", "text": reminder}
    # Before the choices, which belong to the end of a reply.
    texts = [message for message in reply.messages if message.get("kind") != "choices"]
    choices = [message for message in reply.messages if message.get("kind") == "choices"]
    return replace(reply, messages=(*texts, again, *choices)), replace(after, skill=kept)


def _starts_over(situation: Situation) -> bool:
    return "restart" in (situation.understanding.intent, act_said(situation.understanding.text))


def _without_asides(state: SkillState) -> SkillState:
    return replace(state, data={key: value for key, value in state.data.items() if key != _ASIDES})
