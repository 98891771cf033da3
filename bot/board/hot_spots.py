"""Hot spots: what many complaints of the last weeks are about, and whether it grows. Made hourly by the worker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bot.board.clusters import centred, clusters
from bot.board.keeping import locked
from bot.board.tables import BoardMarkRow, HotSpotRow
from bot.clock import ZONE
from bot.complaints.tables import ComplaintRow
from bot.masking import masked
from bot.store import Store

MARK = "hot_spots"
EVERY = timedelta(hours=1)
WINDOW = timedelta(days=14)
RECENT = timedelta(days=7)
MOST_COMPARED = 10_000
"""The latest complaints of the window; a city of a million a year has some 38,000 in it, and these tell enough."""
KEPT = 30
MOST_MEMBERS = 1_000
_NOT_COUNTED = ("merged", "withdrawn")
_TEXTS, _PLACES = 3, 5
_TITLE = 60


class HotSpotKeeper:
    """Makes the hot spots anew. Two workers may run: the mark is locked and looked at."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def refresh(self, now: datetime) -> int:
        """Makes them anew where the last time is an hour ago; how many there are."""
        with self._store.read() as session:
            mark = session.get(BoardMarkRow, MARK)
            if mark is not None and mark.at is not None and now - mark.at < EVERY * 0.9:
                return 0
            rows = _rows(session, now)
        # computed outside of any transaction: it may take seconds
        found = clusters(_vectors(rows)) if rows else []
        spots = [_spot([rows[place] for place in cluster.rows], now) for cluster in found]
        spots.sort(key=lambda spot: (-_heat(spot), -spot.size, spot.title))
        with self._store.write() as work:
            locked(work.session, MARK).at = now
            work.session.execute(delete(HotSpotRow))
            for rank, spot in enumerate(spots[:KEPT], start=1):
                spot.rank = rank
                work.session.add(spot)
        return len(spots[:KEPT])


def spots(session: Session) -> tuple[Sequence[HotSpotRow], datetime | None]:
    """The hot spots, the hottest first, and as of when they are."""
    mark = session.get(BoardMarkRow, MARK)
    return session.scalars(select(HotSpotRow).order_by(HotSpotRow.rank)).all(), mark.at if mark else None


def _rows(session: Session, now: datetime) -> list[Any]:
    """The complaints of the window whose vectors are of one encoder, the oldest first."""
    row = ComplaintRow
    encoder = session.scalar(select(row.encoder).order_by(row.filed_at.desc(), row.id.desc()).limit(1))
    query = (
        select(row.id, row.text, row.area, row.department, row.filed_at, row.vector)
        .where(row.filed_at >= now - WINDOW, row.filed_at <= now, row.encoder == encoder)
        .where(row.state.not_in(_NOT_COUNTED))
        .order_by(row.filed_at.desc(), row.id.desc())
        .limit(MOST_COMPARED)
    )
    return list(reversed(session.execute(query).all()))


def _vectors(rows: Sequence[Any]) -> NDArray[np.float32]:
    vectors = np.stack([np.frombuffer(row.vector, np.float16) for row in rows]).astype(np.float32)
    return centred(vectors, len({row.text for row in rows}))


def _spot(rows: Sequence[Any], now: datetime) -> HotSpotRow:
    """One cluster as it is kept; ``rows`` come with the nearest to the middle first."""
    moments = [row.filed_at for row in rows]
    recent = sum(moment > now - RECENT for moment in moments)
    return HotSpotRow(
        title=masked(rows[0].text)[:_TITLE],
        size=len(rows),
        recent=recent,
        before=len(rows) - recent,
        first_at=min(moments),
        last_at=max(moments),
        days=_counted((moment.astimezone(ZONE).date().isoformat() for moment in moments), by_name=True),
        areas=_counted(row.area for row in rows)[:_PLACES],
        departments=_counted(row.department for row in rows)[:_PLACES],
        texts=list(dict.fromkeys(masked(row.text) for row in rows))[:_TEXTS],
        members=[row.id for row in rows[:MOST_MEMBERS]],
    )


def _heat(spot: HotSpotRow) -> float:
    """How much more there is than a week before, in terms of what chance alone would bring."""
    return (spot.recent - spot.before) / float(np.sqrt(spot.before + 1))


def _counted(values: Iterable[str | None], *, by_name: bool = False) -> list[list[Any]]:
    counts = Counter(value for value in values if value)
    pairs = sorted(counts.items()) if by_name else sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [list(pair) for pair in pairs]
