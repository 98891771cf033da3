"""After filing: what was filed is told, followed, corrected, taken back, added to, and disagreed with, by talking."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.complaints import card as cards
from bot.complaints import hearing, numbers
from bot.complaints.draft import Draft
from bot.complaints.filing import Shown
from bot.complaints.handling import Step
from bot.complaints.hearing import heard
from bot.complaints.model import CORRECTABLE_FOR, OPEN, Act, Actor, Party, State
from bot.complaints.service import ComplaintLocked
from bot.complaints.talking import Parts, asker, ended, step_of
from bot.conversations.choices import taken
from bot.conversations.corrections import correction
from bot.conversations.model import Answer
from bot.conversations.ports import Situation
from bot.conversations.reading import act_said, cancels
from bot.errors import Conflict, Forbidden, InvalidInput, NotFound, WenbanError
from bot.judgements.model import LEVELS
from bot.judgements.skill import WORD as JUDGE

SHOW, WITHDRAW, CORRECT, REOPEN = "查诉求", "撤回诉求", "更正诉求", "重办诉求"
"""First words of what the buttons send; the number follows."""
URGENT_FOR = timedelta(minutes=30)
"""How long more words about danger in a conversation are taken to be about the complaint filed there."""
MOST_LISTED = 6
_SECRET = {"secret": "yes"}
"""Beside a step: what is said next is kept from the log."""
_ANSWERED = frozenset({State.ANSWERED, State.REVIEWED, State.CLOSED})


class AfterFiling:
    """What is said about complaints that exist."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    # -- told ----------------------------------------------------------------------------------------------------------

    def told(
        self, situation: Situation, draft: Draft | None, shown: Shown, words: str, *, with_code: bool = False
    ) -> Answer:
        """The card with what can be done about it; in danger the number to call first."""
        phrases, say = self._parts.phrases, self._parts.say
        danger = None
        messages: list[Any] = []
        if with_code and shown.urgent:
            danger = shown.danger or "general"
            key = f"emergency.{danger}"
            messages.append(phrases.say(key if phrases.has(key) else "emergency.general"))
        fields = cards.card(shown, phrases, situation.today, with_code=with_code)
        text = cards.text(shown, phrases, situation.today, with_code=with_code)
        messages += [words, {"kind": "complaint", "text": text, "complaint": fields}]
        if with_code and not shown.as_joiner:
            messages.append(say("filed_after"))
        offers = self._offers(shown)
        if offers:
            messages.append(self._parts.choices(say("choose"), offers))
        kept = replace(draft or _draft_of(shown), code=shown.query_code)
        data = {"step": "filed", "number": shown.number, "at": shown.filed_at.isoformat()}
        return self._parts.reply(*messages, danger=danger), self._parts.keeping(situation, kept, **data)

    def _offers(self, shown: Shown) -> list[tuple[str, str]]:
        say = self._parts.say
        if State(shown.handled_state) in _ANSWERED:
            token = self._parts.judgements.latest_token(f"complaint:{shown.number}") if not shown.as_joiner else None
            levels = [(LEVELS[level], f"{JUDGE} {token} {level}") for level in sorted(LEVELS)] if token else []
            again = [] if shown.as_joiner else [(say("button_reopen"), f"{REOPEN} {shown.number}")]
            return levels + again
        if self._changeable(shown):
            return [
                (say("button_withdraw"), f"{WITHDRAW} {shown.number}"),
                (say("button_correct"), f"{CORRECT} {shown.number}"),
            ]
        return []

    def _changeable(self, shown: Shown) -> bool:
        """Whether its citizen may still change it himself."""
        young = self._parts.clock.now() - shown.filed_at <= CORRECTABLE_FOR
        return young and not shown.as_joiner and shown.state in (State.FILED, State.DISPATCHED) and not shown.joined

    # -- what follows in the conversation ------------------------------------------------------------------------------

    def resume(self, situation: Situation) -> Answer | None:
        """The text as something about the complaint just shown, or as what was asked for."""
        state, spoken = situation.focus.skill, situation.understanding.text
        if state is None:
            return None
        pressed = self.overhear(situation)
        if pressed is not None:
            return pressed
        step, number = step_of(situation), state.data.get("number", "")
        match step:
            case "number" | "code":
                return self._code_given(situation, step, number)
            case "choose":
                return self._chosen(situation, state.data.get("numbers", "").split(" "))
            case "withdraw":
                return self._withdraw_answered(situation, number)
            case "reopen":
                return self._reopen(situation, number, spoken) if not cancels(spoken) else self._dropped(situation)
            case "add":
                return (
                    self._dropped(situation) if cancels(spoken) else self._changed_or_added(situation, number, spoken)
                )
            case "filed":
                return self._said_of_it(situation, number)
            case _:
                return None

    def _said_of_it(self, situation: Situation, number: str) -> Answer | None:
        spoken = situation.understanding.text
        titles = ["button_withdraw", "button_correct"]
        choice = taken(spoken, [self._parts.say(title) for title in titles], in_other_words=False)
        shown = self._mine(situation, number)
        if shown is None:
            return None
        if State(shown.handled_state) in _ANSWERED:
            return self._judged_or_not(situation, shown)
        if hearing.says("after", "withdraw", spoken) or cancels(spoken) or (choice == 0 and self._changeable(shown)):
            return self._withdraw_asked(situation, shown)
        if choice == 1 and self._changeable(shown):
            return self._correct_asked(situation, shown)
        if correction(spoken) is not None or hearing.field_set(spoken) is not None:
            return self._changed_or_added(situation, number, spoken)
        more = hearing.added(spoken)
        if more is not None:
            return self._add(situation, shown, more, "added")
        if hearing.mentions("after", "progress", spoken) and len(spoken) <= 12:
            return self.told(situation, self._parts.draft(situation), shown, "")
        return None

    def _judged_or_not(self, situation: Situation, shown: Shown) -> Answer | None:
        """A digit is a level as the buttons show them; disagreeing reopens."""
        spoken = situation.understanding.text
        offers = self._offers(shown)
        choice = taken(spoken, [title for title, _ in offers], in_other_words=False)
        if isinstance(choice, int) and offers[choice][1].startswith(REOPEN):
            return self._reopen_asked(situation, shown)
        if not isinstance(choice, int) and hearing.mentions("after", "disagree", spoken) and not shown.as_joiner:
            return (
                self._reopen(situation, shown.number, spoken)
                if len(spoken) > 6
                else self._reopen_asked(situation, shown)
            )
        return None

    def level_taken(self, situation: Situation) -> tuple[str, int] | None:
        """Token and level, where the text takes a level of the judgement that the last card offers."""
        state = situation.focus.skill
        shown = self._mine(situation, state.data.get("number", "")) if state and step_of(situation) == "filed" else None
        if shown is None or State(shown.handled_state) not in _ANSWERED:
            return None
        offers = self._offers(shown)
        choice = taken(situation.understanding.text, [title for title, _ in offers], in_other_words=False)
        if not isinstance(choice, int) or not offers[choice][1].startswith(JUDGE):
            return None
        _, token, level = offers[choice][1].split(" ")
        return token, int(level)

    # -- asked for -----------------------------------------------------------------------------------------------------

    def overhear(self, situation: Situation) -> Answer | None:
        """A pressed button, or a complaint's number and little else."""
        spoken = situation.understanding.text
        word, _, rest = spoken.partition(" ")
        if word in (SHOW, WITHDRAW, CORRECT, REOPEN) and numbers.is_number(numbers.folded_number(rest)):
            return self._pressed(word, numbers.folded_number(rest), situation)
        said = numbers.said(spoken)
        if said.number and said.bare:
            return self.follow(situation)
        return None

    def _pressed(self, word: str, number: str, situation: Situation) -> Answer:
        shown = self._mine(situation, number)
        if shown is None:
            return self._ask_code(situation, number)
        match word:
            case "撤回诉求":
                return self._withdraw_asked(situation, shown)
            case "更正诉求":
                return self._correct_asked(situation, shown)
            case "重办诉求":
                return self._reopen_asked(situation, shown)
            case _:
                return self.told(situation, None, shown, "")

    def follow(self, situation: Situation) -> Answer:
        """How far it has come: by number and code, or of whom the conversation knows."""
        said = numbers.said(situation.understanding.text)
        if said.number:
            return self._with_number(situation, said.number, said.code)
        mine = self._parts.office.following.mine(asker(situation))
        if len(mine) == 1:
            return self.told(situation, None, mine[0], "")
        if mine:
            return self._choice(situation, mine[:MOST_LISTED])
        focus = self._parts.keeping(situation, None, step="number", **_SECRET)
        return self._parts.reply(self._parts.say("follow_number")), focus

    def latest(self, situation: Situation) -> Shown | None:
        """What the conversation's citizen filed or joined last."""
        mine = self._parts.office.following.mine(asker(situation))
        return mine[0] if mine else None

    def urgent_of(self, situation: Situation) -> Shown | None:
        """The urgent complaint that was filed in this conversation a moment ago and is still open."""
        now = self._parts.clock.now()
        for shown in self._parts.office.following.mine(asker(situation)):
            fresh = now - shown.filed_at <= URGENT_FOR
            if shown.urgent and fresh and shown.state in OPEN and not shown.as_joiner:
                return shown
        return None

    def withdraw_latest(self, situation: Situation) -> Answer:
        """ "撤回刚才的投诉", some turns later."""
        shown = self.latest(situation)
        return self.follow(situation) if shown is None else self._withdraw_asked(situation, shown)

    def _choice(self, situation: Situation, mine: Sequence[Shown]) -> Answer:
        offers = [
            (
                self._parts.say(
                    "follow_choice",
                    category=each.category.rpartition("/")[2],
                    number=numbers.aloud(each.number),
                ),
                f"{SHOW} {each.number}",
            )
            for each in mine
        ]
        message = self._parts.choices(self._parts.say("follow_choose"), offers)
        kept = " ".join(each.number for each in mine)
        return self._parts.reply(message), self._parts.keeping(situation, None, step="choose", numbers=kept)

    def _chosen(self, situation: Situation, listed: Sequence[str]) -> Answer | None:
        spoken = situation.understanding.text
        if cancels(spoken):
            return self._dropped(situation)
        chosen = taken(spoken, [numbers.aloud(number) for number in listed], in_other_words=False)
        shown = self._mine(situation, listed[chosen]) if isinstance(chosen, int) else None
        return self.told(situation, None, shown, "") if shown is not None else None

    def _code_given(self, situation: Situation, step: str, number: str) -> Answer | None:
        spoken = situation.understanding.text
        if cancels(spoken):
            return self._dropped(situation)
        said = numbers.said(spoken, asked=step)
        if said.number:
            return self._with_number(situation, said.number, said.code)
        return self._with_number(situation, number, said.code) if step == "code" and said.code else None

    def _with_number(self, situation: Situation, number: str, code: str | None) -> Answer:
        if code is None:
            shown = self._mine(situation, number)
            return self._ask_code(situation, number) if shown is None else self.told(situation, None, shown, "")
        try:
            shown = self._parts.office.service.look_up(number, code, asker(situation, origin=True))
        except NotFound:
            focus = self._parts.keeping(situation, None, step="code", number=number, **_SECRET)
            return self._parts.reply(self._parts.say("follow_wrong")), focus
        except ComplaintLocked as locked:
            minutes = -(-locked.retry_after // 60)
            return self._parts.reply(self._parts.say("follow_locked", minutes=minutes)), ended(situation)
        return self.told(situation, None, shown, "")

    def _ask_code(self, situation: Situation, number: str) -> Answer:
        focus = self._parts.keeping(situation, None, step="code", number=number, **_SECRET)
        return self._parts.reply(self._parts.say("follow_code", number=numbers.aloud(number))), focus

    def reminder(self, step: str, number: str) -> str:
        """What is still asked for."""
        if step == "number":
            return self._parts.say("follow_remind_number")
        return self._parts.say("follow_remind_code", number=numbers.aloud(number)) if step == "code" else ""

    def _dropped(self, situation: Situation) -> Answer:
        return self._parts.reply(self._parts.say("follow_cancelled")), ended(situation)

    # -- changing it ---------------------------------------------------------------------------------------------------

    def _withdraw_asked(self, situation: Situation, shown: Shown) -> Answer:
        say = self._parts.say
        offers = [(say("withdraw_yes"), say("withdraw_yes")), (say("withdraw_no"), say("withdraw_no"))]
        words = say("withdraw_sure", number=numbers.aloud(shown.number))
        focus = self._parts.keeping(situation, self._parts.draft(situation), step="withdraw", number=shown.number)
        return self._parts.reply(self._parts.choices(words, offers)), focus

    def _withdraw_answered(self, situation: Situation, number: str) -> Answer | None:
        say, spoken = self._parts.say, situation.understanding.text
        choice = taken(spoken, [say("withdraw_yes"), say("withdraw_no")], in_other_words=False)
        sure = choice == 0 or act_said(spoken) == "affirm" or hearing.says("after", "withdraw", spoken)
        shown = self._mine(situation, number)
        if shown is None:
            return None
        if not sure:
            if choice not in (1, "none") and act_said(spoken) != "deny" and not cancels(spoken):
                return None
            focus = self._parts.keeping(situation, self._parts.draft(situation), step="filed", number=number)
            return self._parts.reply(say("kept")), focus
        try:
            self._parts.office.service.withdraw(number, shown.query_code, asker(situation, origin=True))
        except WenbanError as refusal:
            return self._refused(situation, refusal)
        return self._parts.reply(say("withdrawn", number=numbers.aloud(number))), ended(situation)

    def _correct_asked(self, situation: Situation, shown: Shown) -> Answer:
        draft = self._parts.draft(situation) or _draft_of(shown)
        focus = self._parts.keeping(situation, draft, step="add", number=shown.number)
        return self._parts.reply(self._parts.say("correct_what")), focus

    def _changed_or_added(self, situation: Situation, number: str, spoken: str) -> Answer | None:
        """Within ten minutes the complaint is corrected; later, or once others rely on it, the words are added."""
        shown = self._mine(situation, number)
        if shown is None:
            return None
        corrected = self._corrected(_draft_of(shown), spoken)
        if corrected is None or not self._changeable(shown):
            words = "added" if corrected is None else "added_late"
            return self._add(situation, shown, hearing.added(spoken) or spoken, words)
        filing = replace(corrected.filing(shown.attachments), urgent=shown.urgent)
        try:
            now = self._parts.office.service.correct(number, shown.query_code, filing, asker(situation, origin=True))
        except InvalidInput as refusal:
            return self._refused(situation, refusal)
        except Conflict:
            return self._add(situation, shown, spoken, "added_late")
        return self.told(situation, corrected, now, self._parts.say("corrected"))

    @staticmethod
    def _corrected(draft: Draft, spoken: str) -> Draft | None:
        named = hearing.field_set(spoken)
        if named is not None:
            return draft.with_field(named[0], hearing.contact_said(named[1]) or named[1])
        fault = correction(spoken)
        if fault is not None:
            changed = draft.corrected(fault)
            told = heard(fault.right)
            return changed or (draft.with_field("place", told.place) if told.place else None)
        told = heard(spoken)
        return draft.with_field("contact", told.contact) if told.contact else None

    def _add(self, situation: Situation, shown: Shown, more: str, words: str) -> Answer:
        try:
            now = self._parts.office.following.supplement(shown, more)
        except WenbanError as refusal:
            return self._refused(situation, refusal)
        focus = self._parts.keeping(situation, self._parts.draft(situation), step="filed", number=now.number)
        return self._parts.reply(self._parts.say(words, number=numbers.aloud(now.number))), focus

    def _reopen_asked(self, situation: Situation, shown: Shown) -> Answer:
        focus = self._parts.keeping(situation, None, step="reopen", number=shown.number)
        return self._parts.reply(self._parts.say("reopen_why")), focus

    def _reopen(self, situation: Situation, number: str, reason: str) -> Answer | None:
        shown = self._mine(situation, number)
        if shown is None or shown.as_joiner:
            return None
        step = Step(shown.number, Act.REOPEN, shown.version, note=reason)
        try:
            self._parts.office.handling.act(step, Actor(Party.CITIZEN, "citizen"))
        except (Conflict, InvalidInput, Forbidden, NotFound) as refusal:
            return self._refused(situation, refusal)
        return self._parts.reply(self._parts.say("reopened")), ended(situation)

    def _refused(self, situation: Situation, refusal: WenbanError) -> Answer:
        words = self._parts.say("refused", message=refusal.message, remedy=refusal.remedy)
        return self._parts.reply(words), ended(situation)

    def _mine(self, situation: Situation, number: str) -> Shown | None:
        if not number:
            return None
        shown = self._parts.office.following.look_up_again(number, asker(situation))
        state, draft = situation.focus.skill, self._parts.draft(situation)
        if shown is None and state and state.data.get("number") == number and draft is not None and draft.code:
            with suppress(NotFound, ComplaintLocked):
                shown = self._parts.office.service.look_up(number, draft.code, asker(situation, origin=True))
        return shown


def _draft_of(shown: Shown) -> Draft:
    return Draft(
        shown.number,
        shown.filed_at.isoformat(),
        text=shown.text,
        place=shown.location,
        when=shown.happened,
        wish=shown.wish,
        contact=shown.contact,
        anonymous=shown.anonymous,
        urgent=shown.urgent,
    )
