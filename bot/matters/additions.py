"""What editors add to a guide that the city's own file does not hold, and how it goes into the guide. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.matters.model import Guide, Question
from index.normal import bare


class AdditionKind(StrEnum):
    """Where in the guide an addition goes. NOT: a question that the matter must not answer."""

    ALIAS = "alias"
    QUESTION = "question"
    FAQ = "faq"
    NOT = "not"


FIELDS: Mapping[AdditionKind, str] = {
    AdditionKind.ALIAS: "aliases",
    AdditionKind.QUESTION: "questions",
    AdditionKind.NOT: "not_questions",
}
"""The guide's field that holds plain texts of a kind."""


@dataclass(frozen=True, slots=True)
class Addition:
    """One addition to the guide ``code``; ``answer`` belongs to an faq."""

    code: str
    kind: AdditionKind
    text: str
    answer: str | None = None


def by_code(additions: Iterable[Addition]) -> Mapping[str, list[Addition]]:
    """Additions by the guide they belong to, in their order."""
    found: dict[str, list[Addition]] = {}
    for addition in additions:
        found.setdefault(addition.code, []).append(addition)
    return found


def merged(guide: Guide, additions: Iterable[Addition]) -> Guide:
    """``guide`` with ``additions``; what it holds already stays as it is, an faq of the same question is answered anew.

    Merging twice is merging once.
    """
    for each in additions:
        if each.kind is AdditionKind.FAQ:
            entry = Question(q=each.text, a=each.answer or "")
            known = any(other.q == entry.q for other in guide.faq)
            faq = tuple(entry if other.q == entry.q else other for other in guide.faq)
            guide = guide.model_copy(update={"faq": faq if known else (*faq, entry)})
        elif each.text not in (texts := getattr(guide, FIELDS[each.kind])):
            guide = guide.model_copy(update={FIELDS[each.kind]: (*texts, each.text)})
    return guide


def without(guide: Guide, additions: Iterable[Addition]) -> Guide:
    """``guide`` less the texts of ``additions``."""
    for each in additions:
        if each.kind is AdditionKind.FAQ:
            guide = guide.model_copy(update={"faq": tuple(other for other in guide.faq if other.q != each.text)})
        else:
            texts = getattr(guide, FIELDS[each.kind])
            guide = guide.model_copy(update={FIELDS[each.kind]: tuple(text for text in texts if text != each.text)})
    return guide


def held(guide: Guide, addition: Addition) -> bool:
    """Whether adding it would change nothing: the guide says the same there already."""
    return merged(guide, [addition]) == guide


def contradicts(guide: Guide, addition: Addition) -> bool:
    """Whether the guide would both be found by a text and refuse it."""
    if addition.kind is AdditionKind.NOT:
        found_by = [guide.name, *guide.aliases, *guide.questions, *(each.q for each in guide.faq)]
        return bare(addition.text) in map(bare, found_by)
    return bare(addition.text) in map(bare, guide.not_questions)
