"""Which window lies nearest to the place a citizen names. Pure: it compares words, it knows no map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from bot.text import normalise

_LONGEST = 12
_GENERIC = (
    "政务服务中心综合窗口办事大厅服务大厅便民服务中心派出所户籍室公安局民政局管理局管理所婚姻登记处不动产登记中心"
    "窗口大厅中心地址电话登记市民之家人民政府社区街道乡镇城关镇县城市区二楼一楼三楼号窗医院学校银行公司税务社保医保"
    "车管所交警大队公共就业行政审批残疾人联合会市场监管局企业工业园区"
)


class Window(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def address(self) -> str | None: ...


W = TypeVar("W", bound=Window)


@dataclass(frozen=True, slots=True)
class Nearest(Generic[W]):
    """Windows with the best match first; ``place`` is the citizen's word that decided, or None.

    ``here`` of them, counted from the front, lie at that place.
    """

    windows: tuple[W, ...]
    place: str | None
    here: int


def _words(text: str) -> set[str]:
    return {text[i : i + size] for size in range(2, _LONGEST) for i in range(len(text) - size + 1)}


def nearest(windows: Sequence[W], text: str, *, topic: str = "") -> Nearest[W]:
    """Orders windows by the longest word of ``text`` that names some of them but not all.

    Words of the matter's own name (``topic``) and words any office is called by name no place.
    """
    places = [normalise(f"{window.name} {window.address or ''}") for window in windows]
    topic = normalise(topic)
    candidates = {w for w in _words(normalise(text)) if w not in _GENERIC and w not in topic and " " not in w}
    telling = {w for w in candidates if 0 < sum(w in place for place in places) < max(len(places), 2)}
    if not telling:
        return Nearest(tuple(windows), None, 0)
    scores = [max((len(w) for w in telling if w in place), default=0) for place in places]
    order = sorted(range(len(windows)), key=lambda i: -scores[i])
    best = max(scores)
    place = max((w for w in telling if len(w) == best), key=lambda w: sum(w in p for p in places))
    return Nearest(tuple(windows[i] for i in order), place, scores.count(best))
