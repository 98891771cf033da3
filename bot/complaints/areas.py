"""The street, estate or village that a place lies in, so that complaints of one place are counted together. Pure."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 40
_NAMED = re.compile(
    r"[\u4e00-\u9fff]{1,10}?(?:小区|花园|家园|广场|公寓|大厦|学校|小学|中学|幼儿园|医院|卫生院|市场|超市|酒店|公园|景区|"
    r"工业园|大道|路|街|巷|桥(?![村镇乡路街])|村|镇|乡|街道|社区|车站|水库|工地)"
)
_INSIDE = re.compile(r"\d|第?[一二三四五六七八九十]+(?:栋|幢|号|单元|楼|层|室)|[（(]")
_BESIDE = re.compile(r"(?:的)?(?:正?门口|旁边?|附近|周边|对面|后面|前面|里面|[东南西北][门侧边]|边上?|口)$")


def area(location: str | None) -> str | None:
    """``人民路药材公司门口`` → ``人民路``, ``锦绣华庭2栋`` → ``锦绣华庭``; None where no place is named."""
    plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", location or ""))
    found = _NAMED.match(plain)
    if found:
        return found.group()[:LONGEST]
    outside = _INSIDE.split(plain, maxsplit=1)[0] or plain
    return _BESIDE.sub("", outside)[:LONGEST] or outside[:LONGEST] or None
