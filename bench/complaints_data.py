"""A city's complaints of two years, made up and written with COPY: plausible in when they come, to whom, how they end.

Numbers, seals and deadlines are real, so that a complaint is looked up, judged and watched like any other; the texts
and the vectors are drawn from a few. Parts of :data:`PART` complaints are drawn together and written by a process for
each core; a part has a seed of its own, so that the same city comes of any number of processes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from multiprocessing import get_context
from typing import Any

import numpy as np
import orjson
import psycopg
from numpy.typing import NDArray
from psycopg import sql
from sqlalchemy.engine import make_url

from bot.clock import ZONE
from bot.complaints import numbers
from bot.complaints.areas import area
from bot.complaints.categories import CATEGORIES, parse_categories
from bot.complaints.clocks import Due, Limits, due, load_limits
from bot.complaints.filing import Filing
from bot.complaints.model import Kind
from bot.complaints.writing import ComplaintWriter
from bot.store.sealed import Sealer
from bot.workdays import WorkCalendar

YEARS = 2
PART = 10_000
KINDS = {Kind.COMPLAINT: 38, Kind.HELP: 34, Kind.ENQUIRY: 18, Kind.SUGGESTION: 5, Kind.REPORT: 3, Kind.PRAISE: 2}
CHANNELS = {"wechat": 45, "web": 20, "api": 25, "phone": 10}
UNITS = tuple(f"第{number}局" for number in range(1, 41))
ROADS = tuple(
    f"{first}{second}路" for first in "人民解放建设中山和平长江黄河文化" for second in "东南西北中一二三四五六七八九十"
)
"""240 roads, twenty house numbers each."""
URGENT = 0.01
LATE = 0.06
RETURNED = 0.03
EXTENDED = 0.04
UNDECIDED = 0.15
"""Of those that no unit has signed for: an operator has not sent them out yet."""
JUDGED = 0.35
LEVELS = {5: 55, 4: 25, 3: 9, 2: 6, 1: 5}
OUTCOMES = {"satisfied": 80, "dissatisfied": 8, "unreachable": 12}
VECTORS = 64
TEXTS = (
    "{place}施工到半夜，噪声大得睡不着，希望尽快处理",
    "{place}的路灯坏了一个星期，晚上很黑，老人不敢出门",
    "{place}自来水发黄有异味，给供水公司打电话没人管",
    "{place}的井盖破了，电动车经过很危险",
    "{place}占道经营严重，消防通道都堵了",
    "{place}垃圾堆了三天没人清运，味道很大",
    "请问{place}的居住证在哪里办，要带什么材料",
    "{place}物业乱收费，不交就停电",
    "{place}的公交车早高峰要等四十分钟，建议加车",
    "{place}有人拖欠工资三个月，找不到老板",
)
STEPS = (
    ("file", None, "filed", "citizen"),
    ("dispatch", "filed", "dispatched", "system"),
    ("return", "dispatched", "returned", "clerk"),
    ("dispatch", "returned", "dispatched", "operator"),
    ("sign", "dispatched", "signed", "clerk"),
    ("answer", "signed", "answered", "clerk"),
    ("review", "answered", "reviewed", "operator"),
    ("close", "reviewed", "closed", "system"),
)
"""What happens to a complaint in order: act, state before and after, who does it. Few are returned."""
FILE, DISPATCH, RETURN, AGAIN, SIGN, ANSWER, REVIEW, CLOSE = range(len(STEPS))
TABLES = ("complaints", "complaint_events", "judgements", "callbacks")
_DAY = 86_400
_NULL = "\\N"

Seconds = NDArray[np.int64]
"""Moments in seconds since 1970."""


def code_of(index: int) -> str:
    """The query code of the complaint made as number ``index``."""
    signs = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
    rest, code = (index * 7919) % 10**7, "2"
    for _ in range(5):
        rest, sign = divmod(rest, len(signs))
        code += signs[sign]
    return code


def number_of(index: int, count: int, today: date) -> str:
    """The number of the complaint made as number ``index`` of ``count``."""
    day = day_of(index, count)
    serial = index + -day * count // (YEARS * 365)  # from the first one of that day
    digits = f"{_filed_on(day, today):%y%m%d}{serial:06d}"
    return numbers.PREFIX + digits + numbers.check_digit(digits)


def day_of(index: int, count: int) -> int:
    """On which of the days it is filed, counted from the first one."""
    return index * YEARS * 365 // count


def _filed_on(day: int, today: date) -> date:
    return today - timedelta(days=YEARS * 365 - 1 - day)


@dataclass(frozen=True)
class City:
    """What a city's complaints are made from. The key seals them; whoever reads them needs the same one."""

    count: int
    now: datetime
    calendar: WorkCalendar
    key: bytes = bytes(32)
    limits: Limits = field(default_factory=load_limits)
    seed: int = 1

    @cached_property
    def writer(self) -> ComplaintWriter:
        """Seals what is made, and opens it."""
        return ComplaintWriter(Sealer(self.key), self.calendar, lambda: self.limits, "bench")

    def __getstate__(self) -> dict[str, Any]:
        # each process makes a writer of its own: ciphers do not travel
        return {name: value for name, value in self.__dict__.items() if name != "writer"}

    @cached_property
    def parts(self) -> Sequence[range]:
        """Indexes of the complaints that are drawn together."""
        return [range(begin, min(begin + PART, self.count)) for begin in range(0, self.count, PART)]


class Maker:
    """Makes parts of a city as columns of COPY's text format, ready to be written."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._today = city.now.date()
        self._now = int(city.now.timestamp())
        self.categories = [category.name for category in parse_categories(CATEGORIES.shipped())]
        weights = 1 / np.arange(1, len(UNITS) + 1) ** 0.8
        self._weights = weights / weights.sum()
        drawn = np.random.default_rng(city.seed)
        self._vectors = ["\\\\x" + drawn.bytes(768).hex() for _ in range(VECTORS)]
        self._candidates = [
            _json([{"department": unit, "score": 0.9, "power": "P1", "basis": "权责清单"}]) for unit in UNITS
        ]
        self._areas = {road: str(area(f"{road}1号")) for road in ROADS}
        self._ends: dict[tuple[int, int], Due] = {}

    def made(self, part: range) -> Mapping[str, Mapping[str, Sequence[str]]]:
        """The columns of the complaints of ``part`` and of what goes with them, by table and name."""
        draw = np.random.default_rng([self._city.seed, part.start])
        size = len(part)
        drawn = _Drawn(
            days=np.array([day_of(index, self._city.count) for index in part]),
            kinds=_drawn(draw, KINDS, size),
            units=draw.choice(len(UNITS), size, p=self._weights),
            urgent=draw.random(size) < URGENT,
        )
        first = int(datetime.combine(_filed_on(0, self._today), datetime.min.time(), ZONE).timestamp())
        filed = first + drawn.days * _DAY + draw.integers(7 * 3600, 22 * 3600, size)
        filed = np.minimum(filed, self._now - 60)
        ends, counted, provisional = self._deadlines(drawn, filed)
        times = self._lived(draw, filed, ends)
        there = times <= self._now
        undecided = (there[:, RETURN:].sum(axis=1) == 0) & (draw.random(size) < UNDECIDED)
        there[:, DISPATCH] &= ~undecided
        ids = [str(index + 1) for index in part]
        names = [number_of(index, self._city.count, self._today) for index in part]
        units = [UNITS[unit] if sent else _NULL for unit, sent in zip(drawn.units, there[:, DISPATCH], strict=True)]
        complaints = {
            "id": ids,
            "number": names,
            **self._told(draw, part, names),
            **self._decided(draw, drawn, units),
            **self._standing(draw, there),
            "filed_at": _moments(filed),
            **{column: _moments(ends[:, clock]) for clock, column in enumerate(_DUE_COLUMNS)},
            "provisional": _flags(provisional),
            "counted": counted,
            "replied_at": _moments(times[:, ANSWER], there[:, ANSWER]),
            "answered_at": _moments(times[:, ANSWER], there[:, ANSWER]),
            "closed_at": _moments(times[:, CLOSE], there[:, CLOSE]),
        }
        return {
            "complaints": complaints,
            "complaint_events": _events(ids, units, times, there),
            "judgements": self._judged(draw, names, units, times, there),
            "callbacks": _called(draw, ids, units, times, there),
        }

    def _told(self, draw: np.random.Generator, part: range, names: Sequence[str]) -> dict[str, Sequence[str]]:
        """What the citizen said, in clear as far as it is kept so, and sealed."""
        roads, houses = draw.integers(len(ROADS), size=len(part)), draw.integers(1, 21, len(part))
        places = [f"{ROADS[road]}{house}号" for road, house in zip(roads, houses, strict=True)]
        texts = [TEXTS[text].format(place=place) for text, place in zip(_some(draw, TEXTS, part), places, strict=True)]
        writer, codes, sealed = self._city.writer, [], []
        for index, number, text in zip(part, names, texts, strict=True):
            code = code_of(index)
            codes.append(writer.sealer.index("complaint-code", number, code))
            sealed.append("\\\\x" + writer.seal(number, Filing(text, contact=f"139{index:08}"), code).hex())
        return {
            "code_index": codes,
            "sealed": sealed,
            "text": texts,
            "location": places,
            "area": [self._areas[ROADS[road]] for road in roads],
            "anonymous": _flags(draw.random(len(part)) < 0.05),
            "attachments": ["[]"] * len(part),
            "channel": [list(CHANNELS)[place] for place in _drawn(draw, CHANNELS, len(part))],
        }

    def _decided(self, draw: np.random.Generator, drawn: _Drawn, units: Sequence[str]) -> dict[str, Sequence[str]]:
        kinds, size = list(KINDS), len(units)
        return {
            "kind": [kinds[kind].value for kind in drawn.kinds],
            "category": [self.categories[place] for place in _some(draw, self.categories, units)],
            "urgent": _flags(drawn.urgent),
            "department": units,
            "co_departments": ["[]"] * size,
            "confidence": [f"{share:.3f}" for share in draw.uniform(0.5, 1, size)],
            "candidates": [self._candidates[unit] for unit in drawn.units],
            "encoder": ["bench"] * size,
            "vector": [self._vectors[place] for place in _some(draw, self._vectors, units)],
        }

    def _standing(self, draw: np.random.Generator, there: NDArray[np.bool_]) -> dict[str, Sequence[str]]:
        """State and versions that follow from what has happened."""
        last = there.shape[1] - 1 - there[:, ::-1].argmax(axis=1)
        returned = there[:, RETURN]
        again = [str(1 + sent) for sent in returned]
        return {
            "state": [STEPS[step][2] for step in last],
            "version": [str(count) for count in there.sum(axis=1)],
            "handler": ["clerk" if signed else _NULL for signed in there[:, SIGN]],
            "answer": ["已派人到现场处理，问题已解决。" if done else _NULL for done in there[:, ANSWER]],
            "returns": [str(int(sent)) for sent in returned],
            "sign_version": again,
            "reply_version": again,
            "close_version": again,
            "extension_asked": _flags((draw.random(len(there)) < EXTENDED) & there[:, SIGN] & ~there[:, ANSWER]),
            "extensions": [str(int(e)) for e in (draw.random(len(there)) < EXTENDED) & there[:, ANSWER]],
            "joined": ["0"] * len(there),
        }

    def _deadlines(self, drawn: _Drawn, filed: Seconds) -> tuple[Seconds, list[str], NDArray[np.bool_]]:
        """Ends of the four clocks, what they were counted from, and whether the calendar is provisional."""
        found = [
            self._due(kind, moment) if urgent else self._due_of_day(kind, day)
            for kind, day, urgent, moment in zip(drawn.kinds, drawn.days, drawn.urgent, filed, strict=True)
        ]
        ends = np.array([[e.sign, e.reply, e.close, e.return_until] for e in found], dtype="O")
        stamped = np.vectorize(lambda moment: int(moment.timestamp()), otypes=[np.int64])(ends)
        counted = [_json(each.counted.to_dict()) if each.counted else _NULL for each in found]
        return stamped, counted, np.array([each.provisional for each in found])

    def _due(self, kind: int, filed: int) -> Due:
        moment = datetime.fromtimestamp(int(filed), ZONE)
        return due(moment, list(KINDS)[kind], "", True, self._city.limits, self._city.calendar)

    def _due_of_day(self, kind: int, day: int) -> Due:
        key = (int(kind), int(day))
        if key not in self._ends:
            moment = datetime.combine(_filed_on(key[1], self._today), datetime.min.time(), ZONE)
            self._ends[key] = due(moment, list(KINDS)[kind], "", False, self._city.limits, self._city.calendar)
        return self._ends[key]

    def _lived(self, draw: np.random.Generator, filed: Seconds, ends: Seconds) -> Seconds:
        """When each step happens; in the far future where it does not."""
        size = len(filed)
        took = (ends[:, 2] - filed) * np.where(
            draw.random(size) < LATE, draw.uniform(1.01, 1.5, size), draw.beta(2, 2.2, size)
        )
        answered = filed + np.maximum(took.astype(np.int64), 60)
        signed = filed + np.maximum(((ends[:, 0] - filed) * draw.beta(1.2, 3, size)).astype(np.int64), 30)
        signed = np.minimum(signed, answered)
        returned = draw.random(size) < RETURNED
        never = np.iinfo(np.int64).max
        times = np.tile(filed[:, None], len(STEPS))
        times[:, RETURN] = np.where(returned, filed + (signed - filed) // 3, never)
        times[:, AGAIN] = np.where(returned, filed + (signed - filed) // 2, never)
        times[:, SIGN], times[:, ANSWER] = signed, answered
        times[:, REVIEW], times[:, CLOSE] = answered + _DAY, answered + 2 * _DAY
        return times

    def _judged(
        self,
        draw: np.random.Generator,
        names: Sequence[str],
        units: Sequence[str],
        times: Seconds,
        there: NDArray[np.bool_],
    ) -> dict[str, Sequence[str]]:
        size = len(names)
        at = times[:, ANSWER] + (draw.uniform(0.1, 48, size) * 3600).astype(np.int64)
        wanted = there[:, ANSWER] & (draw.random(size) < JUDGED) & (at <= self._now)
        chosen = np.flatnonzero(wanted)
        levels = list(LEVELS)
        return {
            "subject": [f"complaint:{names[place]}" for place in chosen],
            "occasion": ["answer:4"] * len(chosen),
            "title": ["诉求"] * len(chosen),
            "unit": [units[place] for place in chosen],
            "person": ["clerk"] * len(chosen),
            "asked_at": _moments(times[chosen, ANSWER]),
            "level": [str(levels[place]) for place in _drawn(draw, LEVELS, len(chosen))],
            "answered_at": _moments(at[chosen]),
            "channel": ["link"] * len(chosen),
        }


@dataclass(frozen=True)
class _Drawn:
    days: NDArray[np.int64]
    kinds: NDArray[np.int64]
    units: NDArray[np.int64]
    urgent: NDArray[np.bool_]


_DUE_COLUMNS = ("sign_due_at", "reply_due_at", "due_at", "return_until")


def _events(
    ids: Sequence[str], units: Sequence[str], times: Seconds, there: NDArray[np.bool_]
) -> dict[str, Sequence[str]]:
    rows, steps = np.nonzero(there)
    places = there.cumsum(axis=1)[rows, steps]
    before = [step[1] or _NULL for step in STEPS]
    return {
        "complaint_id": [ids[row] for row in rows],
        "number": [str(place) for place in places],
        "at": _moments(times[rows, steps]),
        "act": [STEPS[step][0] for step in steps],
        "before": [before[step] for step in steps],
        "state": [STEPS[step][2] for step in steps],
        "actor": [STEPS[step][3] for step in steps],
        "details": [
            _json({"department": units[row]}) if step == RETURN else "{}" for row, step in zip(rows, steps, strict=True)
        ],
    }


def _called(
    draw: np.random.Generator, ids: Sequence[str], units: Sequence[str], times: Seconds, there: NDArray[np.bool_]
) -> dict[str, Sequence[str]]:
    """A call after every answer, done when it was reviewed."""
    chosen = np.flatnonzero(there[:, ANSWER])
    done, outcomes = there[chosen, REVIEW], list(OUTCOMES)
    drawn = _drawn(draw, OUTCOMES, len(chosen))
    return {
        "complaint_id": [ids[place] for place in chosen],
        "reason": ["answer"] * len(chosen),
        "occasion": ["1"] * len(chosen),
        "unit": [units[place] for place in chosen],
        "state": ["done" if each else "open" for each in done],
        "version": ["1"] * len(chosen),
        "made_at": _moments(times[chosen, ANSWER]),
        "days": ["1"] * len(chosen),
        "due_at": _moments(times[chosen, REVIEW]),
        "provisional": ["f"] * len(chosen),
        "attempts": [str(int(each)) for each in done],
        "outcome": [outcomes[place] if each else _NULL for place, each in zip(drawn, done, strict=True)],
        "done_at": _moments(times[chosen, REVIEW], done),
        "done_by": ["operator" if each else _NULL for each in done],
    }


def _drawn(draw: np.random.Generator, weights: Mapping[Any, int], size: int) -> NDArray[np.int64]:
    """Places of keys, as often as their weights say."""
    shares = np.array(list(weights.values()), float)
    return draw.choice(len(weights), size, p=shares / shares.sum())


def _some(draw: np.random.Generator, choices: Sequence[str], like: Sequence[Any]) -> NDArray[np.int64]:
    return draw.integers(len(choices), size=len(like))


def _moments(seconds: Seconds, there: NDArray[np.bool_] | None = None) -> list[str]:
    kept = seconds if there is None else np.where(there, seconds, 0)
    shown: list[str] = np.datetime_as_string(kept.astype("datetime64[s]"), timezone="UTC").tolist()
    if there is None:
        return shown
    return [moment if each else _NULL for moment, each in zip(shown, there, strict=True)]


def _flags(values: NDArray[np.bool_]) -> list[str]:
    return ["t" if value else "f" for value in values]


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def fill(url: str, city: City) -> None:
    """Writes the city into an empty PostgreSQL database and analyses it."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection, _bare(connection):
        cores = os.cpu_count() or 1
        # not forked: whoever measures may have threads
        with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
            shares = [(plain, city, city.parts[place::cores]) for place in range(cores)]
            list(pool.map(_write, shares))  # raises what a process raised
    with psycopg.connect(plain, autocommit=True) as connection:
        for table in TABLES:
            if table != "complaint_events":
                connection.execute(
                    sql.SQL("SELECT setval(pg_get_serial_sequence({0}, 'id'), max(id)) FROM {1}").format(
                        sql.Literal(table), sql.Identifier(table)
                    )
                )
        connection.execute("VACUUM ANALYZE")


def _write(share: tuple[str, City, Sequence[range]]) -> None:
    url, city, parts = share
    maker = Maker(city)
    with psycopg.connect(url) as connection:
        connection.execute("SET synchronous_commit = off")
        for part in parts:
            for table, columns in maker.made(part).items():
                names = sql.SQL(", ").join(map(sql.Identifier, columns))
                statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
                with connection.cursor().copy(statement) as copy:
                    copy.write("".join(map("{}\n".format, map("\t".join, zip(*columns.values(), strict=True)))))
            connection.commit()


@contextmanager
def _bare(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """The tables without foreign keys and without the indexes that no constraint rests on; made again at the end."""
    constraints = connection.execute(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE contype = 'f' AND conrelid = ANY(%s::regclass[])",
        [list(TABLES)],
    ).fetchall()
    indexes = connection.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename = ANY(%s) "
        "AND indexname LIKE 'ix\\_%%'",
        [list(TABLES)],
    ).fetchall()
    for table, name, _ in constraints:
        connection.execute(
            sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(sql.Identifier(table), sql.Identifier(name))
        )
    for name, _ in indexes:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    yield
    connection.execute("SET maintenance_work_mem = '512MB'")
    for _, definition in indexes:
        connection.execute(definition)
    for table, name, definition in constraints:
        connection.execute(
            sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(
                sql.Identifier(table), sql.Identifier(name), sql.SQL(definition)
            )
        )
