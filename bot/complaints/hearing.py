"""What a citizen's words tell of a complaint: its kind, place, time, wish, contact. By rules of wording alone. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from bot.answers.faq import bare
from bot.codes import find_codes
from bot.complaints.filing import LONGEST_HAPPENED, LONGEST_LOCATION, LONGEST_WISH
from bot.complaints.model import Kind
from bot.text import normalise

Field = Literal["kind", "text", "place", "when", "wish", "contact"]
FIELDS: tuple[Field, ...] = ("kind", "text", "place", "when", "wish", "contact")
_MAIL = re.compile(r"[A-Za-z0-9_.+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_ABOUT_CONTACT = re.compile(r"[,，;； ]*我?的?(?:电话|手机|号码|联系).*$")
_EDGE = " ,，。、:：;；!！"


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files("bot.complaints").joinpath("wording.toml").read_text(encoding="utf-8"))


@cache
def _any_of(section: str, name: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{sign})" for sign in _table()[section][name]), re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Heard:
    """What a text tells; None where it does not tell it."""

    kind: Kind | None = None
    place: str | None = None
    when: str | None = None
    wish: str | None = None
    contact: str | None = None
    anonymous: bool | None = None


def heard(text: str, entities: Iterable[Mapping[str, Any]] = ()) -> Heard:
    """Everything that ``text`` tells. ``entities`` of the understanding help where the wording does not decide."""
    plain = normalise(text)
    named = [str(each.get("value")) for each in entities if each.get("entity") == "place" and each.get("value")]
    found = place_said(plain) or next((value for value in named if value in plain), None)
    return Heard(kind_said(plain), found, when_said(plain), wish_said(plain), contact_said(plain), anonymity(plain))


def kind_said(text: str) -> Kind | None:
    """The kind that a text names by a word for it."""
    plain = normalise(text)
    for kind, signs in _table()["kinds"].items():
        if re.search("|".join(signs), plain):
            return Kind(kind)
    return None


def tells_something(text: str) -> bool:
    """Whether a text tells what happened, beyond that somebody complains."""
    left = normalise(text)
    for section, name in (("opening", "words"), ("opening", "greeting")):
        left = _any_of(section, name).sub(" ", left)
    return len(bare(_without_times(_without_contact(left)))) >= int(_table()["opening"]["shortest"])


def anonymity(text: str) -> bool | None:
    """True where a text asks to stay unknown, False where it takes that back."""
    plain = normalise(text)
    if _any_of("anonymous", "no").search(plain):
        return False
    return True if _any_of("anonymous", "yes").search(plain) else None


def contact_said(text: str) -> str | None:
    """The phone number or mail address in a text, in one spelling."""
    phone = next((code.value for code in find_codes(text) if code.kind == "phone"), None)
    if phone:
        return phone
    mail = _MAIL.search(text)
    return mail.group() if mail else None


@cache
def _times() -> re.Pattern[str]:
    table = _table()["when"]
    piece = "|".join(f"(?:{sign})" for sign in table["pieces"])
    return re.compile(f"(?:{piece})(?:(?:{table['glue']})*(?:{piece}))*(?:左右|前后|开始|以来|多)?")


def when_said(text: str) -> str | None:
    """When it happened, in the citizen's own words: the longest time that a text names."""
    found = [match.group().strip(_EDGE) for match in _times().finditer(text)]
    return max(found, key=len)[:LONGEST_HAPPENED] if found else None


def _without_times(text: str) -> str:
    return _times().sub(" ", text)


def _without_contact(text: str) -> str:
    for code in reversed([code for code in find_codes(text) if code.kind == "phone"]):
        text = f"{text[: code.start]} {text[code.end :]}"
    return text


@cache
def _places() -> re.Pattern[str]:
    ends, tail = _table()["place"]["ends"], _table()["place"]["tail"]
    further = rf"[\u4e00-\u9fff]{{1,6}}?(?:{ends}|公司)"
    return re.compile(
        rf"[\u4e00-\u9fffA-Za-z0-9]{{1,8}}?{ends}(?:{tail}|{ends}|{further})*(?:[\u4e00-\u9fff]{{1,4}}?门口)?"
    )


@cache
def _place_cut() -> re.Pattern[str]:
    return re.compile(rf"[,，。;；!！?？\n“”\"()（） ]|{_table()['place']['cut']}")


@cache
def _no_name() -> re.Pattern[str]:
    table = _table()["place"]
    return re.compile(rf"{table['never']}{table['tail']}*")


def place_said(text: str) -> str | None:
    """The place that a text names: the longest piece that ends as places do and has a name of its own."""
    plain = _without_contact(_without_times(normalise(text)))
    found = [match.group() for clause in _place_cut().split(plain) for match in _places().finditer(clause or "")]
    named = [place for place in found if len(place) >= 3 and not _no_name().fullmatch(place)]
    return max(named, key=len)[:LONGEST_LOCATION] if named else None


def place_sent(text: str) -> str | None:
    """The place in a text that only names one, as the place field of the page sends it ("地点：幸福里小区")."""
    match = re.fullmatch(r"(?:地点|位置)[:：]\s*(\S.{1,100})", normalise(text))
    return match.group(1)[:LONGEST_LOCATION] if match else None


def wish_said(text: str) -> str | None:
    """What the citizen wants done, from the word that says so to the end of the sentence."""
    match = _any_of("wish", "said").search(_without_contact(normalise(text)))
    return _ABOUT_CONTACT.sub("", match.group()).strip(_EDGE)[:LONGEST_WISH] if match else None


def unsure(field: Field, text: str) -> bool:
    """Whether the whole text says that the citizen does not know."""
    if field not in ("place", "when"):
        return False
    return re.fullmatch("|".join(f"(?:{sign})" for sign in _table()[field]["unsure"]) + "", bare(text)) is not None


def says(section: str, name: str, text: str) -> bool:
    """Whether the whole text is one of the wordings of ``section.name``."""
    return _any_of(section, name).fullmatch(bare(text)) is not None


def mentions(section: str, name: str, text: str) -> bool:
    """Whether one of the wordings stands anywhere in the text."""
    return _any_of(section, name).search(normalise(text)) is not None


def added(text: str) -> str | None:
    """What is added by a text that says it adds something ("补充一下，他们昨晚又来了")."""
    match = _any_of("after", "more").match(normalise(text))
    if match is None:
        return None
    rest = next((group for group in reversed(match.groups()) if group), "")
    return rest.strip(_EDGE) or None


def sounds_like_question(text: str) -> bool:
    return _any_of("questions", "signs").search(normalise(text)) is not None


def field_named(text: str) -> Field | None:
    """The field that a short text names ("地点", "改电话")."""
    table = _table()["fields"]
    plain = bare(text)
    for field in FIELDS:
        if len(plain) <= 8 and re.search(table[field], plain):
            return field
    return None


def field_set(text: str) -> tuple[Field, str] | None:
    """A field put right by its name: "地址错了，是人民东路" → place, 人民东路."""
    table = _table()["fields"]
    plain = normalise(text)
    for field in FIELDS:
        match = re.search(table["to"].replace("{names}", table[field]), plain)
        if match and match.start() <= 6:
            return field, match.group("right").strip(_EDGE)
    return None
