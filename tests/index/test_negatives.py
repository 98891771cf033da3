"""Negative examples: a matter drops out near them, and only there; without them nothing changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.builder import build_index
from index.documents import document
from index.encoder import Encoder
from index.errors import IndexCorrupt
from index.explaining import explain
from index.negatives import FILE
from index.searcher import Searcher
from tests.index.conftest import GUIDES

NOT_FOR_FARMS = "想开蜂蜜专卖店要登记吗"


@pytest.fixture(scope="module")
def folder(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    guides = [{**GUIDES[0], "not_questions": [NOT_FOR_FARMS, " 登记蜂场 "]}, *GUIDES[1:]]
    made: Path = tmp_path_factory.mktemp("negatives") / "one"
    build_index([document(guide) for guide in guides], made, encoder, cache=made.parent / "cache.db")
    return made


@pytest.fixture(scope="module")
def refusing(folder: Path, encoder: Encoder) -> Searcher:
    return Searcher.open(folder, encoder)


@pytest.mark.parametrize("text", [NOT_FOR_FARMS, "想开蜂蜜专卖店，要登记吗？", "开一家蜂蜜专卖店要登记吗"])
def test_a_question_near_a_negative_example_does_not_get_the_matter(
    searcher: Searcher, refusing: Searcher, text: str
) -> None:
    assert "T01" in {candidate.code for candidate in searcher.find(text).candidates}
    assert "T01" not in {candidate.code for candidate in refusing.find(text).candidates}


def test_other_questions_find_the_matter_as_before(searcher: Searcher, refusing: Searcher) -> None:
    for text in ("养蜂场登记怎么办", "我屋头想喂几十箱蜜蜂，要到哪里去登个记", "养蜂场登记", "河里挖沙要办什么证"):
        before, after = searcher.find(text), refusing.find(text)
        assert (before.decision, before.candidates[0]) == (after.decision, after.candidates[0])


def test_an_alias_that_is_a_negative_example_of_another_matter_is_exact_again(refusing: Searcher) -> None:
    found = refusing.find("登记蜂场")
    assert found.exact
    assert found.candidates[0].code == "T05"


def test_a_matter_that_was_talked_about_drops_out_too(refusing: Searcher) -> None:
    found = refusing.find(NOT_FOR_FARMS, turns=["养蜂场登记要什么"], focus="T01")
    assert "T01" not in {candidate.code for candidate in found.candidates}


def test_the_explanation_names_the_negative_example(refusing: Searcher) -> None:
    explanation = explain(refusing, NOT_FOR_FARMS)
    [refused] = explanation.refused
    assert (refused.code, refused.text) == ("T01", NOT_FOR_FARMS)
    assert refused.similarity == pytest.approx(1.0)
    assert refused.own < refused.similarity


def test_the_explanation_agrees_with_the_search(searcher: Searcher) -> None:
    text = "我屋头想喂几十箱蜜蜂，要到哪里去登个记"
    explanation, found = explain(searcher, text), searcher.find(text)
    assert explanation.found == found
    assert [each.code for each in explanation.weighed[:3]] == [each.code for each in found.candidates[:3]]
    assert sum(each.score for each in explanation.weighed) + (explanation.nothing or 0) == pytest.approx(1, abs=1e-4)
    best = explanation.weighed[0]
    assert best.matches[0].similarity == pytest.approx(best.features["alone_best"], abs=1e-5)
    assert explanation.question["has_turn"] == 0


@pytest.mark.parametrize("text", ["河道采砂许可", "", "hedao caisha xuke"])
def test_where_nothing_is_weighed_nothing_is_explained(searcher: Searcher, text: str) -> None:
    explanation = explain(searcher, text)
    assert (explanation.weighed, explanation.found) == ((), searcher.find(text))


def test_unseen_a_curated_question_is_asked_honestly(searcher: Searcher) -> None:
    text = "转地放蜂要不要重新登记"
    seen, unseen = searcher.search(text), searcher.search(text, unseen=True)
    assert seen.found.exact
    assert not unseen.found.exact
    place = [searcher.named(each.matter)[0] for each in unseen.considered].index("T01")
    hidden = unseen.considered[place]
    assert hidden.alone.max() < 0.99
    assert hidden.alone_bm25 < searcher.search(text + "呀").considered[0].alone_bm25
    assert searcher.find(text) == seen.found, "the next search sees it again"


def test_a_folder_without_the_file_has_none(searcher: Searcher, folder: Path, encoder: Encoder, tmp_path: Path) -> None:
    assert (folder / FILE).exists()
    build_index([document(guide) for guide in GUIDES], tmp_path / "two", encoder, cache=tmp_path / "cache.db")
    assert not (tmp_path / "two" / FILE).exists()


def test_a_damaged_file_is_refused(encoder: Encoder, tmp_path: Path) -> None:
    guides = [{**GUIDES[0], "not_questions": [NOT_FOR_FARMS]}]
    build_index([document(guide) for guide in guides], tmp_path / "one", encoder, cache=tmp_path / "cache.db")
    (tmp_path / "one" / FILE).write_bytes(b"PK\x03\x04 half")
    with pytest.raises(IndexCorrupt):
        Searcher.open(tmp_path / "one", encoder)
