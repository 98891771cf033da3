"""Publishing: versions, replacing, retiring, dry runs, cheap repetition, looking up by day and by version."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.clock import FixedClock
from bot.errors import InvalidInput
from bot.matters.repository import Kind
from bot.matters.service import MatterService
from bot.store import Store
from bot.store.audit import AuditRow
from bot.store.outbox import OutboxMessage
from tests.bot.hashing_encoder import HashingEncoder
from tests.bot.matters.examples import guide, power, write_lines

TODAY = date(2026, 11, 22)


def test_the_first_import_becomes_the_first_version(
    any_matters: MatterService, any_store: Store, clock: FixedClock, tmp_path: Path
) -> None:
    assert any_matters.current_version() is None
    path = write_lines(tmp_path / "guides.jsonl", [guide(1), guide(2)])
    report = any_matters.import_guides(path, actor="editor")
    assert (report.version, report.published, report.added, report.total) == ("20261122.1", True, 2, 2)
    published = any_matters.get("YS000001", TODAY)
    assert published is not None
    assert published.guide.name == "第1号许可证核发"
    assert (published.catalogue_version, published.published_at) == ("20261122.1", clock.now())
    with any_store.read() as session:
        assert session.scalars(select(AuditRow.actor)).all() == ["editor"]
        assert session.scalars(select(OutboxMessage.topic)).all() == ["catalogue.published"]


def test_a_later_import_changes_and_adds_and_keeps_the_rest(any_matters: MatterService, tmp_path: Path) -> None:
    any_matters.import_guides(write_lines(tmp_path / "a.jsonl", [guide(1), guide(2)]))
    report = any_matters.import_guides(write_lines(tmp_path / "b.jsonl", [guide(2, name="换了名字"), guide(3)]))
    assert (report.version, report.added, report.changed, report.unchanged, report.retired) == (
        "20261122.2",
        1,
        1,
        0,
        0,
    )
    assert any_matters.counts().guides == 3
    before, after = any_matters.get_as_of("YS000002", "20261122.1"), any_matters.get_as_of("YS000002", "20261122.2")
    assert before is not None
    assert after is not None
    assert (before.guide.name, after.guide.name) == ("第2号许可证核发", "换了名字")
    assert any_matters.get_as_of("YS000003", "20261122.1") is None
    untouched = any_matters.get_any("YS000001")
    assert untouched is not None
    assert untouched.catalogue_version == "20261122.2"


def test_replace_retires_what_the_file_no_longer_holds(any_matters: MatterService, tmp_path: Path) -> None:
    any_matters.import_guides(write_lines(tmp_path / "a.jsonl", [guide(1), guide(2)]))
    report = any_matters.import_guides(write_lines(tmp_path / "b.jsonl", [guide(2)]), replace=True)
    assert (report.unchanged, report.retired) == (1, 1)
    assert any_matters.get_any("YS000001") is None
    assert any_matters.get_as_of("YS000001", "20261122.1") is not None
    # and what was retired may return
    assert any_matters.import_guides(write_lines(tmp_path / "c.jsonl", [guide(1)])).added == 1
    assert any_matters.counts().guides == 2


def test_the_same_content_again_is_no_new_version_and_encodes_nothing(
    matters: MatterService, encoder: HashingEncoder, clock: FixedClock, tmp_path: Path
) -> None:
    path = write_lines(tmp_path / "a.jsonl", [guide(n) for n in range(1, 6)])
    matters.import_guides(path)
    encoded = encoder.encoded
    clock.advance(timedelta(days=1))
    report = matters.import_guides(path, replace=True)
    assert (report.published, report.version, report.unchanged) == (False, "20261122.1", 5)
    changed = matters.import_guides(write_lines(tmp_path / "b.jsonl", [guide(5, name="只有这个名字是新的")]))
    assert changed.version == "20261123.1"
    assert encoder.encoded - encoded == 2  # the name, and the text of materials that begins with it


def test_a_dry_run_says_what_would_happen_and_changes_nothing(matters: MatterService, tmp_path: Path) -> None:
    matters.import_guides(write_lines(tmp_path / "a.jsonl", [guide(1)]))
    path = write_lines(tmp_path / "b.jsonl", [guide(2)])
    report = matters.import_guides(path, replace=True, dry_run=True)
    assert (report.dry_run, report.published, report.added, report.retired) == (True, False, 1, 1)
    assert report.version == matters.current_version() == "20261122.1"
    assert matters.get_any("YS000002") is None


@pytest.mark.parametrize(
    ("valid_from", "valid_to", "answered"),
    [
        ("2026-01-01", None, True),
        ("2026-11-22", "2026-11-22", True),
        ("2026-01-01", "2026-11-21", False),
        ("2026-11-23", None, False),
        (None, None, True),
    ],
)
def test_only_guides_in_force_are_answered_from(
    matters: MatterService, tmp_path: Path, valid_from: str | None, valid_to: str | None, answered: bool
) -> None:
    values = guide(1, valid_from=valid_from, valid_to=valid_to)
    matters.import_guides(write_lines(tmp_path / "a.jsonl", [values]))
    assert (matters.get("YS000001", TODAY) is not None) == answered
    assert matters.get_any("YS000001") is not None
    assert matters.search(today=TODAY).total == int(answered)


def test_powers_have_versions_of_their_own(any_matters: MatterService, tmp_path: Path) -> None:
    any_matters.import_guides(write_lines(tmp_path / "g.jsonl", [guide(1)]))
    report = any_matters.import_powers(write_lines(tmp_path / "p.jsonl", [power(1), power(2)]))
    assert report.version == any_matters.current_version(Kind.POWERS) == "20261122.1"
    published = any_matters.get_power("P000002")
    assert published is not None
    assert published.power.responsibilities[0].accountability == "不登记的。"
    assert published.power.topics == ("楼上吵", "广场舞")
    assert [p.code for p in any_matters.powers()] == ["P000001", "P000002"]
    assert any_matters.import_powers(write_lines(tmp_path / "q.jsonl", [power(2)]), replace=True).retired == 1
    assert any_matters.counts().guides == 1


def test_searching_the_list(any_matters: MatterService, tmp_path: Path) -> None:
    guides = [
        guide(1, name="居民身份证首次申领", aliases=["第一次办身份证"], department="云山市公安局"),
        guide(2, name="居民身份证换领", aliases=["換身份證"], department="云山市公安局"),
        guide(3, name="100%_折扣备案", kind="公共服务"),
    ]
    any_matters.import_guides(write_lines(tmp_path / "g.jsonl", guides))

    def found(**wanted: str) -> list[str]:
        return [item.code for item in any_matters.search(**wanted).items]  # type: ignore[arg-type]

    assert found(q="身份证") == ["YS000001", "YS000002"]
    assert found(q="身份證 换") == ["YS000002"]
    assert found(q="换身份证") == ["YS000002"]
    assert found(q="%_") == ["YS000003"]
    assert found(q="ys000003") == ["YS000003"]
    assert found(department="云山市公安局") == ["YS000001", "YS000002"]
    assert found(kind="公共服务") == ["YS000003"]
    assert found(q="' OR 1=1 --") == []
    page = any_matters.search(page=2, size=2)
    assert ([item.code for item in page.items], page.total) == (["YS000003"], 3)
    with pytest.raises(InvalidInput):
        any_matters.search(page=0)


def test_progress_is_told_step_by_step(matters: MatterService, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    matters.import_guides(
        write_lines(tmp_path / "g.jsonl", [guide(n) for n in range(1, 30)]), progress=lambda *step: told.append(step)
    )
    assert list(dict.fromkeys(step for step, _, _ in told)) == ["read", "store", "index", "publish"]
    assert all(0 <= done <= total for _, done, total in told)
    assert {step: (done, total) for step, done, total in told}["store"] == (29, 29)
