"""Which of the offered choices a citizen takes: by number in any writing, by position, or by name. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bot.answers.faq import bare
from bot.answers.situations import said_options
from bot.text import normalise

Taken = int | Literal["none", "all"] | None
"""An index from 0; ``none`` where all are declined, ``all`` where all are wanted; None where no choice is taken."""

_LEAD = r"(?:那|那就|就|我|俺|要|选|选择|点|按|是|应该是|应该|大概是|可能是|办|就办|就要|想要|看|说的是|的是|回)*"
_TAIL = r"(?:个|項|项|条|种|号|样|类|款|件|那个|那项|那种|那条)?(?:吧|啊|呀|哈|嘛|咯|哦|呢|了|的|嘞|噻|那个|哒)*"
_NUMBER = re.compile(rf"{_LEAD}(?:第|序号|选项|编号|no)?([1-9]|[一二两三四五六七八九]){_TAIL}")
_LETTER = re.compile(rf"{_LEAD}([a-f]){_TAIL}")
_PINYIN = re.compile(r"(?:xuan|wo yao|yao)?(?:di)?(yi|er|liang|san|si|wu|liu)(?:ge|xiang|hao)?")
_ENGLISH = {"first": 0, "one": 0, "second": 1, "two": 1, "third": 2, "three": 2, "fourth": 3, "four": 3}
_FIRST = re.compile(rf"{_LEAD}(?:头一|最前面|最上面|前面|上面|上头|前头|前一|最开始)(?:的)?(?:那|这)?{_TAIL}|前者")
_LAST = re.compile(rf"{_LEAD}(?:最后|最下面|末尾|后面|下面|底下|后头|后一)(?:的)?(?:那|这|一)*{_TAIL}|后者")
_MIDDLE = re.compile(rf"{_LEAD}(?:中间|当中)(?:的)?(?:那|这)?{_TAIL}")
_NO = re.compile(
    r"(?:以上|上面|这些|这几个|那几个|哪个|哪一个|一个|哪样|全|统统|好像|感觉)*(?:都|也)?(?:不是|没有|不对|没一个是|不要)(?:的)?"
    r"(?:我要的|我想要的|我问的|这些|这几个)?(?:啊|吧|呀|哦|嘛|了|呢)*|none"
)
_ALL = re.compile(
    r"(?:我)?(?:都|全都|全部|全|两个都|三个都|几个都|统统)(?:要|看看|看|想知道|说|说说|告诉我|说一下|讲讲)?(?:一遍|一下)?(?:吧|啊|呀|嘛|了)*"
)
_WITH_WORD = re.compile(
    r"(?:带|有|含|写着|写的是|叫)[“\"'「『]?(.{1,12}?)[”\"'」』]?(?:字|字样|两个字|俩字|这个字)?的?(?:那个|那项|那种|那一个)?"
)
_LONGEST = re.compile(r"(?:名字|字数?)?最(长|短)的?(?:那个|那一个)?")
_VALUES = {c: n for n, c in enumerate("一二三四五六七八九")} | {"两": 1}
_PINYIN_VALUES = {"yi": 0, "er": 1, "liang": 1, "san": 2, "si": 3, "wu": 4, "liu": 5}
_COVERED = 0.6
_SHORT = 12
_SHORTEST = 7
"""Characters up to which a text may name a choice in other words; longer texts are questions of their own."""


def taken(text: str, titles: Sequence[str], *, in_other_words: bool = True) -> Taken:
    """The choice that ``text`` takes of ``titles``; numbers beyond them take nothing.

    Without ``in_other_words`` only numbers, positions and whole titles count: where titles are everyday words, such as
    "how much is it", a question about something else holds them too.
    """
    if not titles:
        return None
    folded = bare(text)
    if not folded:
        return None
    bare_titles = [bare(title) for title in titles]
    if folded in bare_titles:
        return bare_titles.index(folded)
    if _NO.fullmatch(folded):
        return "none"
    if _ALL.fullmatch(folded):
        return "all"
    by_place = _by_place(folded, normalise(text).casefold(), len(titles))
    if by_place is not None:
        return by_place if by_place < len(titles) else None
    if not in_other_words:
        return None
    by_words = _by_words(folded, bare_titles)
    return by_words if by_words is not None else _by_sense(text, titles)


def _by_place(folded: str, spaced: str, count: int) -> int | None:
    if match := _NUMBER.fullmatch(folded):
        number = match.group(1)
        return int(number) - 1 if number.isdigit() else _VALUES[number]
    if match := _LETTER.fullmatch(folded):
        return ord(match.group(1)) - ord("a")
    if match := _PINYIN.fullmatch(spaced.replace(" ", "")):
        return _PINYIN_VALUES[match.group(1)]
    if folded.removeprefix("the").removesuffix("one") in _ENGLISH:
        return _ENGLISH[folded.removeprefix("the").removesuffix("one")]
    if folded in _ENGLISH:
        return _ENGLISH[folded]
    if _FIRST.fullmatch(folded):
        return 0
    if _LAST.fullmatch(folded):
        return count - 1
    if count == 3 and _MIDDLE.fullmatch(folded):
        return 1
    return None


def _by_words(folded: str, titles: Sequence[str]) -> int | None:
    if match := _LONGEST.fullmatch(folded):
        key = max if match.group(1) == "长" else min
        return titles.index(key(titles, key=len))
    if match := _WITH_WORD.fullmatch(folded):
        holding = [i for i, title in enumerate(titles) if match.group(1) in title]
        if len(holding) == 1:
            return holding[0]
    core = re.sub(rf"^{_LEAD}", "", folded)
    core = re.sub(r"(?:的那个|那个|那种|的)?(?:吧|啊|呀|哈|嘛|咯|哦|呢|了)*$", "", core)
    if len(core) < 2:
        return None
    containing = [i for i, title in enumerate(titles) if core in title or (len(title) >= 2 and title in core)]
    if len(containing) == 1:
        return containing[0]
    return None if containing else _by_letters(core, titles)


@dataclass(frozen=True, slots=True)
class _Offered:
    """The titles as if a guide had asked for them."""

    options: tuple[str, ...]
    question: str = ""


def _by_sense(text: str, titles: Sequence[str]) -> int | None:
    """The title that means what the text says in other words ("丢了的" for 遗失)."""
    if len(bare(text)) > _SHORTEST:
        return None
    said = said_options(text, [_Offered(tuple(titles))], asked=True)
    return titles.index(said[0].option) if said else None


def _by_letters(core: str, titles: Sequence[str]) -> int | None:
    """The one title that holds most of the text's characters, and clearly more than the others."""
    shares = [len(set(core) & set(title)) / len(set(core)) for title in titles]
    order = sorted(range(len(titles)), key=lambda i: -shares[i])
    best = order[0]
    if shares[best] < _COVERED or (len(order) > 1 and shares[best] - shares[order[1]] < 0.25):
        return None
    return best if len(core) <= _SHORT else None
