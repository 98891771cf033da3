"""What a correction takes back and what it puts in its place ("不是补领，是换领"). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SLIP = (
    r"(?:不对|错了|错啦|(?:我|刚才|刚刚|前面|是)*(?:说|打|写|讲|记|搞|弄|输|听|看)(?:错|反|混|岔)了?"
    r"|反了|口误|更正|纠正|改一下|不不不|准确说|应该说)"
)
_FILLER = r"(?:哦|啊|嗯|哎呀|哎|等下|等等|那个|刚才|[，,。！!、 ])"
_OPENING = rf"(?:{_FILLER}|{_SLIP})*"
_SAY = r"(?:我|问|说|打|讲|要|办|的|是)*"
_NOT_BUT = re.compile(
    rf"^{_OPENING}{_SAY}?(?<!是)(?:不是|并非)(?P<wrong>[^，,。；; ]+?)[，,。；; ]*(?:而是|是|要|就)(?P<right>.+)$"
)
_NOT_SPACE = re.compile(rf"^{_OPENING}{_SAY}?(?<!是)不是(?P<wrong>[^，,。；; ]+)[，,。；; ]+(?P<right>.+)$")
_BUT_NOT = re.compile(
    rf"^{_OPENING}{_SAY}(?P<right>.+?)[，,。；; ]*(?:而不是|(?<!是)不是)(?P<wrong>[^，,。；; 吗么嘛?？]+)[。！!]*$"
)
_SORRY = re.compile(rf"^{_FILLER}*{_SLIP}(?:{_FILLER}|{_SLIP})*(?:应该)?{_SAY}(?P<right>.+)$")
_AWAY = re.compile(
    r"(?:(?<!是)不是|没|并非)[^，,。；; 是]{0,8}[，,。；; ]*(?:而|那|就|其实)*(?:是(?!不是)|得|光)"  # 没丢，就是到期了
    r"|是[^，,。；; ]{1,8}[，,。；; ]+(?:不是|没|并非)[^，,。；; 有]{1,2}(?:[，,。；; ]|$)"  # 我这本是到期的，没丢
    r"|(?<!是)不是[^，,。；; 吗么嘛?？]{1,12}(?:[，,。；; ]|$)"  # …，不是买卖，…
    r"|^(?:那|那么|要是|如果|换成|假如)*(?!什么|为什么)[^，,。；; ]{1,6}呢[?？]*$"  # 那丢了呢
    r"|(?:改成|换成|不转|不续|不办了?|又要|还有|另外)"
)
_LONGEST = 40
_QUOTES = ' “”"，,。'


@dataclass(frozen=True, slots=True)
class Correction:
    """``wrong`` is what was not meant (may be empty), ``right`` what is."""

    wrong: str
    right: str


def correction(text: str) -> Correction | None:
    """The correction that ``text`` makes, or None. Questions ("是不是要…") correct nothing."""
    text = text.strip()
    if len(text) > _LONGEST or text.endswith(("吗", "么", "?", "？")):
        return None
    for pattern in (_NOT_BUT, _NOT_SPACE, _BUT_NOT):
        if match := pattern.match(text):
            return Correction(match.group("wrong").strip(_QUOTES), match.group("right").strip(_QUOTES))
    if match := _SORRY.match(text):
        return Correction("", match.group("right").strip(_QUOTES))
    return None


def turns_away(text: str) -> bool:
    """Whether ``text`` sets what it asks about against what was talked about before ("那要是没丢，就是到期了呢")."""
    text = text.strip()
    corrected = correction(text)
    return (corrected is not None and not corrected.wrong) or _AWAY.search(text) is not None


def takes_back(wrong: str, name: str, right: str) -> bool:
    """Whether the matter called ``name`` is what ``wrong`` means, and not what ``right`` means."""
    telling = {wrong[i : i + 2] for i in range(len(wrong) - 1)} or ({wrong} if wrong else set())
    kept = {right[i : i + 2] for i in range(len(right) - 1)}
    return any(pair in name and pair not in kept for pair in telling)
