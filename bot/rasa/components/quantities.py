"""Amounts and dates as people say them: 七十三岁, 一百二十平, 下周三, 三月十二号.

Pure and without a clock: a relative date keeps its meaning (`today+1`, `weekday+1:3`, `month+1-01`, `year-1`) and is
resolved by whoever knows what day it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_DIGITS = {**{sign: value for value, sign in enumerate("零一二三四五六七八九")}, "〇": 0, "两": 2, "俩": 2}
_SCALES = {"十": 10, "百": 100, "千": 1000}
_NUMBER = r"(?:\d+(?:\.\d+)?|[零〇一二两俩三四五六七八九十百千]+)"
_UNITS = "周岁|岁|个工作日|工作日|个月|年|天|日|平方米|平方|平米|平|万元|元|块|人|口人|公里|米|层|亩|份|次"
_AMOUNT = re.compile(rf"({_NUMBER})(万)?(?:多|来)? ?({_UNITS})(?!级)")
_RELATIVE = {
    "大前天": -3,
    "前天": -2,
    "昨天": -1,
    "昨晚": -1,
    "今天": 0,
    "今晚": 0,
    "明天": 1,
    "明早": 1,
    "后天": 2,
    "大后天": 3,
    "前儿": -2,
    "昨儿": -1,
    "今儿": 0,
    "明儿": 1,
    "后儿": 2,
}
_RELATIVE_DATE = re.compile("|".join(sorted(_RELATIVE, key=len, reverse=True)))
_WEEKDAY = re.compile(r"(上上|上|这|本|下下|下)?个?(?:周|星期|礼拜)([一二三四五六日天1-7])")
_MONTH_DAY = re.compile(rf"(?:(\d{{4}}|[一二][零〇一二三四五六七八九]{{3}})年)?({_NUMBER})月({_NUMBER})(?:日|号)")
_YEAR_MONTH = re.compile(rf"(\d{{4}}|[一二][零〇一二三四五六七八九]{{3}})年(?:({_NUMBER})月)?")
_MONTH = re.compile(rf"(上上|上|这|本|下下|下)(?:个月|月)(?:({_NUMBER})(?:日|号))?")
_YEARS = {"前年": -2, "去年": -1, "今年": 0, "明年": 1, "后年": 2}
_YEAR = re.compile(rf"({'|'.join(_YEARS)})(?:({_NUMBER})月(?:份)?(?:({_NUMBER})(?:日|号))?)?")
_WEEKS = {"上上": -2, "上": -1, None: 0, "这": 0, "本": 0, "下": 1, "下下": 2}


@dataclass(frozen=True)
class Quantity:
    """`kind`: number or date; `unit` only of numbers; places in the original text."""

    kind: str
    value: str
    start: int
    end: int
    unit: str | None = None


def number(said: str) -> float | None:
    """The number said, or None: 12, 12.5, 一百二十, 三千零五, 二〇一九."""
    if re.fullmatch(r"\d+(\.\d+)?", said):
        return float(said)
    if all(sign in _DIGITS for sign in said):
        return float("".join(str(_DIGITS[sign]) for sign in said))
    total, digit = 0, None
    for sign in said:
        if sign in _SCALES:
            total += (1 if digit is None else digit) * _SCALES[sign]
            digit = None
        elif sign in _DIGITS:
            digit = _DIGITS[sign]
        else:
            return None
    return float(total + (digit or 0))


def find_quantities(text: str) -> list[Quantity]:
    """Dates first, then amounts that are no part of a date."""
    found = _dates(text)
    for match in _AMOUNT.finditer(text):
        value = number(match[1])
        if value is None or any(match.start() < other.end and other.start < match.end() for other in found):
            continue
        value *= 10_000 if match[2] else 1
        found.append(Quantity("number", f"{value:g}" if value < 1e6 else str(int(value)), *match.span(), unit=match[3]))
    return sorted(found, key=lambda quantity: quantity.start)


def _dates(text: str) -> list[Quantity]:
    found: list[Quantity] = []

    def add(match: re.Match[str], value: str) -> None:
        if not any(match.start() < other.end and other.start < match.end() for other in found):
            found.append(Quantity("date", value, *match.span()))

    for match in _YEAR.finditer(text):
        rest = [number(said) for said in match.groups()[1:] if said]
        if all(rest) and (not rest or (rest[0] or 0) <= 12) and (len(rest) < 2 or (rest[1] or 0) <= 31):
            add(match, f"year{_YEARS[match[1]]:+d}" + "".join(f"-{part:02.0f}" for part in rest))
    for match in _MONTH.finditer(text):
        day_of_month = number(match[2]) if match[2] else None
        if day_of_month is None or 1 <= day_of_month <= 31:
            add(match, f"month{_WEEKS[match[1]]:+d}" + (f"-{day_of_month:02.0f}" if day_of_month else ""))
    for match in _MONTH_DAY.finditer(text):
        month, day = number(match[2]), number(match[3])
        if month and day and month <= 12 and day <= 31:
            year = f"{number(match[1]):.0f}" if match[1] else "-"
            add(match, f"{year}-{month:02.0f}-{day:02.0f}")
    for match in _YEAR_MONTH.finditer(text):
        year_said, month = number(match[1]), number(match[2]) if match[2] else None
        if year_said and 1900 <= year_said <= 2100:
            add(match, f"{year_said:.0f}" + (f"-{month:02.0f}" if month and month <= 12 else ""))
    for match in _RELATIVE_DATE.finditer(text):
        add(match, f"today{_RELATIVE[match.group()]:+d}")
    for match in _WEEKDAY.finditer(text):
        day_said = 7 if match[2] in "日天" else int(number(match[2]) or 0)
        add(match, f"weekday{_WEEKS[match[1]]:+d}:{day_said}")
    return found
