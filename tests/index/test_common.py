"""The common matters that ship: they know what a catalogue lacks, read the shipped encoder only, say what is wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from index.builder import build_index
from index.common import SHIPPED, CommonMatters
from index.documents import document
from index.encoder import Encoder
from index.errors import EncoderUnavailable
from index.ranking import Evidence, Ranker
from index.searcher import Searcher
from index.second import SecondLook
from index.training.common import Matter, encoded, unlike

BUYING = {
    "code": "B",
    "name": "住房公积金提取（购买自住住房）",
    "aliases": ["买房提取公积金"],
    "conditions": "职工购买、建造自住住房的，可以提取本人住房公积金账户内的余额。",
}
RENTING = {
    "code": "R",
    "name": "住房公积金提取（租赁住房）",
    "aliases": ["租房提取公积金"],
    "conditions": "职工连续足额缴存满三个月，本人及配偶在本市没有自有住房且租赁住房的，可以提取住房公积金支付房租。",
}
RENT = "我一直租房子住的，房租能从公积金里头出不"


@pytest.fixture(scope="module")
def common(encoder: Encoder) -> CommonMatters:
    found = CommonMatters.beside(encoder)
    assert found is not None, "the shipped common matters are read by the shipped encoder"
    return found


def names(encoder: Encoder, *guides: dict[str, object]) -> list[np.ndarray]:
    return [encoder.encode_passages([text.text for text in document(guide).texts]) for guide in guides]


def test_what_is_asked_is_known_by_its_name_or_known_to_be_missing(common: CommonMatters, encoder: Encoder) -> None:
    resemblance = common.like(encoder.encode_queries([RENT])[0])
    assert "租" in resemblance.titles[0]
    assert resemblance.weight.sum() == pytest.approx(1, abs=1e-5)
    assert resemblance.nearness > 0.5
    both = resemblance.shares(names(encoder, BUYING, RENTING))
    assert both[1] > 0.5 > both[0]
    buying_only = resemblance.shares(names(encoder, BUYING))
    assert buying_only[-1] > 0.5
    assert buying_only.sum() == pytest.approx(1, abs=1e-5)


def test_a_question_unlike_all_of_them_says_little(common: CommonMatters, encoder: Encoder) -> None:
    strange = common.like(encoder.encode_queries(["月亮上的兔子几点开饭"])[0])
    assert strange.nearness < common.like(encoder.encode_queries([RENT])[0]).nearness


def test_a_sibling_that_the_catalogue_lacks_is_not_answered(encoder: Encoder, tmp_path: Path) -> None:
    found = []
    for number, guides in enumerate(([BUYING], [BUYING, RENTING])):
        folder = tmp_path / str(number)
        build_index([document(guide) for guide in guides], folder, encoder, cache=tmp_path / "cache.db")
        second = SecondLook.beside(encoder, threads=1)
        assert second is not None
        found.append(Searcher.open(folder, encoder, second=second).search(RENT))
    missing, there = found
    assert missing.found.decision != "answered"
    assert there.found.decision != "unknown"
    assert there.found.candidates[0].code == "R"
    assert there.last[-1] < missing.last[-1]
    assert missing.shares[-1] > there.shares[-1]


def test_what_falls_to_a_matter_speaks_for_it() -> None:
    ranker, first = Ranker.load(), np.array([0.3, 0.3, 0.4], np.float32)
    told = ranker.recalled(Evidence(first, np.array([0.9, 0.05, 0.05], np.float32), 1.0, follows=False))
    assert told.sum() == pytest.approx(1, abs=1e-5)
    assert told[0] > told[1]
    missing = ranker.recalled(Evidence(first, np.array([0.02, 0.03, 0.95], np.float32), 1.0, follows=False))
    assert missing[-1] > told[-1]


def test_another_encoder_goes_without() -> None:
    class Foreign:
        identity, dimension = "foreign:1", 8

        def encode_queries(self, texts: list[str]) -> np.ndarray:
            return np.ones((len(texts), 8), np.float32)

        encode_passages = encode_queries

    assert CommonMatters.beside(Foreign()) is None


@pytest.mark.parametrize("damage", ["missing", "no archive", "a part", "other parts"])
def test_a_damaged_file_is_said(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "common.npz"
    if damage == "no archive":
        path.write_bytes(b"none")
    elif damage != "missing":
        with np.load(SHIPPED) as stored:
            parts = {name: stored[name] for name in stored.files if damage != "a part" or name != "owners"}
        if damage == "other parts":
            parts["owners"] = parts["owners"][:-1]
        np.savez(path, **parts)
    with pytest.raises(EncoderUnavailable, match="common"):
        CommonMatters(path)


def test_sayings_kept_are_the_most_unlike_and_no_test_question(encoder: Encoder, tmp_path: Path) -> None:
    vectors = np.array([[1, 0], [0.99, 0.1], [0, 1]], np.float32)
    assert unlike(vectors, 2) == [0, 2]
    matters = [Matter(("甲", "甲事"), ("怎么办甲", "甲要多少钱")), Matter(("乙",), ("乙呢",))]
    arrays = encoded(matters, encoder, frozenset({"甲要多少钱"}), (["丙怎么办", "丁在哪里"], ["丙", "丁事"]))
    assert (len(arrays["names"]), arrays["owners"].tolist()) == (3, [0, 1, 0, 0, 1])
    np.savez(tmp_path / "common.npz", **arrays)
    made = CommonMatters.beside(encoder, tmp_path / "common.npz")
    assert made is not None
    assert made.like(encoder.encode_queries(["怎么办甲"])[0]).titles[0] == "甲"
