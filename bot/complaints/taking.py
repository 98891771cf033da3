"""Taking a complaint in a conversation: asks for what is missing, shows it, files it once; danger is filed at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import structlog

from bot.complaints import card as cards
from bot.complaints import hearing, numbers
from bot.complaints.after import AfterFiling
from bot.complaints.draft import Draft
from bot.complaints.filing import Shown
from bot.complaints.hearing import FIELDS, Field, heard
from bot.complaints.model import Kind, State
from bot.complaints.talking import NAME, Parts, asker, ended, step_of
from bot.conversations.choices import taken
from bot.conversations.corrections import correction
from bot.conversations.model import Answer, SkillState
from bot.conversations.ports import SURE, Situation
from bot.conversations.reading import act_said, asks_for, cancels
from bot.errors import Conflict, InvalidInput, WenbanError

log = structlog.get_logger("wenban.complaints")

SUBMIT = "提交诉求"
"""First word of what the button sends; the draft's id follows, so that a second press finds what the first filed."""
LONGEST_ANSWER = 60
"""Signs up to which a text answers the question alone; longer ones tell more of what happened."""
GUIDE_BELIEVED = 0.8
OTHER_ACTS = frozenset(
    {"greet", "thanks", "goodbye", "talk_to_human", "ask_capability", "smalltalk", "abuse", "prompt_injection"}
    | {"restart", "repeat", "satisfaction"}
)
"""Acts that are no answer to a question about a complaint."""
_CHOICES: dict[Field, tuple[str, ...]] = {
    "place": ("place_unsure",),
    "when": ("when_now", "when_today", "when_lately", "when_long"),
    "wish": ("wish_solve", "wish_punish", "wish_pay", "wish_reply"),
    "contact": ("contact_anonymous",),
}


class Taking:
    """The form. Its state is the draft and the step, both in the focus."""

    def __init__(self, parts: Parts, after: AfterFiling) -> None:
        self._parts = parts
        self._after = after

    # -- beginning ----------------------------------------------------------------------------------------------------

    def begin(self, situation: Situation) -> Answer:
        """Begins with what the text already tells."""
        draft = self._told(self._fresh(situation), situation)
        kind = draft.kind.value if draft.kind else self._parts.say("begin_any")
        return self._next(situation, draft, first=self._parts.say("begin", kind=kind))

    def begin_at(self, situation: Situation, place: str) -> Answer:
        """Begins with a place that was sent by itself."""
        draft = self._fresh(situation).with_field("place", place)
        return self._next(situation, draft, first=self._parts.say("begin", kind=self._parts.say("begin_any")))

    def alarm(self, situation: Situation, threat: str) -> Answer | None:
        """Danger to life: filed as urgent with what is known, then what is missing is asked for."""
        known = self._after.urgent_of(situation)
        if known is not None:
            return self._more_of_urgent(situation, known)
        draft = self._parts.draft(situation) if step_of(situation) in DRAFTING else None
        draft = replace(self._told(draft or self._fresh(situation), situation), urgent=True)
        if not draft.text:
            draft = replace(draft, text=situation.understanding.text)
        shown = self._file(situation, draft)
        words = self._parts.say("filed_urgent", number=numbers.aloud(shown.number), code=shown.query_code)
        log.warning("urgent_complaint", number=shown.number, danger=threat)
        return self._asked_of_urgent(situation, draft, shown.number, words)

    def _fresh(self, situation: Situation) -> Draft:
        now = self._parts.clock.now()
        identity = situation.turn_id or f"{situation.conversation_id}:{now.isoformat()}"
        return Draft(identity, now.isoformat(), reachable=situation.citizen is not None)

    def _told(self, draft: Draft, situation: Situation) -> Draft:
        understanding = situation.understanding
        told = heard(understanding.text, understanding.entities)
        return draft.absorbing(told).told(understanding.text)

    # -- what was asked -----------------------------------------------------------------------------------------------

    def resume(self, situation: Situation) -> Answer | None:
        """The text as an answer; None where it is for others."""
        draft = self._parts.draft(situation)
        if draft is None:
            return None
        state, spoken = situation.focus.skill, situation.understanding.text
        step = step_of(situation)
        if step == "urgent":
            return self._urgent_answered(situation, draft)
        if spoken == f"{SUBMIT} {draft.id}":
            return self._submit(situation, draft)
        if cancels(spoken) or hearing.says("confirm", "no", spoken):
            return self._parts.reply(self._parts.say("cancelled")), ended(situation)
        if act_said(spoken) in OTHER_ACTS:
            return None
        changed = self._corrected(draft, spoken)
        if changed is not None:
            adds = changed.place != draft.place and draft.place is None
            return self._next(situation, changed, first="" if adds else self._parts.say("changed"))
        if step == "confirm":
            return self._confirmed(situation, draft)
        if step == "same":
            return self._same_answered(situation, draft)
        if step == "change":
            return self._change_chosen(situation, draft)
        field = cast(Field, state.data.get("field", "text")) if state else "text"
        if field == "place" and (label := self._place_sent(situation, draft)):
            draft = draft.with_field("place", label)
            field = draft.missing() or "place"
            if field == "place":
                return self._summary(situation, draft)
        if self._interrupts(situation, field, enquires=draft.kind is Kind.ENQUIRY):
            return None
        return self._answered(situation, draft, field)

    def reminder(self, state: SkillState) -> str:
        """What is still asked."""
        step = state.data.get("step")
        if step == "confirm" or step == "same":
            return self._parts.say("remind_confirm")
        if step == "ask":
            return self._parts.say("remind", question=self._parts.say(f"ask_{state.data.get('field', 'text')}"))
        return self._parts.say("remind", question=self._parts.say("change")) if step == "change" else ""

    def _corrected(self, draft: Draft, spoken: str) -> Draft | None:
        """The draft put right by the text; None where it puts nothing right."""
        named = hearing.field_set(spoken)
        if named is not None and self._fits(*named):
            return draft.with_field(named[0], self._value(*named))
        fault = correction(spoken)
        if fault is None:
            return None
        changed = draft.corrected(fault)
        if changed is not None:
            return changed
        told = heard(fault.right)
        if draft.place and told.place:
            return draft.with_field("place", told.place)
        if draft.contact and told.contact:
            return draft.with_field("contact", told.contact)
        return draft.with_field("when", told.when) if draft.when and told.when else None

    @staticmethod
    def _fits(field: Field, value: str) -> bool:
        if field == "contact":
            return hearing.contact_said(value) is not None or hearing.anonymity(value) is not None
        return bool(value) and (field != "kind" or value in set(Kind))

    @staticmethod
    def _value(field: Field, value: str) -> str:
        return hearing.contact_said(value) or value if field == "contact" else value

    def _interrupts(self, situation: Situation, field: Field, *, enquires: bool = False) -> bool:
        """Whether the text asks something that a guide answers, rather than answers what was asked."""
        understanding = situation.understanding
        text = understanding.text
        guessed = understanding.intent == "ask_guide" and understanding.intent_confidence >= GUIDE_BELIEVED
        question = hearing.sounds_like_question(text)
        if not question and not guessed:
            return False
        if asks_for("file_complaint", text) or situation.look is None:
            return False
        found = situation.look()
        if field == "text" or not question:
            sure = enquires or found.confidence >= SURE
            return found.exact or (found.decision == "answered" and sure)
        return True

    def _answered(self, situation: Situation, draft: Draft, field: Field) -> Answer | None:
        """The text as the value of ``field``; whatever else it tells is kept too."""
        spoken = situation.understanding.text.strip()
        choice = self._choice(field, spoken)
        if field == "kind":
            return self._next(situation, draft.with_field("kind", choice or spoken))
        if choice is not None:
            if field == "contact":
                return self._next(situation, replace(draft.with_field("contact", None), anonymous=True))
            unsure = choice == self._parts.say("place_unsure")
            return self._next(situation, draft.with_field(field, None if unsure else choice))
        told = heard(spoken, situation.understanding.entities)
        if hearing.unsure(field, spoken) or (field == "wish" and act_said(spoken) == "deny"):
            return self._next(situation, draft.with_field(field, None))
        if field == "contact":
            return self._contact_answered(situation, draft, spoken)
        if field == "text":
            more = draft.absorbing(told)
            if not hearing.tells_something(spoken) and len(spoken) < 2:
                return self._ask(situation, draft, "text")
            return self._next(situation, replace(more, text=f"{more.text}\n{spoken}".strip()))
        if len(spoken) > LONGEST_ANSWER:
            return self._next(situation, draft.absorbing(told).told(spoken).with_field(field, self._of(told, field)))
        value = spoken
        if field == "place":
            value = _without_lead(spoken)
        return self._next(situation, draft.with_field(field, value).absorbing(told))

    @staticmethod
    def _of(told: hearing.Heard, field: Field) -> str | None:
        return {"place": told.place, "when": told.when, "wish": told.wish}.get(field)

    def _contact_answered(self, situation: Situation, draft: Draft, spoken: str) -> Answer:
        told = heard(spoken)
        if told.contact or told.anonymous is not None:
            contact = None if told.anonymous else told.contact
            return self._next(situation, replace(draft.with_field("contact", contact), anonymous=bool(told.anonymous)))
        if act_said(spoken) == "deny" or "contact" in draft.asked:
            return self._next(situation, draft.with_field("contact", None))
        again = replace(draft, asked=(*draft.asked, "contact"))
        return self._ask(situation, again, "contact", words="ask_contact_again")

    def _choice(self, field: Field, spoken: str) -> str | None:
        """The title of the choice that the text takes."""
        titles = self._titles(field)
        found = taken(spoken, titles, in_other_words=False) if titles else None
        return titles[found] if isinstance(found, int) else None

    def _titles(self, field: Field) -> list[str]:
        if field == "kind":
            return [kind.value for kind in Kind]
        return [self._parts.say(name) for name in _CHOICES.get(field, ())]

    # -- the next step ------------------------------------------------------------------------------------------------

    def _next(self, situation: Situation, draft: Draft, *, first: str = "") -> Answer:
        """Asks for what is missing, else shows what will be filed."""
        if draft.place is None:
            draft = replace(draft, place=self._place_sent(situation, draft))
        field = draft.missing()
        if field is not None:
            return self._ask(situation, draft, field, first=first)
        return self._summary(situation, draft, first=first)

    def _place_sent(self, situation: Situation, draft: Draft) -> str | None:
        """What the place is called that was sent into the conversation meanwhile."""
        return next((each.label for each in self._parts.pictures(situation, draft) if each.label), None)

    def _ask(self, situation: Situation, draft: Draft, field: Field, *, first: str = "", words: str = "") -> Answer:
        say = self._parts.say
        question = say(words or f"ask_{field}")
        titles = self._titles(field)
        messages: list[Any] = [f"{first}{question}"]
        if titles:
            messages.append(self._parts.choices(say("choose"), [(title, title) for title in titles]))
        return self._parts.reply(*messages), self._parts.keeping(situation, draft, step="ask", field=field)

    def _summary(self, situation: Situation, draft: Draft, *, first: str = "") -> Answer:
        pictures = self._parts.pictures(situation, draft)
        try:
            preview = self._parts.office.service.preview(draft.filing([each.id for each in pictures]))
        except InvalidInput as refusal:
            return self._refused(situation, draft, refusal)
        if preview.same is not None and not draft.separate and not self._is_own(situation, draft, preview.same):
            return self._offer_same(situation, draft, preview.same)
        phrases = self._parts.phrases
        fields = cards.summary(draft, preview.decision.kind.value, len(pictures), phrases)
        shown = {"kind": "complaint_draft", "text": cards.summary_text(fields, phrases), "draft": fields}
        offers = [
            (self._parts.say("confirm_yes"), f"{SUBMIT} {draft.id}"),
            (self._parts.say("confirm_change"), self._parts.say("confirm_change")),
            (self._parts.say("confirm_no"), self._parts.say("confirm_no")),
        ]
        choices = self._parts.choices(self._parts.say("confirm"), offers)
        return self._parts.reply(first, shown, choices), self._parts.keeping(situation, draft, step="confirm")

    def _refused(self, situation: Situation, draft: Draft, refusal: InvalidInput) -> Answer:
        words = self._parts.say("not_fileable", message=refusal.message, remedy=refusal.remedy)
        again = replace(draft, text="") if refusal.code in ("complaint_empty", "complaint_too_long") else draft
        return self._parts.reply(words), self._parts.keeping(situation, again, step="ask", field="text")

    def _confirmed(self, situation: Situation, draft: Draft) -> Answer | None:
        spoken = situation.understanding.text
        choice = taken(spoken, [self._parts.say(f"confirm_{name}") for name in ("yes", "change", "no")])
        if choice == 0 or hearing.says("confirm", "yes", spoken) or act_said(spoken) == "affirm":
            return self._submit(situation, draft)
        named = hearing.field_named(spoken)
        if choice == 1 or hearing.says("confirm", "change", spoken) or named:
            return self._ask(situation, draft, named) if named else self._offer_change(situation, draft)
        if choice in (2, "none") or act_said(spoken) == "deny":
            return self._parts.reply(self._parts.say("cancelled")), ended(situation)
        told = heard(spoken, situation.understanding.entities)
        if told.contact or told.anonymous is not None:
            contact = None if told.anonymous else told.contact or draft.contact
            return self._next(situation, replace(draft, contact=contact, anonymous=bool(told.anonymous)))
        more = hearing.added(spoken)
        if more is None and situation.understanding.intent in ("give_detail", "file_complaint"):
            more = spoken if not self._interrupts(situation, "text") else None
        if more is None:
            return None
        return self._next(situation, draft.told(more).absorbing(heard(more)), first=self._parts.say("changed"))

    def _offer_change(self, situation: Situation, draft: Draft) -> Answer:
        offers = [(self._parts.say(f"change_{field}"),) * 2 for field in CHANGEABLE]
        message = self._parts.choices(self._parts.say("change"), [(title, title) for title, _ in offers])
        return self._parts.reply(message), self._parts.keeping(situation, draft, step="change")

    def _change_chosen(self, situation: Situation, draft: Draft) -> Answer | None:
        spoken = situation.understanding.text
        chosen = taken(spoken, [self._parts.say(f"change_{field}") for field in CHANGEABLE])
        field = CHANGEABLE[chosen] if isinstance(chosen, int) else hearing.field_named(spoken)
        if field is None:
            return None
        again = replace(draft, text="") if field == "text" else draft
        return self._ask(situation, again, field)

    # -- the same incident --------------------------------------------------------------------------------------------

    def _is_own(self, situation: Situation, draft: Draft, same: Any) -> bool:
        """Whether ``same`` is what this draft was filed as before, when the answer got lost."""
        earlier = self._parts.office.service.filed(draft.id, asker(situation))
        return earlier is not None and earlier.number == same.number

    def _offer_same(self, situation: Situation, draft: Draft, same: Any) -> Answer:
        say, phrases = self._parts.say, self._parts.phrases
        words = say(
            "same",
            category=same.category.rpartition("/")[2],
            place=say("same_place", place=same.place) if same.place else "",
            day=phrases.day(same.filed_at.date(), situation.today),
            state=_state_words(same.state, same.department, phrases),
            number=numbers.aloud(same.number),
        )
        offers = [(say("same_join"), say("same_join")), (say("same_other"), say("same_other"))]
        kept = self._parts.keeping(situation, draft, step="same", number=same.number)
        return self._parts.reply(words, self._parts.choices(say("choose"), offers)), kept

    def _same_answered(self, situation: Situation, draft: Draft) -> Answer | None:
        say, spoken = self._parts.say, situation.understanding.text
        choice = taken(spoken, [say("same_join"), say("same_other")])
        if choice == 1 or choice == "none" or act_said(spoken) == "deny":
            return self._next(situation, replace(draft, separate=True))
        if choice != 0 and act_said(spoken) != "affirm":
            return None
        number = situation.focus.skill.data["number"] if situation.focus.skill else ""
        filing = draft.filing([each.id for each in self._parts.pictures(situation, draft)])
        try:
            shown = self._parts.office.joining.join(number, filing, asker(situation), draft.id)
        except Conflict:  # closed meanwhile: it is filed by itself
            return self._next(situation, replace(draft, separate=True))
        words = say("same_already") if shown.repeated and not shown.as_joiner else say("same_joined")
        return self._after.told(situation, draft, shown, words, with_code=True)

    # -- filing -------------------------------------------------------------------------------------------------------

    def _submit(self, situation: Situation, draft: Draft) -> Answer:
        try:
            shown = self._file(situation, draft)
        except InvalidInput as refusal:
            return self._refused(situation, draft, refusal)
        except WenbanError as error:
            log.warning("complaint_not_filed", code=error.code)
            words = self._parts.say("not_filed", message=error.message, remedy=error.remedy)
            return self._parts.reply(words), self._parts.keeping(situation, draft, step="confirm")
        words = self._parts.say("filed_again" if shown.repeated else "filed")
        return self._after.told(situation, draft, shown, words, with_code=True)

    def _file(self, situation: Situation, draft: Draft) -> Shown:
        """Files the draft once. What was filed before with other contents (its answer got lost) is put right."""
        service, who = self._parts.office.service, asker(situation)
        earlier = service.filed(draft.id, who)
        filing = draft.filing([each.id for each in self._parts.pictures(situation, draft)])
        if earlier is None:
            try:
                return service.file(filing, who, draft.id)
            except Conflict:
                earlier = service.filed(draft.id, who)
                if earlier is None:
                    raise
        same = (earlier.text, earlier.location, earlier.contact) == (filing.text, filing.location, filing.contact)
        if same or State(earlier.state) not in (State.FILED, State.DISPATCHED):
            return earlier
        try:
            return service.correct(earlier.number, earlier.query_code, filing, who)
        except Conflict:
            return earlier

    def pressed(self, situation: Situation) -> Answer | None:
        """The button of a summary pressed once more, after its form ended."""
        word, _, identity = situation.understanding.text.partition(" ")
        if word != SUBMIT or not identity:
            return None
        shown = self._parts.office.service.filed(identity, asker(situation))
        if shown is None:
            return self._parts.reply(self._parts.say("expired")), situation.focus
        draft = Draft(identity, shown.filed_at.isoformat(), text=shown.text)
        return self._after.told(situation, draft, shown, self._parts.say("filed_again"), with_code=True)

    # -- danger -------------------------------------------------------------------------------------------------------

    def _asked_of_urgent(self, situation: Situation, draft: Draft, number: str, words: str) -> Answer:
        field = draft.missing()
        if field is None:
            focus = self._parts.keeping(situation, draft, step="filed", number=number)
            return self._parts.reply(words), focus
        asks = self._parts.say("filed_urgent_more", question=self._parts.say(f"urgent_{field}"))
        focus = self._parts.keeping(situation, draft, step="urgent", field=field, number=number)
        return self._parts.reply(f"{words}{asks}"), focus

    def _urgent_answered(self, situation: Situation, draft: Draft) -> Answer | None:
        spoken = situation.understanding.text.strip()
        state = situation.focus.skill
        field = cast(Field, state.data.get("field", "place")) if state else "place"
        if act_said(spoken) in OTHER_ACTS or self._interrupts(situation, field):
            return None
        shown = self._after.urgent_of(situation)
        if shown is None:
            return None
        told = heard(spoken, situation.understanding.entities)
        value = told.contact if field == "contact" else spoken
        known = draft.absorbing(told).with_field(field, value)
        return self._supplemented(situation, known, shown, spoken, "urgent_added")

    def _more_of_urgent(self, situation: Situation, shown: Shown) -> Answer:
        draft = self._parts.draft(situation) or replace(self._fresh(situation), place=shown.location, text=shown.text)
        told = heard(situation.understanding.text, situation.understanding.entities)
        known = replace(draft.absorbing(told), urgent=True)
        return self._supplemented(situation, known, shown, situation.understanding.text, "urgent_known")

    def _supplemented(self, situation: Situation, draft: Draft, shown: Shown, more: str, words: str) -> Answer:
        number = numbers.aloud(shown.number)
        try:
            self._parts.office.following.supplement(shown, more, location=draft.place, contact=draft.contact)
        except WenbanError as error:
            log.warning("urgent_not_supplemented", number=shown.number, code=error.code)
        return self._asked_of_urgent(situation, draft, shown.number, self._parts.say(words, number=number))


DRAFTING = frozenset({"ask", "confirm", "change", "same"})
"""Steps in which nothing is filed yet."""
CHANGEABLE: Sequence[Field] = (*(field for field in FIELDS if field != "kind"), "kind")


def _without_lead(spoken: str) -> str:
    place = spoken.strip(" ,，。！!")
    for lead in ("就在", "在", "地点是", "地点：", "地点:", "地址是", "地址：", "地址:", "位置：", "是"):
        if place.startswith(lead) and len(place) > len(lead) + 1:
            return place[len(lead) :].strip()
    return place


def _state_words(state: str, department: str | None, phrases: Any) -> str:
    unit = department or phrases.say("complaint_card.no_unit")
    return str(phrases.say(f"complaint_card.{state}", unit=unit)).rstrip("。")


__all__ = ["DRAFTING", "NAME", "SUBMIT", "Taking"]
