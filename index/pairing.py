"""Whether two complaints tell of the same incident: meaning, shared rare words, places and house numbers together.

Another flat of the same block, or the same shop for another reason, is another incident: numbers that contradict each
other and words that set a text apart from another (“不是砸墙的那户”) count against. Trained by
:mod:`index.training.pairing`; symmetric but for who was first.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.encoder import Vectors
from index.errors import EncoderUnavailable
from index.grouping import tied

SHIPPED = Path(__file__).parent / "models" / "pairing.npz"
FEATURES = (
    "cosine", "shared", "shared_of_shorter", "shared_of_longer", "longest_run", "rare_run", "same_numbers",
    "other_numbers", "set_apart", "shared_place", "other_place", "length_ratio", "shared_names", "shared_happening",
    "shared_whereabouts", "both_whereabouts", "same_side", "other_side", "set_apart_from_it", "other_time",
    "cosine_evened",
)  # fmt: skip
"""What is looked at in a pair, in this order."""
LONGEST = 400
LEAST_NAMED = 2
"""Runs of two characters, beside the place, that a clause must share with what it is set apart from."""
LONGEST_READ = 120
"""Characters that a second look reads."""

_HAN = "零〇一二两三四五六七八九十百"
_UNITS = "号楼|单元|[栋幢座号楼层室路组队中小期区弄]"
_NUMERAL = re.compile(rf"[{_HAN}]+(?={_UNITS}|[点月日])")
_NUMBERED = re.compile(rf"(\d+|[a-z](?=[座栋区]))({_UNITS})?")
_SAME_UNIT = {"幢": "栋", "号楼": "栋", "座": "栋", "层": "楼"}
_ROOM = re.compile(r"(?<=[栋幢座楼元])-?(\d{3,4})(?![\d元块])")
_TIME = re.compile(r"(\d+)(点|月|日)|(去年|前年|上个?月|上周|昨天|昨晚|前天|今天|今早|今晚|刚才|刚刚|现在)")
_APART = re.compile(
    r"不是|没(有)?关系|另(一|外)|别的|也有|不一样|不同|(跟|和|与|同).{0,14}(无关|没关)|两(码|回)事|不搭界"
)
_CLAUSE = re.compile(r"[^，。！？；,.!?;]+")
_SIDE = re.compile(r"[东南西北](?=门|口|头|边|侧|面|区|院|段|苑)|[前后](?=门|院|街|面)|[左右](?=边|侧|手)")
_PLACE = re.compile(
    r"[\u4e00-\u9fff]{2,6}?(?:小区|花园|家园|广场|公寓|大厦|学校|小学|中学|幼儿园|医院|卫生院|市场|菜场|超市|酒店|公园|景区|"
    r"路口|大道|路|街|巷|弄|苑|桥|村|镇|乡|县|站|厂|园|湾|岭|山|湖|水库|江|河|工地)"
)
_DIGIT = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}


@dataclass(frozen=True, slots=True)
class Report:
    """A complaint as pairs are compared: its text, the place it names, its query vector."""

    text: str
    place: str
    vector: Vectors
    grams: frozenset[str]
    numbers: frozenset[tuple[str, str]]
    places: frozenset[str]
    whereabouts: frozenset[str]
    """Runs of two characters of the places named, and of the location."""
    sides: frozenset[str]
    times: frozenset[str]
    apart: frozenset[str]
    """Runs of two characters of the clauses that tell what it is not about."""
    reading: str
    """Place and text as a second look reads them."""


def report(text: str, place: str | None, vector: Vectors) -> Report:
    """The report of ``text``; ``place`` where the citizen named it."""
    digits, located = _in_digits(text), _in_digits(place or "")
    words = _words(digits)
    both = f"{located}，{digits}"
    named = [found.group() for found in _PLACE.finditer(both)]
    numbers = {(_SAME_UNIT.get(unit, unit), number) for number, unit in _NUMBERED.findall(both)}
    numbers |= {("室", number) for number in _ROOM.findall(both)}
    times = {number + unit or word for number, unit, word in _TIME.findall(digits)}
    return Report(
        text=words,
        place=place or "",
        vector=vector,
        grams=_grams(words),
        numbers=frozenset(numbers),
        places=frozenset(name[-4:] for name in named),
        whereabouts=frozenset().union(_grams(_words(located)), *(_grams(name) for name in named)),
        sides=frozenset(_SIDE.findall(both)),
        times=frozenset(times),
        apart=frozenset().union(
            *(_grams(_words(clause)) for clause in _CLAUSE.findall(digits) if _APART.search(clause))
        ),
        reading=(f"{place}，{text}" if place and place not in text else text)[:LONGEST_READ],
    )


def _in_digits(text: str) -> str:
    """``text`` on one line in plain signs, the numbers of houses, floors and hours in digits."""
    plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text).lower())[:LONGEST]
    return _NUMERAL.sub(lambda found: _digits(found.group()), plain)


def _digits(spoken: str) -> str:
    """“二十三” is 23, “五零二” 502: a number below a thousand, or one told digit by digit."""
    if not set(spoken) & set("十百"):
        return "".join(str(_DIGIT[sign]) for sign in spoken)
    value = digit = 0
    for sign in spoken:
        if sign in "十百":
            value += (digit or 1) * (10 if sign == "十" else 100)
            digit = 0
        else:
            digit = _DIGIT[sign]
    return str(value + digit)


def _words(text: str) -> str:
    return re.sub(r"[^0-9a-z\u4e00-\u9fff]", "", text)


def _grams(words: str) -> frozenset[str]:
    return frozenset(words[i : i + 2] for i in range(len(words) - 1))


@dataclass(frozen=True, slots=True)
class Corpus:
    """What was learned from many complaints without labels.

    ``rarity`` of runs of two characters, ``unknown`` that of all others; ``middle`` of the vectors and the ``axes``
    along which they lie apart, each divided by how far: what every complaint shares counts less there than in a cosine.
    """

    rarity: Mapping[str, float]
    unknown: float
    middle: Vectors
    axes: NDArray[np.float32]

    def weight(self, grams: frozenset[str]) -> float:
        """How rare ``grams`` are together."""
        return sum(self.rarity.get(gram, self.unknown) for gram in grams)

    def evened(self, one: Vectors, other: Vectors) -> float:
        """The cosine along the axes; the plain one for vectors of another encoder than the one learned with."""
        if len(one) != len(self.middle):
            return float(one @ other)
        ones, others = (one - self.middle) @ self.axes, (other - self.middle) @ self.axes
        return float(ones @ others / (np.linalg.norm(ones) * np.linalg.norm(others) + 1e-9))


class PairModel:
    """The learned weights over :class:`Corpus`, and how much a second look counts beside the first."""

    def __init__(self, weights: dict[str, NDArray[np.float32]]) -> None:
        rarity = {str(g): float(r) for g, r in zip(weights["grams"], weights["rarity"], strict=True)}
        axes = weights["axes"].astype(np.float32)
        self._corpus = Corpus(rarity, float(weights["unknown"]), weights["middle"], axes)
        self._mean, self._deviation = weights["mean"], weights["deviation"]
        self._weight, self._bias = weights["weight"], float(weights["bias"])
        self._first, self._said, self._both = map(float, weights["both"])
        self.threshold = float(weights["threshold"])
        """Probability after both looks from which it is taken for the same incident."""
        self.threshold_unread = float(weights["threshold_unread"])
        """The same after the first look alone."""

    @classmethod
    def load(cls, path: Path = SHIPPED) -> PairModel:
        """The model at ``path``; :class:`EncoderUnavailable` when it is missing or of other features."""
        try:
            with np.load(path) as stored:
                weights = {name: stored[name] for name in stored.files}
            if str(weights["features"]) != ",".join(FEATURES):
                raise EncoderUnavailable(f"{path} was trained on other features; train it again")
            return cls(weights)
        except (OSError, ValueError, KeyError) as error:
            raise EncoderUnavailable(f"{path}: {error}") from error

    def first(self, earlier: Report, later: Report) -> float:
        """What the first look says of a pair: a logit."""
        scaled = (products(features(earlier, later, self._corpus)) - self._mean) / self._deviation
        return float(scaled @ self._weight) + self._bias

    def both(self, first: float, said: float) -> float:
        """The probability that both tell of one incident, after ``said``, the logit of the second look."""
        return _share(self._first * first + self._said * said + self._both)

    def same_incident(self, earlier: Report, later: Report) -> float:
        """The probability that both tell of one incident, by the first look alone."""
        return _share(self.first(earlier, later))


def _share(logit: float) -> float:
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, logit))))


def denies(one: Report, other: Report) -> bool:
    """Whether one of the two says that it is not about what the other tells, and shares little else with it.

    Learnt weights see such a clause as one sign of many; somebody who sets himself apart is to be believed.
    """
    return any(_sets_apart(a, b) for a, b in ((one, other), (other, one)))


def _sets_apart(one: Report, other: Report) -> bool:
    named = (one.apart & other.grams) - other.whereabouts
    rest = ((one.grams - one.apart) & other.grams) - other.whereabouts - one.whereabouts
    return len(named) >= LEAST_NAMED and len(rest) < len(named)


def products(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """``values`` and the product of each two of them, a place's square among them."""
    one, other = np.triu_indices(values.shape[-1])
    return np.concatenate([values, values[..., one] * values[..., other]], axis=-1)


def features(one: Report, other: Report, corpus: Corpus) -> NDArray[np.float32]:
    """The features of a pair, as named above."""

    weight = corpus.weight

    def of_less(ones: frozenset[str], others: frozenset[str]) -> float:
        """How much of the one that says less the other says too."""
        return weight(ones & others) / (min(weight(ones), weight(others)) or 1.0)

    shared = weight(one.grams & other.grams)
    sides = sorted((weight(one.grams) or 1.0, weight(other.grams) or 1.0))
    run = _longest_run(one.text, other.text)
    units = {unit for unit, _ in one.numbers if unit} & {unit for unit, _ in other.numbers if unit}
    same = one.numbers & other.numbers
    differing = [u for u in units if not any(unit == u for unit, _ in same)]
    both = one.places and other.places
    lengths = sorted((len(one.text) or 1, len(other.text) or 1))
    return np.array(
        [
            float(one.vector @ other.vector),
            min(shared, 60) / 20, shared / sides[0], shared / sides[1], min(len(run), 12) / 6,
            max((weight(frozenset((run[i : i + 2],))) for i in range(len(run) - 1)), default=0.0) / corpus.unknown,
            min(len(same), 2), min(len(differing), 2), bool(one.apart) + bool(other.apart),
            bool(one.places & other.places), bool(both) and not one.places & other.places,
            lengths[0] / lengths[1], min(sum(gram not in corpus.rarity for gram in one.grams & other.grams), 8) / 4,
            of_less(one.grams - one.whereabouts, other.grams - other.whereabouts),
            of_less(one.whereabouts, other.whereabouts), bool(one.whereabouts) and bool(other.whereabouts),
            bool(one.sides & other.sides), bool(one.sides and other.sides) and not one.sides & other.sides,
            min(max(weight(one.apart & other.grams), weight(other.apart & one.grams)), 20) / 10,
            bool(one.times and other.times) and not one.times & other.times,
            corpus.evened(one.vector, other.vector),
        ],
        np.float32,
    )  # fmt: skip


def incidents(duplicate_of: Sequence[int | None]) -> list[int]:
    """The incident of each complaint: those tied by ``duplicate_of``, directly or through others, share one."""
    pairs = ((number, earlier) for number, earlier in enumerate(duplicate_of) if earlier is not None)
    return tied(len(duplicate_of), pairs)


def _longest_run(one: str, other: str) -> str:
    """The longest run of characters that both texts hold."""
    best, end = 0, 0
    before = [0] * (len(other) + 1)
    for i, sign in enumerate(one, start=1):
        row = [0] * (len(other) + 1)
        for j, match in enumerate(other, start=1):
            if sign == match:
                row[j] = before[j - 1] + 1
                if row[j] > best:
                    best, end = row[j], i
        before = row
    return one[end - best : end]
