"""Editors' additions: tried out, published all or nothing, and still there after the city imports its guides again."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from bot.clock import FixedClock
from bot.errors import Conflict, NotFound, WenbanError
from bot.matters.additions import Addition, AdditionKind, contradicts, held, merged, without
from bot.matters.amending import Amendment
from bot.matters.model import Guide
from bot.matters.service import MatterService
from bot.matters.tables import CatalogueVersion
from bot.store import Store, UnitOfWork
from index.searcher import Searcher
from tests.bot.hashing_encoder import HashingEncoder
from tests.bot.matters.examples import guide, write_lines

TODAY = date(2026, 11, 22)
ALIAS = Addition("YS000001", AdditionKind.ALIAS, "跑一号手续")
QUESTION = Addition("YS000001", AdditionKind.QUESTION, "一号那个证咋整")
FAQ = Addition("YS000002", AdditionKind.FAQ, "周末办不办", "周六上午办。")
NOT = Addition("YS000001", AdditionKind.NOT, "一号线地铁几点停运")
ALL = (ALIAS, QUESTION, FAQ, NOT)


@pytest.fixture
def matters(any_store: Store, clock: FixedClock, tmp_path: Path) -> MatterService:
    made = MatterService(any_store, clock, tmp_path / "index", HashingEncoder)
    made.import_guides(write_lines(tmp_path / "city.jsonl", [guide(1), guide(2)]))
    return made


def publish(matters: MatterService, amendment: Amendment, beside=lambda _work, _version: None) -> str:
    return matters.amending.publish(amendment, source="test", actor="lin", progress=lambda *_: None, beside=beside)


def base(matters: MatterService) -> str:
    label = matters.current_version()
    assert label is not None
    return label


def test_additions_are_published_as_a_new_version_and_the_old_stays(matters: MatterService) -> None:
    before = base(matters)
    label = publish(matters, Amendment(before, ALL))
    assert label == matters.current_version() != before
    first, second = (matters.get(code, TODAY) for code in ("YS000001", "YS000002"))
    assert first is not None
    assert second is not None
    assert first.guide.aliases == ("办1号证", "跑一号手续")
    assert (first.guide.questions, first.guide.not_questions) == (("一号那个证咋整",), ("一号线地铁几点停运",))
    assert [(each.q, each.a) for each in second.guide.faq] == [("周末办不办", "周六上午办。")]
    assert matters.additions("YS000001") == [ALIAS, QUESTION, NOT]
    earlier = matters.get_as_of("YS000001", before)
    assert earlier is not None
    assert earlier.guide.questions == ()


def test_the_citys_next_import_keeps_them_and_changes_nothing_else(matters: MatterService, tmp_path: Path) -> None:
    publish(matters, Amendment(base(matters), ALL))
    again = matters.import_guides(tmp_path / "city.jsonl", replace=True)
    assert (again.published, again.unchanged) == (False, 2)
    changed = matters.import_guides(write_lines(tmp_path / "b.jsonl", [guide(1, conditions="另有条件。"), guide(2)]))
    assert (changed.changed, changed.unchanged) == (1, 1)
    found = matters.get("YS000001", TODAY)
    assert found is not None
    assert found.guide.questions == ("一号那个证咋整",)


def test_what_was_exported_can_be_imported(matters: MatterService, tmp_path: Path) -> None:
    publish(matters, Amendment(base(matters), ALL))
    exported = [each.model_dump(mode="json", exclude_none=True) for each in matters.guides()]
    assert not matters.import_guides(write_lines(tmp_path / "out.jsonl", exported), replace=True).published


def test_an_addition_is_taken_back(matters: MatterService, tmp_path: Path) -> None:
    publish(matters, Amendment(base(matters), ALL))
    publish(matters, Amendment(base(matters), (), (ALIAS, FAQ)))
    assert matters.additions("YS000001") == [QUESTION, NOT]
    assert matters.additions("YS000002") == []
    found = matters.get("YS000001", TODAY)
    assert found is not None
    assert found.guide.aliases == ("办1号证",)
    assert not matters.import_guides(tmp_path / "city.jsonl", replace=True).published


def test_an_faq_of_the_same_question_is_answered_anew(matters: MatterService) -> None:
    publish(matters, Amendment(base(matters), (FAQ,)))
    publish(matters, Amendment(base(matters), (Addition(FAQ.code, FAQ.kind, FAQ.text, "周末都办。"),)))
    found = matters.get("YS000002", TODAY)
    assert found is not None
    assert [each.a for each in found.guide.faq] == ["周末都办。"]
    assert [each.answer for each in matters.additions("YS000002")] == ["周末都办。"]


def test_what_fails_beside_takes_everything_back(matters: MatterService) -> None:
    before = base(matters)

    def fail(_work: UnitOfWork, _version: CatalogueVersion) -> None:
        raise Conflict("另一个人先发布了。")

    with pytest.raises(Conflict):
        publish(matters, Amendment(before, ALL), fail)
    assert (matters.current_version(), matters.additions("YS000001")) == (before, [])
    found = matters.get("YS000001", TODAY)
    assert found is not None
    assert found.guide.questions == ()


def test_an_older_base_is_refused(matters: MatterService, tmp_path: Path) -> None:
    before = base(matters)
    matters.import_guides(write_lines(tmp_path / "b.jsonl", [guide(3)]))
    with pytest.raises(Conflict, match="新的版本"):
        publish(matters, Amendment(before, ALL))
    with pytest.raises(Conflict), matters.amending.trial(Amendment(before, ALL), lambda *_: None):
        pass


@pytest.mark.parametrize(
    ("addition", "error"),
    [
        (Addition("YS999999", AdditionKind.ALIAS, "没有"), NotFound),
        (Addition("YS000001", AdditionKind.ALIAS, "办1号证"), Conflict),
    ],
)
def test_what_cannot_be_added_is_refused(matters: MatterService, addition: Addition, error: type[WenbanError]) -> None:
    with pytest.raises(error):
        publish(matters, Amendment(base(matters), (addition,)))


def test_a_trial_is_the_catalogue_as_it_would_be_and_leaves_nothing(matters: MatterService, tmp_path: Path) -> None:
    encoder = HashingEncoder()
    with matters.amending.trial(Amendment(base(matters), ALL), lambda *_: None) as trial:
        searcher = Searcher.open(trial.index, encoder)
        assert searcher.find("一号那个证咋整").candidates[0].code == "YS000001"
        assert searcher.find("一号那个证咋整").exact
        changed = trial.get("YS000002", TODAY)
        assert changed is not None
        assert changed.guide.faq[0].q == "周末办不办"
        assert trial.get("YS000003", TODAY) is None
    assert not trial.index.exists()
    assert matters.additions("YS000001") == []


def test_merging_is_pure_and_happens_once() -> None:
    plain = Guide.model_validate(guide(1))
    once = merged(plain, (ALIAS, QUESTION, NOT))
    assert merged(once, (ALIAS, QUESTION, NOT)) == once
    assert without(once, (ALIAS, QUESTION, NOT)) == plain
    assert held(once, ALIAS)
    assert not held(plain, ALIAS)
    assert contradicts(plain, Addition("YS000001", AdditionKind.NOT, "办 1 号证？"))
    assert contradicts(once, Addition("YS000001", AdditionKind.QUESTION, "一号线地铁几点停运？"))
    assert not contradicts(plain, NOT)
