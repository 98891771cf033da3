"""The skill "how far is my application": asks for number and code, shows the card, offers what follows from it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from bot.answers.compose import Offer
from bot.answers.faq import bare
from bot.answers.phrases import Phrases
from bot.cases.card import card, text
from bot.cases.delays import Delays, Receipt
from bot.cases.model import Case
from bot.cases.numbers import folded, said_numbers
from bot.cases.service import Asker, CaseLocked, CaseService, Found
from bot.conversations.answering import choices_message
from bot.conversations.choices import taken
from bot.conversations.model import Answer, Reply, SkillState, with_skill
from bot.conversations.ports import Situation
from bot.conversations.reading import cancels
from bot.conversations.referrals import said
from bot.errors import NotFound
from bot.judgements.model import LEVELS, said_level
from bot.judgements.skill import WORD as JUDGE
from bot.judgements.skill import JudgeSkill

NAME = "case"
SHOW, DELAY = "查办件", "催办"
"""First words of what the buttons send; the number follows."""

MOST_OFFERED = 6


class CaseSkill:
    """A form: number, then code, then the card. A citizen who proved a case once is asked for neither."""

    def __init__(self, cases: CaseService, delays: Delays, judge: JudgeSkill, phrases: Phrases) -> None:
        self._cases = cases
        self._delays = delays
        self._judge = judge
        self._phrases = phrases

    # -- the form ------------------------------------------------------------------------------------------------------

    def answer(self, situation: Situation) -> Answer:
        """Begins: with what the text already says, or with the cases that are linked."""
        heard = said_numbers(situation.understanding.text)
        if heard.numbers:
            return self._with_number(heard.numbers[0], heard.codes, situation)
        linked = self._cases.linked(situation.citizen) if situation.citizen else []
        if len(linked) == 1:
            return self._with_number(linked[0].number, (), situation)
        if linked:
            return self._choice(linked[:MOST_OFFERED], situation)
        return self._ask("number", "case.ask_number", situation)

    def overhear(self, situation: Situation) -> Answer | None:
        """A pressed button, a bare case number, or the wish to be unlinked."""
        if (judged := self._judge.pressed(situation)) is not None:
            return judged
        spoken = situation.understanding.text
        word, _, rest = spoken.partition(" ")
        if word == SHOW and rest:
            return self._with_number(rest, (), situation)
        if word == DELAY and len(folded(rest)) >= 4:
            return self._delay(rest, situation)
        if situation.citizen and _says("unlink", spoken):
            return self._unlink(situation)
        heard = said_numbers(spoken)
        if heard.numbers and heard.bare:
            return self._with_number(heard.numbers[0], heard.codes, situation)
        return None

    def resume(self, situation: Situation) -> Answer | None:
        """The text as what was asked for."""
        state = situation.focus.skill
        spoken = situation.understanding.text
        step = state.data.get("step", "") if state else ""
        if state is None or (pressed := self.overhear(situation)) is not None:
            return pressed if state else None
        if step == "judge":
            level = said_level(spoken)
            return self._judge.judged(state.data["token"], level, situation) if level is not None else None
        if step != "shown" and cancels(spoken):
            return said("case", [self._phrases.say("case.cancelled")]), with_skill(situation.focus, None)
        if step == "choose":
            return self._chosen(state.data["numbers"].split(" "), situation)
        if step == "shown":
            wanted = _says("delay", spoken) or taken(spoken, [self._phrases.say("case.delay_yes")]) == 0
            return self._delay(state.data["number"], situation) if wanted else None
        heard = said_numbers(spoken, asked=step)
        if heard.numbers:
            return self._with_number(heard.numbers[0], heard.codes, situation)
        if step == "code" and heard.codes:
            return self._with_number(state.data["number"], heard.codes, situation)
        return None

    def reminder(self, state: SkillState, situation: Situation) -> str:  # noqa: ARG002  (the protocol's signature)
        """What is still asked for."""
        step = state.data.get("step")
        if step == "number":
            return self._phrases.say("case.remind_number")
        return self._phrases.say("case.remind_code", number=state.data["number"]) if step == "code" else ""

    # -- steps ---------------------------------------------------------------------------------------------------------

    def _with_number(self, number: str, codes: Sequence[str], situation: Situation) -> Answer:
        asker = _asker(situation)
        if not codes:
            again = self._cases.look_up_again(number, asker)
            if again is not None:
                return self._shown(again, situation)
            return self._ask("code", "case.ask_code", situation, number=folded(number))
        try:
            return self._shown(self._cases.look_up(number, codes[0], asker), situation)
        except NotFound:
            return self._ask("code", "case.wrong", situation, number=folded(number))
        except CaseLocked as locked:
            minutes = -(-locked.retry_after // 60)
            return said("case", [self._phrases.say("case.locked", minutes=minutes)]), with_skill(situation.focus, None)

    def _ask(self, step: str, phrase: str, situation: Situation, number: str = "") -> Answer:
        kept = SkillState(NAME, {"step": step, "number": number, "secret": "yes" if step == "code" else ""})
        return said("case", [self._phrases.say(phrase, number=number)]), with_skill(situation.focus, kept)

    def _choice(self, cases: Sequence[Case], situation: Situation) -> Answer:
        offers = [Offer(self._title(case), f"{SHOW} {case.number}") for case in cases]
        kept = {"step": "choose", "numbers": " ".join(case.number for case in cases)}
        message = choices_message(self._phrases.say("case.choose"), offers)
        return Reply("case", (message,), confidence=1.0), with_skill(situation.focus, SkillState(NAME, kept))

    def _chosen(self, numbers: Sequence[str], situation: Situation) -> Answer | None:
        """The text as a choice among the linked cases that were offered."""
        linked = {case.number: case for case in self._cases.linked(situation.citizen or "")}
        cases = [linked[number] for number in numbers if number in linked]
        chosen = taken(situation.understanding.text, [self._title(case) for case in cases])
        return self._with_number(cases[chosen].number, (), situation) if isinstance(chosen, int) else None

    def _title(self, case: Case) -> str:
        return self._phrases.say("case.choice", matter=case.matter_name, number=case.number)

    def _shown(self, found: Found, situation: Situation) -> Answer:
        today, say = situation.today, self._phrases.say
        case = found.case
        messages: list[dict[str, Any]] = [
            {
                "kind": "case",
                "text": text(case, found.progress, self._phrases, today),
                "case": card(case, found.progress, self._phrases, today),
            }
        ]
        if found.newly_linked:
            messages.append({"kind": "text", "text": say("case.linked")})
        kept = None
        if found.progress.overdue:
            offer = Offer(say("case.delay_yes"), f"{DELAY} {case.number}")
            messages.append(choices_message(say("case.delay_offer"), [offer]))
            kept = SkillState(NAME, {"step": "shown", "number": case.number})
        elif found.judge is not None:
            # The worst first, so that the number of a choice is its level wherever digits are typed.
            offers = [Offer(LEVELS[level], f"{JUDGE} {found.judge} {level}") for level in sorted(LEVELS)]
            messages.append(choices_message(say("case.judge"), offers))
            kept = SkillState(NAME, {"step": "judge", "token": found.judge})
        return Reply("case", tuple(messages), confidence=1.0), with_skill(situation.focus, kept)

    def _delay(self, number: str, situation: Situation) -> Answer:
        asker = _asker(situation)
        receipt = self._delays.report(number, asker)
        ended = with_skill(situation.focus, None)
        if receipt is not None:
            return said("complaint" if receipt.filed else "case", [self._received(receipt, number)]), ended
        if self._cases.look_up_again(number, asker) is None:
            return self._ask("code", "case.ask_code", situation, number=folded(number))
        return said("case", [self._phrases.say("case.delay_not")]), ended

    def _received(self, receipt: Receipt, number: str) -> str:
        say, filed = self._phrases.say, receipt.filed
        if filed is None:
            return say("case.delay_kept", receipt=receipt.number, number=number)
        where = say("case.delay_to", department=filed.department) if filed.department else say("case.delay_to_desk")
        if filed.query_code is None:
            return say("case.delay_by_other", complaint=filed.number)
        phrase = "case.delay_again" if receipt.repeated else "case.delay_filed"
        return say(phrase, complaint=filed.number, code=filed.query_code, where=where)

    def _unlink(self, situation: Situation) -> Answer:
        count = self._cases.unlink(situation.citizen or "")
        words = self._phrases.say("case.unlinked", count=count) if count else self._phrases.say("case.nothing_linked")
        return said("case", [words]), with_skill(situation.focus, None)


def _asker(situation: Situation) -> Asker:
    return Asker("conversation", situation.origin, situation.citizen, situation.conversation_id or None)


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    table = tomllib.loads(files("bot.cases").joinpath("wording.toml").read_text(encoding="utf-8"))
    return {name: re.compile("|".join(words)) for name, words in table.items()}


def _says(name: str, spoken: str) -> bool:
    return _patterns()[name].fullmatch(bare(spoken)) is not None
