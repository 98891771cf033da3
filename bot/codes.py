"""Numbers that identify, as typed and as spoken: 幺三八 零零零零…, ＹＳ２６０３…, b3-9k-2m.

Pure, and of the standard library alone, for Rasa's components import it too. Text in, found codes out, with the place
in the original text and the value in one spelling.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

SPOKEN = {
    **dict.fromkeys("零〇洞", "0"),
    **dict.fromkeys("一幺壹", "1"),
    **dict.fromkeys("二两贰", "2"),
    **dict.fromkeys("三叁", "3"),
    **dict.fromkeys("四肆", "4"),
    **dict.fromkeys("五伍", "5"),
    **dict.fromkeys("六陆", "6"),
    **dict.fromkeys("七拐柒", "7"),
    **dict.fromkeys("八捌", "8"),
    **dict.fromkeys("九勾玖", "9"),
}
"""Digits as read aloud, capital forms and the radio words 洞 幺 拐 勾 included."""

_GAP = r"[ \-_.·—－杠]"
_RUN = re.compile(rf"(?<![A-Z0-9])(?:[A-Z]{{1,4}}{_GAP}{{0,2}})?\d(?:{_GAP}{{0,2}}[0-9A-Z](?![A-Z]{{3}}))*")
_NOT_A_CODE_AFTER = re.compile(r"^ *(年|月|日|号(?!码)|岁|元|块|万|平|米|个|天|点|层|楼|栋|路)")
_CODE_CUE = re.compile(r"查询码|验证码|密码|口令|取件码|查件码|校验码|code|码(是|为|:|：)?", re.IGNORECASE)
_LAST_CUE = re.compile(r"后四|尾号|末四|最后四|后4|末4|尾数|后几位|身份证")
_NUMBER_CUE = re.compile(r"编号|办件|受理|回执|单号|流水|件号|件|工单|投诉号|业务号|号是|号码")
_IDENTITY_CUE = re.compile(r"身份证")


@dataclass(frozen=True)
class Code:
    """`kind`: case_number, query_code, phone, id_last4 or id_number; `start` and `end` in the original text."""

    kind: str
    value: str
    start: int
    end: int


def find_codes(text: str) -> list[Code]:
    """Every code of the text, from left to right."""
    line = _one_for_one(text)
    found: list[Code] = []
    for match in _RUN.finditer(line):
        run = match.group().rstrip(" -_.·—－杠")
        start, end = match.start(), match.start() + len(run)
        value = re.sub(rf"{_GAP}", "", run)
        alone = not re.search(r"[^\s,，.。是:：]", line[:start] + line[end:])
        kind = _kind(value, line[:start], line[end:], alone, bool(found))
        if kind:
            found.append(Code(kind, value[-11:] if kind == "phone" and len(value) == 13 else value, start, end))
    return found


def _kind(value: str, before: str, after: str, alone: bool, follows: bool) -> str | None:
    if not value.isdigit() and not re.search(r"\d", value):
        return None
    near = before[-8:]
    if re.fullmatch(r"(86)?1[3-9]\d{9}", value) or re.fullmatch(r"0\d{2,3}\d{7,8}", value):
        return "phone"
    if re.fullmatch(r"[A-Z]{1,4}\d[0-9A-Z]{6,}", value):
        return "case_number"
    if re.fullmatch(r"\d{17}[0-9X]", value) and (_IDENTITY_CUE.search(near) or is_identity_number(value)):
        return "id_number" if not _NUMBER_CUE.search(near.replace("身份证号码", "")) else "case_number"
    if re.fullmatch(r"\d{12,22}", value):
        return "case_number"
    if _NOT_A_CODE_AFTER.search(after):
        return None
    if re.fullmatch(r"\d{3}[0-9X]", value):
        return "id_last4" if alone or follows or _LAST_CUE.search(before) or _LAST_CUE.search(after[:10]) else None
    if re.fullmatch(r"[0-9A-Z]{6}", value) and (alone or follows or _CODE_CUE.search(before)):
        return "query_code"
    if re.fullmatch(r"[0-9A-Z]{4,8}", value) and _CODE_CUE.search(near):
        return "query_code"
    if re.fullmatch(r"\d{10,11}", value):
        return "case_number"
    if re.fullmatch(r"\d{8,9}", value) and (alone or _NUMBER_CUE.search(before)):
        return "case_number"
    return None


def is_identity_number(value: str) -> bool:
    """Whether the 18 signs carry a right check digit (GB 11643, modulo 11-2) and a month and day that exist."""
    if not re.fullmatch(r"\d{6}(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\d{3}[0-9X]", value):
        return False
    weights = [2 ** (17 - place) % 11 for place in range(17)]
    rest = sum(int(digit) * weight for digit, weight in zip(value[:17], weights, strict=True)) % 11
    return "10X98765432"[rest] == value[17]


def _one_for_one(text: str) -> str:
    """The text in half width and capitals with spoken digits written, sign by sign, so that places stay the same."""
    signs = []
    for sign in text:
        plain = unicodedata.normalize("NFKC", sign).upper()
        signs.append(plain if len(plain) == 1 else sign)
    line = "".join(signs)
    line = re.sub(r"(?<=[\d零〇洞一幺壹二两贰三叁四肆五伍六陆七拐柒八捌九勾玖])( ?)叉", r"\1X", line)
    spoken = "".join(SPOKEN)
    # a lone 一 or 两 is a word; four and more signs in a row are read digit by digit
    return re.sub(
        rf"[\d{spoken}](?:[ \-]?[\dX{spoken}]){{3,}}",
        lambda match: "".join(SPOKEN.get(sign, sign) for sign in match.group()),
        line,
    )
