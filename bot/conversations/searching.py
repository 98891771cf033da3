"""Asks the index what a text may mean, and takes out what the citizen has just said is not meant."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from bot.answers.faq import bare
from bot.conversations.answering import NEAR
from bot.conversations.corrections import Correction, correction, takes_back, turns_away
from bot.conversations.model import Candidate, Focus
from bot.conversations.ports import Finder, Found, Search
from bot.conversations.reading import asks_for_other_object, is_elliptic

CHOSEN_AMONG = 0.5
"""Score from which a matter is taken without asking, when it is all that was left or offered."""
CLEAR_LEAD = 0.2
RIVAL = 0.01
"""Score from which another matter may be meant by a text that turns away from the one talked about."""
SHORT = 5
"""Characters up to which a text leans on the ones before it."""
LONG = 24
"""Characters from which a text tells its own story, whatever was talked about before."""

NOTHING = Search("unknown", 0.0, ())


def search_matters(finder: Finder, text: str, focus: Focus, today: date) -> Search:
    """What the index finds for ``text`` in this conversation; a correction is searched by what it puts right."""
    corrected = correction(text) if focus.turns else None
    asked = corrected.right if corrected and len(bare(corrected.right)) > 1 else text
    found = _found(finder, asked, focus, today)
    search = Search(
        decision=found.decision,
        confidence=_probability(found.confidence),
        candidates=tuple(Candidate(c.code, c.name, _probability(c.score)) for c in found.candidates),
        exact=found.exact,
        # told here, because what was searched by itself knows of no matter talked about
        kept_focus=bool(found.candidates) and found.candidates[0].code == focus.matter,
        joined=not found.exact and _goes_on(asked, found, focus),
    )
    if corrected and corrected.wrong and search.best and search.best.code == focus.matter:
        return _taken_back(search, corrected)
    if _is_vague(text, search, focus) or _may_have_left(text, search, focus):
        return replace(search, decision="clarify")
    if _says_too_little(search, focus):
        return replace(search, decision="clarify")
    return search


def _found(finder: Finder, asked: str, focus: Focus, today: date) -> Found:
    """The search with what was said before, unless the text says enough by itself: a citizen who has been answered
    asks for the next thing in full as often as for more of the same.
    """
    if focus.turns and not focus.offered_codes and (focus.matter is None or _may_stand_alone(asked)):
        alone = finder.find(asked, today=today)
        if alone.decision == "answered" or (focus.matter is not None and len(bare(asked)) >= LONG):
            return alone
    return finder.find(asked, turns=focus.turns, focus=focus.matter, focus_offered=focus.offered_codes, today=today)


def _may_stand_alone(text: str) -> bool:
    """Whether the text need not lean on those before it."""
    return len(bare(text)) > SHORT and not is_elliptic(text)


def _is_vague(text: str, search: Search, focus: Focus) -> bool:
    """Whether only the topic speaks for the matter found, and the text asks for something it never named."""
    best = search.best
    if best is None or search.exact or search.decision != "answered" or best.code != focus.matter:
        return False
    return asks_for_other_object(text, " ".join((best.name, *focus.turns)))


def _may_have_left(text: str, search: Search, focus: Focus) -> bool:
    """Whether the text turns away from the matter found, which only the topic speaks for, and another is at hand."""
    best = search.best
    if best is None or search.exact or search.decision != "answered" or best.code != focus.matter:
        return False
    rivals = [candidate for candidate in search.candidates[1:3] if candidate.score >= RIVAL]
    return bool(rivals) and turns_away(text)


def _says_too_little(search: Search, focus: Focus) -> bool:
    """Whether nothing is sure because a short text leans on those before it, and something is near enough to ask."""
    if search.decision != "unknown" or not focus.turns or focus.offered_codes:
        return False
    return search.follows_up and search.best is not None and search.best.score >= NEAR


def _probability(score: float) -> float:
    return min(max(float(score), 0.0), 1.0)


def _goes_on(text: str, found: Found, focus: Focus) -> bool:
    """Whether the text was searched with an earlier turn and leans on it, even if it changes the matter."""
    if not focus.turns or bare(found.query) == bare(text):
        return False
    return found.kept_focus or not _may_stand_alone(text)


def _taken_back(search: Search, corrected: Correction) -> Search:
    """``search`` without the matter that the citizen has just said is not meant."""
    best, *others = search.candidates
    if not takes_back(corrected.wrong, best.name, corrected.right) or not others:
        return search
    lead = others[0].score - (others[1].score if len(others) > 1 else 0.0)
    clear = others[0].score >= CHOSEN_AMONG and lead >= CLEAR_LEAD
    return replace(
        search,
        decision="answered" if clear else "clarify",
        confidence=others[0].score,
        candidates=tuple(others),
        exact=False,
        kept_focus=False,
        joined=True,
    )
