"""What of a place may be shown to strangers: down to the street or the estate, not to the door. Pure."""

from __future__ import annotations

import re

from bot.masking import masked

_N = r"[0-9A-Za-z零一二三四五六七八九十百东西南北前后甲乙丙丁]"
_DOOR = re.compile(
    rf"(?:{_N}{{1,5}}[-#—]?){{1,4}}(?:号楼|单元|栋|幢|楼|层|室|房|户|门|号院|号|组)(?:{_N}{{1,5}}(?:[-#—]{_N}{{1,5}})*"
    rf"(?:号楼|单元|栋|幢|楼|层|室|房|户|门|号|组)?)*"
)


def coarse(place: str | None) -> str | None:
    """``place`` without block, unit, floor and room; None where nothing is left to tell."""
    if not place:
        return None
    kept = _DOOR.sub("", masked(place)).strip(" ,，。、")
    return kept or None
