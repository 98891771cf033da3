"""What is said next, free of HTTP, Rasa and the database: used by the actions, and by the gateway when Rasa is down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from bot.answers import places, situations
from bot.answers.faq import bare
from bot.answers.limits import Calendar
from bot.answers.phrases import Phrases, facet_of_word
from bot.conversations import danger, forms
from bot.conversations.ahead import Searches
from bot.conversations.answering import MatterAnswers
from bot.conversations.choices import taken
from bot.conversations.facets import OVERVIEW, asked_facets
from bot.conversations.model import Answer, Focus, Speaker, Understanding, without_pending
from bot.conversations.payloads import Coded, coded
from bot.conversations.ports import FinderNow, Guides, Search, Situation, Skill, Watcher
from bot.conversations.reading import Elsewhere, act_said, asks_only_facets, facets_said
from bot.conversations.referrals import emergency_texts, referrals, said
from bot.conversations.routing import SOCIAL, Route, route
from bot.conversations.searching import CHOSEN_AMONG, CLEAR_LEAD, NOTHING, SHORT
from bot.matters.model import PublishedGuide

EMERGENCY_BELIEVED = 0.7
CLEARLY_ASKED = 0.8
SITUATION_BELIEVED = 0.6
CONTINUED = 0.95
"""Confidence of answers about the matter already talked about, reached without a new search."""

_CLOSING = frozenset({"goodbye", "deny", "thanks", "satisfaction"})
"""Acts after which a choice still open is not pressed on the citizen again."""


class Assistant:
    """Answers one text at a time, given what was understood and what the conversation is about."""

    def __init__(
        self,
        finder: FinderNow,
        guides: Guides,
        calendar: Calendar,
        phrases: Phrases,
        skills: Mapping[str, Skill] | None = None,
        watcher: Watcher | None = None,
    ) -> None:
        """``skills`` replace the referrals of the same names: handoff, case, complaint. ``watcher`` sees replies."""
        self._searches = Searches(finder)
        self._matters = MatterAnswers(guides, calendar, phrases)
        self._phrases = phrases
        self._skills: dict[str, Skill] = {**referrals(guides, phrases), **(skills or {})}
        self._elsewhere = Elsewhere(phrases.city)
        self._watcher = watcher

    def anticipate(self, text: str, focus: Focus, today: date) -> None:
        """Begins what :meth:`answer` will most likely need for ``text``. Never raises and never waits."""
        if focus.skill is None and act_said(text) is None:
            self._searches.begin(text, focus, today)

    def answer(self, understanding: Understanding, focus: Focus, today: date, speaker: Speaker | None = None) -> Answer:
        """The reply to one text and what the conversation is about afterwards. ``speaker``: nobody known by default."""
        who = speaker or Speaker()
        situation = Situation(
            understanding,
            focus,
            today,
            None,
            who.conversation_id,
            who.citizen,
            who.origin,
            who.channel,
            who.turn_id,
            lambda: self._searches.search(understanding.text, focus, today),
        )
        threat = self._danger(understanding)
        answered = self._answer(situation, threat)
        if self._watcher is None:
            return answered
        return self._watcher.watch(situation, answered, threat or answered[0].danger)

    def _answer(self, situation: Situation, threat: str | None) -> Answer:
        understanding, focus = situation.understanding, situation.focus
        text = understanding.text
        if threat is not None and danger.is_certain(text):
            return forms.alarmed(
                said("handoff", emergency_texts(threat, self._phrases)), situation, threat, self._skills
            )
        if threat is None:
            answered = forms.resumed(situation, self._skills)
            if answered is not None:
                return answered
        reply, after = self._calm_answer(situation, threatened=threat is not None)
        if threat is None:
            return forms.led_back((reply, after), situation, self._skills)
        first = emergency_texts(threat, self._phrases)
        # A guide beside the number only where the text clearly asks for one, and for another than was talked about.
        asks = reply.outcome == "answered" and reply.confidence >= CLEARLY_ASKED and reply.matter != focus.matter
        if not asks or understanding.intent == "emergency":
            return forms.alarmed(said("handoff", first), situation, threat, self._skills)
        return replace(reply, messages=({"kind": "text", "text": first[0]}, *reply.messages)), after

    @staticmethod
    def _danger(understanding: Understanding) -> str | None:
        """The danger somebody is in now: by the wording, or because the understanding is sure of it."""
        text = understanding.text
        by_wording = danger.danger_now(text)
        if by_wording is not None:
            return by_wording
        sure = understanding.intent == "emergency" and understanding.intent_confidence >= EMERGENCY_BELIEVED
        if not sure or danger.sounds_harmless(text):
            return None
        return danger.kind_of_danger(text) or danger.GENERAL

    def _calm_answer(self, situation: Situation, *, threatened: bool = False) -> Answer:
        understanding, focus, today = situation.understanding, replace(situation.focus, skill=None), situation.today
        situation = replace(situation, focus=focus)
        text = understanding.text
        direct = self._coded(understanding, focus, today) or self._pending(understanding, focus, today)
        if direct is None and not threatened:
            direct = forms.overheard(situation, self._skills)
        if direct is not None:
            return direct
        act = act_said(text)
        if act is not None:
            return self._routed(route(understanding, NOTHING), situation)
        if focus.pending and focus.pending.kind == "situation" and not threatened:
            told = self._situation(understanding, focus, today)
            if told is not None:
                return told
        if focus.matter and not focus.offered_codes and not threatened and asks_only_facets(text):
            published = self._matters.guide(focus.matter, today)
            if published is not None:
                facets = asked_facets(understanding, focus, follows_up=True)
                return self._matters.answer(published, facets, focus, text=text, today=today, confidence=CONTINUED)
        search = self._searches.search(text, focus, today)
        if focus.offered_codes and not search.is_sure_of_other_than(focus.offered_codes):
            named = self._pending(understanding, focus, today, in_other_words=True)
            among = named or self._among_offered(search, understanding, focus, today)
            if among is not None:
                return among
        if focus.matter and not threatened and not search.is_sure_of_other_than([focus.matter]):
            follow_up = self._place(text, focus, today) or self._situation(understanding, focus, today)
            if follow_up is not None:
                return follow_up
        way = route(understanding, search, elsewhere=self._elsewhere.said(text))
        if way.way == "unknown":
            told = self._situation(understanding, focus, today, unexplained=True)
            still = told or self._still_offered(search, understanding, focus)
            if still is not None:
                return still
        return self._routed(way, replace(situation, search=search))

    # -- what needs no search -------------------------------------------------------------------------------------

    def _coded(self, understanding: Understanding, focus: Focus, today: date) -> Answer | None:
        """A pressed choice, or a text that names a matter by its code."""
        for reading in coded(understanding.text):
            published = self._matters.guide(reading.code, today)
            if published is not None:
                return self._of_code(reading, published, understanding, focus, today)
        return None

    def _of_code(
        self, reading: Coded, published: PublishedGuide, understanding: Understanding, focus: Focus, today: date
    ) -> Answer:
        guide = published.guide
        rest = bare(reading.rest)
        pending = focus.pending
        held = pending.facets if pending and guide.code in focus.offered_codes else ()
        question = pending.text if pending and held else ""
        option = next((o for o in guide.options if bare(o) == rest), None) if rest else None
        facet = facet_of_word(reading.rest)
        if option is not None:
            asked = next(s.question for s in guide.situations if option in s.options)
            facets: Sequence[str] = focus.facets if focus.matter == guide.code and focus.facets else ("materials",)
            chosen = (situations.Chosen(asked, option),)
            return self._matters.answer(published, facets, focus, text="", today=today, chosen=chosen)
        if facet is not None:
            return self._matters.answer(published, (facet,), focus, text="", today=today)
        if not rest or rest == bare(guide.name):
            facets = held or OVERVIEW
            return self._matters.answer(
                published, facets, focus, text=question or guide.name, today=today, joined=bool(held)
            )
        facets = asked_facets(replace(understanding, text=reading.rest), focus, follows_up=False)
        return self._matters.answer(
            published, facets, focus, text=reading.rest, today=today, joined=focus.matter == guide.code
        )

    def _pending(
        self, understanding: Understanding, focus: Focus, today: date, *, in_other_words: bool = False
    ) -> Answer | None:
        """The text as an answer to the choice offered last; situations may always be said in other words."""
        pending = focus.pending
        if pending is None:
            return None
        text = understanding.text
        in_other_words = in_other_words or pending.kind == "situation"
        choice = taken(text, [offer.title for offer in pending.offers], in_other_words=in_other_words)
        act = act_said(text)
        if choice is None and act == "affirm" and pending.kind == "matter":
            choice = 0 if len(pending.offers) == 1 else "all"
        if choice == "all" and pending.kind == "facet":
            return self._all_facets(focus, today)
        if choice == "all":
            return self._matters.offer_again(focus, "clarify.which")
        if choice == "none":
            if pending.kind != "matter":
                return None
            reply = said("clarify", [self._phrases.say("unknown.none_of_them"), self._phrases.say("unknown.person")])
            return reply, without_pending(focus)
        if choice is None:
            return None
        chosen = replace(understanding, text=pending.offers[choice].payload)
        return self._coded(chosen, focus, today)

    def _all_facets(self, focus: Focus, today: date) -> Answer | None:
        published = self._matters.guide(focus.matter, today) if focus.matter else None
        if published is None or focus.pending is None:
            return None
        words = (offer.payload.partition(" ")[2] for offer in focus.pending.offers)
        facets = [facet for word in words if (facet := facet_of_word(word))]
        return self._matters.answer(published, facets, focus, text="", today=today)

    def _place(self, text: str, focus: Focus, today: date) -> Answer | None:
        """A bare place name after an answer: the windows there."""
        published = self._matters.guide(focus.matter, today) if focus.matter else None
        folded = bare(text)
        if published is None or not 2 <= len(folded) <= SHORT or facets_said(text):
            return None
        guide = published.guide
        place = places.nearest(guide.windows, text, topic=guide.name).place
        if place is None or len(place) * 2 < len(folded):
            return None
        return self._matters.answer(published, ("where",), focus, text=text, today=today, confidence=CONTINUED)

    def _situation(
        self, understanding: Understanding, focus: Focus, today: date, *, unexplained: bool = False
    ) -> Answer | None:
        """The citizen's situation, asked for or told: the facets asked before, now for this situation.

        ``unexplained``: the index knows nothing else that the text could mean.
        """
        published = self._matters.guide(focus.matter, today) if focus.matter else None
        if published is None:
            return None
        asked = focus.pending is not None and focus.pending.kind == "situation"
        told = understanding.intent == "give_situation" and understanding.intent_confidence >= SITUATION_BELIEVED
        text = understanding.text
        if facets_said(text):
            return None
        chosen = situations.said_options(text, published.guide.situations, asked=asked or told)
        if not chosen or not (asked or told or unexplained) or len(bare(text)) > 2 * SHORT:
            return None
        # What differs by situation is the materials, so they are said even if another facet was asked for before.
        facets = (
            tuple(dict.fromkeys((*focus.facets, "materials"))) if "overview" not in focus.facets else ("materials",)
        )
        return self._matters.answer(
            published, facets, focus, text=text, today=today, chosen=chosen, confidence=CONTINUED
        )

    # -- what was searched ----------------------------------------------------------------------------------------

    def _among_offered(self, search: Search, understanding: Understanding, focus: Focus, today: date) -> Answer | None:
        """A free description of one of the matters offered: taken where it stands out among them."""
        pending = focus.pending
        if pending is None or search.exact or search.best is None:
            return None
        offered = [c for c in search.candidates if c.code in focus.offered_codes]
        if not offered or search.best.code != offered[0].code or search.decision == "unknown":
            return None
        rival = offered[1].score if len(offered) > 1 else 0.0
        if offered[0].score < CHOSEN_AMONG and offered[0].score - rival < CLEAR_LEAD:
            return None
        published = self._matters.guide(offered[0].code, today)
        if published is None:
            return None
        own = facets_said(understanding.text)
        facets = asked_facets(understanding, focus, follows_up=False) if own else pending.facets or OVERVIEW
        return self._matters.answer(
            published,
            facets,
            focus,
            text=understanding.text,
            today=today,
            confidence=max(offered[0].score, search.confidence),
            candidates=self._matters.valid(search.candidates, today),
        )

    def _still_offered(self, search: Search, understanding: Understanding, focus: Focus) -> Answer | None:
        """The choice once more, where a short text says more about it without taking it ("要收他多少钱")."""
        pending, text = focus.pending, understanding.text
        if pending is None or search.best is None or search.best.code not in focus.offered_codes:
            return None
        if len(bare(text)) > 2 * SHORT:
            return None
        facets = asked_facets(understanding, focus, follows_up=False) if facets_said(text) else pending.facets
        return self._matters.offer_again(replace(focus, pending=replace(pending, facets=facets)), "clarify.again")

    def _routed(self, way: Route, situation: Situation) -> Answer:
        understanding, focus, today = situation.understanding, situation.focus, situation.today
        search, text = situation.search, understanding.text
        if way.way == "social":
            return self._social(way.act or "smalltalk", understanding, focus, today)
        if way.way in self._skills:
            return self._skills[way.way].answer(situation)
        if search is None:
            return self._matters.unknown(None, focus, today=today)
        facets = asked_facets(understanding, focus, follows_up=search.follows_up)
        if way.way == "matter":
            return self._answered(search, facets, understanding, focus, today, complains=way.complains)
        if way.way == "clarify":
            return self._matters.clarify(search, facets, focus, text=text, today=today)
        if way.way == "elsewhere":
            return self._matters.unknown(search, focus, today=today, phrase="unknown.other_place", near=False)
        private = way.way == "private" or (understanding.intent == "out_of_scope" and search.best is None)
        phrase = "unknown.private" if private else "unknown.plain"
        unknown = self._matters.unknown(
            search, focus, today=today, phrase=phrase, near=not private, text=text, facets=facets
        )
        return forms.suggested(unknown, situation, self._skills, self._phrases.say("complaint.suggest"))

    def _answered(
        self,
        search: Search,
        facets: Sequence[str],
        understanding: Understanding,
        focus: Focus,
        today: date,
        *,
        complains: bool,
    ) -> Answer:
        candidates = self._matters.valid(search.candidates, today)
        published = self._matters.guide(candidates[0].code, today) if candidates else None
        if published is None or search.best is None or search.best.code != published.guide.code:
            # The best matter's guide is not in force: nothing else was meant.
            return self._matters.unknown(
                replace(search, candidates=candidates), focus, today=today, phrase="unknown.no_such_matter"
            )
        reply, after = self._matters.answer(
            published,
            facets,
            focus,
            text=understanding.text,
            today=today,
            confidence=search.confidence,
            candidates=candidates,
            joined=search.follows_up,
        )
        if complains:
            also = {"kind": "text", "text": self._phrases.say("complaint.also")}
            reply = replace(reply, messages=(*reply.messages, also))
        return reply, after

    # -- talk -----------------------------------------------------------------------------------------------------

    def _social(self, act: str, understanding: Understanding, focus: Focus, today: date) -> Answer:
        """A civil sentence; the topic and a pending choice stay as they were."""
        if act == "restart":
            return said("smalltalk", [self._phrases.say("smalltalk.restart")]), Focus()
        if act == "repeat":
            return self._repeat(understanding, focus, today)
        key = f"smalltalk.{act if act in SOCIAL else 'smalltalk'}"
        confidence = understanding.intent_confidence if understanding.intent == act else CONTINUED
        reply = said("smalltalk", [self._phrases.say(key)], confidence)
        if focus.pending and focus.pending.kind in ("matter", "situation") and act not in _CLOSING:
            again, _ = self._matters.offer_again(focus, "clarify.again")
            reply = replace(reply, messages=(*reply.messages, *again.messages))
        return reply, focus

    def _repeat(self, understanding: Understanding, focus: Focus, today: date) -> Answer:
        """The last answer once more, or the pending choice."""
        if focus.pending and focus.pending.kind == "matter":
            return self._matters.offer_again(focus, "clarify.again")
        published = self._matters.guide(focus.matter, today) if focus.matter else None
        if published is None:
            return said("smalltalk", [self._phrases.say("unknown.nothing_to_repeat")]), focus
        facets = facets_said(understanding.text) or focus.facets
        reply, after = self._matters.answer(published, facets, focus, text="", today=today, lead=True)
        return reply, after
