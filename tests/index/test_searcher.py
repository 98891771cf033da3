"""Finding: exact names win, validity counts, odd input finds nothing, follow-ups lean on the turn before."""

from __future__ import annotations

from datetime import date

import pytest

from index.encoder import Encoder
from index.errors import IndexCorrupt, IndexMismatch, IndexMissing
from index.searcher import Searcher


@pytest.mark.parametrize("text", ["河道采砂许可", " 河道采砂许可？", "河里挖沙的证！", "河道 采砂 许可"])
def test_a_name_or_alias_typed_exactly_wins_outright(searcher: Searcher, text: str) -> None:
    found = searcher.find(text)
    assert (found.decision, found.exact, found.confidence) == ("answered", True, 1.0)
    assert found.candidates[0].code == "T03"


def test_a_curated_question_wins_outright(searcher: Searcher) -> None:
    assert searcher.find("转地放蜂要不要重新登记?").candidates[0].code == "T01"


def test_an_alias_of_two_matters_is_not_exact(searcher: Searcher) -> None:
    found = searcher.find("登记蜂场")
    assert not found.exact
    assert {"T01", "T05"} <= {candidate.code for candidate in found.candidates}


def test_matters_not_valid_today_are_not_found(searcher: Searcher, today: date) -> None:
    assert searcher.find("烟花燃放临时许可", today=date(2026, 3, 1)).candidates[0].code == "T04"
    assert "T04" not in {c.code for c in searcher.find("烟花燃放临时许可", today=today).candidates}


def test_a_spoken_question_finds_its_matter(searcher: Searcher) -> None:
    found = searcher.find("我屋头想喂几十箱蜜蜂，要到哪里去登个记")
    assert found.candidates[0].code == "T01"


def test_scores_are_probabilities(searcher: Searcher) -> None:
    found = searcher.find("养蜂")
    scores = [candidate.score for candidate in found.candidates]
    assert scores == sorted(scores, reverse=True)
    assert 0 <= scores[-1] <= scores[0] <= 1
    assert sum(scores) <= 1.0001
    assert found.confidence == scores[0]


def test_a_follow_up_keeps_the_matter_answered_about(searcher: Searcher) -> None:
    found = searcher.find("那要多少钱", turns=["河里挖沙要办什么证"], focus="T03")
    assert found.candidates[0].code == "T03"
    assert found.kept_focus


def test_a_follow_up_that_names_a_sibling_changes_to_it(searcher: Searcher) -> None:
    found = searcher.find("证丢了补一个呢", turns=["养蜂场怎么登记"], focus="T01")
    assert found.candidates[0].code == "T02"
    assert not found.kept_focus


@pytest.mark.parametrize("text", ["", "   ", "？！。", "😀😀", "\u200b"])
def test_text_without_a_letter_finds_nothing(searcher: Searcher, text: str) -> None:
    found = searcher.find(text)
    assert (found.decision, found.candidates) == ("unknown", ())


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "'; DROP TABLE matters; --", "a" * 10_000, "蜂" * 10_000]
)
def test_hostile_text_is_only_text(searcher: Searcher, text: str) -> None:
    assert searcher.find(text).decision in ("answered", "clarify", "unknown")


def test_pinyin_offers_choices(searcher: Searcher) -> None:
    found = searcher.find("hedao caisha xuke zenme ban")
    assert found.decision == "clarify"
    assert found.candidates[0].code == "T03"


def test_latin_words_are_not_pinyin(searcher: Searcher) -> None:
    assert searcher.find("hello world").decision != "answered"


def test_unknown_focus_and_offers_do_no_harm(searcher: Searcher) -> None:
    assert searcher.find("河道采砂", focus="gone", focus_offered=["gone", "T03"]).candidates[0].code == "T03"


def test_an_index_of_another_encoder_is_refused(searcher: Searcher, tmp_path, encoder: Encoder, documents) -> None:
    from index.builder import build_index

    class Renamed:
        """The shipped encoder under another identity, as after a change of model."""

        identity, dimension = "another", encoder.dimension
        encode_queries, encode_passages = encoder.encode_queries, encoder.encode_passages

    build_index(documents[:1], tmp_path / "one", Renamed(), cache=tmp_path / "cache.db")
    with pytest.raises(IndexMismatch, match="another"):
        Searcher.open(tmp_path / "one", encoder)


@pytest.mark.parametrize("name", ["index.json", "vectors.faiss", "owners.npy", "matters.jsonl", "texts.bin"])
def test_a_damaged_folder_is_refused(tmp_path, encoder: Encoder, documents, name: str) -> None:
    from index.builder import build_index

    build_index(documents, tmp_path / "one", encoder, cache=tmp_path / "cache.db")
    (tmp_path / "one" / name).write_bytes(b"\x00broken")
    with pytest.raises(IndexCorrupt):
        Searcher.open(tmp_path / "one", encoder)


def test_a_missing_folder_is_said(tmp_path, encoder: Encoder) -> None:
    with pytest.raises(IndexMissing):
        Searcher.open(tmp_path / "none", encoder)


def test_an_empty_catalogue_answers_nothing(tmp_path, encoder: Encoder) -> None:
    from index.builder import build_index

    build_index([], tmp_path / "one", encoder, cache=tmp_path / "cache.db")
    assert Searcher.open(tmp_path / "one", encoder).find("随便问问").decision == "unknown"


@pytest.mark.parametrize(
    "text", ["养蜂场登记怎么办", "办河道采砂许可", "社区食堂开办补助要什么材料", "我要办养蜂场登记"]
)
def test_a_short_question_that_only_names_a_matter_is_not_refused(searcher: Searcher, text: str) -> None:
    found = searcher.find(text)
    assert found.decision != "unknown"
    assert found.candidates[0].name[:4] in text
