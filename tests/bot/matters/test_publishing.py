"""All or nothing: full disks, two imports at once, a damaged index, another encoder, a crash in between."""

from __future__ import annotations

import resource
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from bot.clock import FixedClock
from bot.errors import ConfigurationError, Conflict, StorageFull
from bot.matters.service import MatterService
from bot.matters.tables import CatalogueContent, CatalogueEntry, CatalogueVersion
from bot.store import Store
from index.encoder import open_encoder
from tests.bot.hashing_encoder import HashingEncoder
from tests.bot.matters.examples import guide, write_lines

TODAY = date(2026, 11, 22)


def _state(store: Store, root: Path) -> tuple[object, ...]:
    with store.read() as session:
        counts = [
            session.scalar(select(func.count()).select_from(table))
            for table in (CatalogueVersion, CatalogueEntry, CatalogueContent)
        ]
    folders = sorted(path.name for path in root.iterdir() if path.is_dir())
    return (*counts, folders, (root / "current").read_text() if (root / "current").exists() else None)


@contextmanager
def _files_no_larger_than(size: int) -> Iterator[None]:
    """The system refuses to let any file grow beyond ``size`` bytes: as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "home" / "index"


def test_a_database_that_fills_up_leaves_the_old_version(
    matters: MatterService, store: Store, root: Path, tmp_path: Path
) -> None:
    matters.import_guides(write_lines(tmp_path / "a.jsonl", [guide(1)]))
    before = _state(store, root)
    path = write_lines(tmp_path / "b.jsonl", [guide(n, conditions="条件" * 2_000) for n in range(1, 40)])
    with store.write() as work:
        pages = work.session.scalar(text("PRAGMA page_count"))
        work.session.execute(text(f"PRAGMA max_page_count = {pages + 8}"))
    with pytest.raises(StorageFull) as raised:
        matters.import_guides(path)
    assert "磁盘空间不足" in raised.value.message
    assert _state(store, root) == before
    assert matters.get("YS000001", TODAY) is not None
    with store.write() as work:
        work.session.execute(text("PRAGMA max_page_count = 1000000"))
    assert matters.import_guides(path).version == "20261122.2"


def test_a_disk_that_fills_up_while_the_index_is_written(
    matters: MatterService, store: Store, root: Path, tmp_path: Path, encoder: HashingEncoder
) -> None:
    matters.import_guides(write_lines(tmp_path / "a.jsonl", [guide(1)]))
    matters.import_guides(write_lines(tmp_path / "c.jsonl", [guide(n) for n in range(1, 400)]))
    matters.import_guides(write_lines(tmp_path / "a.jsonl", [guide(1)]), replace=True)
    before = _state(store, root)  # the vectors of 400 guides are known by now: only the folder is to be written
    path = write_lines(tmp_path / "b.jsonl", [guide(n) for n in range(1, 400)])
    with _files_no_larger_than(300_000), pytest.raises(StorageFull):
        matters.import_guides(path)
    assert _state(store, root) == before
    assert matters.import_guides(path).published


def test_a_second_import_meanwhile_is_refused(
    matters: MatterService, store: Store, clock: FixedClock, root: Path, tmp_path: Path
) -> None:
    other = MatterService(store, clock, root, HashingEncoder)
    path = write_lines(tmp_path / "a.jsonl", [guide(1)])
    refused: list[Conflict] = []

    def meanwhile(step: str, _done: int, _total: int) -> None:
        if step == "publish" and not refused:
            with pytest.raises(Conflict) as raised:
                other.import_guides(path)
            refused.append(raised.value)
            assert not other.reconcile()

    matters.import_guides(path, progress=meanwhile)
    assert refused[0].code == "import_running"
    assert matters.current_version() == "20261122.1"


def test_an_import_on_another_machine_meanwhile_is_noticed(
    matters: MatterService, store: Store, clock: FixedClock, tmp_path: Path
) -> None:
    """The lock holds on one machine; the head row settles it between machines that share a database."""
    other = MatterService(store, clock, tmp_path / "elsewhere", HashingEncoder)
    path = write_lines(tmp_path / "a.jsonl", [guide(1)])
    first: list[str | None] = []

    def meanwhile(step: str, _done: int, _total: int) -> None:
        if step == "index" and not first:
            first.append(other.import_guides(write_lines(tmp_path / "b.jsonl", [guide(2)])).version)

    with pytest.raises(Conflict):
        matters.import_guides(path, progress=meanwhile)
    assert matters.current_version() == first[0]
    assert matters.get_any("YS000001") is None
    assert not (tmp_path / "home" / "index" / "current").exists()


def test_questions_are_answered_and_turns_written_while_importing(
    matters: MatterService, store: Store, tmp_path: Path
) -> None:
    matters.import_guides(write_lines(tmp_path / "a.jsonl", [guide(1)]))
    answered: list[str] = []

    def meanwhile(step: str, _done: int, _total: int) -> None:
        def ask() -> None:
            published = matters.get("YS000001", TODAY)
            assert published is not None
            with store.write() as work:
                work.emit("turn", "c1", {})
            answered.append(published.catalogue_version)

        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()

    matters.import_guides(write_lines(tmp_path / "b.jsonl", [guide(n) for n in range(1, 600)]), progress=meanwhile)
    assert len(answered) > 4
    assert answered[0] == "20261122.1"
    assert answered[-1] == "20261122.2"


def test_an_index_of_another_encoder_is_built_anew(
    matters: MatterService, store: Store, clock: FixedClock, root: Path, tmp_path: Path
) -> None:
    matters.import_guides(write_lines(tmp_path / "a.jsonl", [guide(1)]))
    pointed = (root / "current").read_text()
    assert not matters.reconcile()
    other = MatterService(store, clock, root, lambda: HashingEncoder(dimension=32))
    assert other.reconcile()
    assert (root / "current").read_text() != pointed
    assert not other.reconcile()


@pytest.mark.parametrize("damage", ["folder", "description", "vectors", "pointer", "everything"])
def test_a_damaged_index_is_mended_at_start(
    matters: MatterService, store: Store, root: Path, tmp_path: Path, damage: str
) -> None:
    matters.import_guides(write_lines(tmp_path / "a.jsonl", [guide(1), guide(2)]))
    before = _state(store, root)
    folder = root / (root / "current").read_text().strip()
    if damage == "folder":
        shutil.rmtree(folder)
    elif damage == "description":
        (folder / "index.json").write_text("{")
    elif damage == "vectors":
        whole = (folder / "vectors.faiss").read_bytes()
        (folder / "vectors.faiss").write_bytes(whole[: len(whole) // 2])
    elif damage == "pointer":
        (root / "current").write_text("20200101.1-gone\n")
    else:
        shutil.rmtree(root)
    matters.reconcile()
    assert _state(store, root) == before


def test_what_a_crash_left_behind_goes_at_the_next_start(
    matters: MatterService, store: Store, root: Path, tmp_path: Path
) -> None:
    matters.import_guides(write_lines(tmp_path / "a.jsonl", [guide(1)]))
    before = _state(store, root)
    with store.write() as work:
        work.session.add(CatalogueContent(digest="0" * 64, body="{}"))
    matters.reconcile()
    assert _state(store, root) == before


def test_only_the_last_folders_are_kept(matters: MatterService, root: Path, tmp_path: Path) -> None:
    for n in range(1, 6):
        matters.import_guides(write_lines(tmp_path / "a.jsonl", [guide(n)]))
    assert len([path for path in root.iterdir() if path.is_dir()]) == 2
    assert (root / (root / "current").read_text().strip() / "index.json").exists()


def test_an_encoder_that_is_not_there_is_said_to_be_missing(
    store: Store, clock: FixedClock, root: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "model"
    empty.mkdir()
    (empty / "openvino_model.xml").write_text("not a model")
    matters = MatterService(store, clock, root, lambda: open_encoder(str(empty)))
    with pytest.raises(ConfigurationError) as raised:
        matters.import_guides(write_lines(tmp_path / "a.jsonl", [guide(1)]))
    assert "WENBAN_ENCODER" in raised.value.remedy
    assert matters.current_version() is None


def test_the_shipped_encoder_builds_the_index(store: Store, clock: FixedClock, root: Path, tmp_path: Path) -> None:
    matters = MatterService(store, clock, root, open_encoder)
    assert matters.import_guides(write_lines(tmp_path / "a.jsonl", [guide(1), guide(2)])).published
    assert not matters.reconcile()


def test_rebuilding_takes_the_token_states_from_what_it_replaces(
    store: Store, clock: FixedClock, root: Path, tmp_path: Path
) -> None:
    matters, told = MatterService(store, clock, root, open_encoder), list[tuple[int, int]]()
    matters.import_guides(write_lines(tmp_path / "a.jsonl", [guide(1), guide(2)]))
    before = _state(store, root)
    folder = root / (root / "current").read_text().strip()
    kept = (folder / "states.bin").read_bytes()
    (folder / "index.json").unlink()  # as `wenban index rebuild` does
    assert matters.reconcile(lambda _step, done, total: told.append((done, total)))
    assert not told, "nothing had to be encoded"
    assert (folder / "states.bin").read_bytes() == kept
    assert _state(store, root) == before


def test_a_rebuild_that_fails_leaves_what_was_there(
    matters: MatterService, store: Store, root: Path, tmp_path: Path
) -> None:
    matters.import_guides(write_lines(tmp_path / "a.jsonl", [guide(n) for n in range(1, 400)]))
    folder = root / (root / "current").read_text().strip()
    (folder / "index.json").unlink()
    before, files = _state(store, root), sorted(path.name for path in folder.iterdir())
    with _files_no_larger_than(300_000), pytest.raises(StorageFull):
        matters.reconcile()
    assert _state(store, root) == before
    assert sorted(path.name for path in folder.iterdir()) == files
    assert matters.reconcile()
    assert (folder / "index.json").exists()


def test_what_another_process_publishes_counts_at_the_next_look(
    any_matters: MatterService, any_store: Store, clock: FixedClock, root: Path, tmp_path: Path
) -> None:
    any_matters.import_guides(write_lines(tmp_path / "a.jsonl", [guide(1), guide(2)]))
    first = any_matters.get(guide(1)["code"], TODAY)
    assert first is not None
    assert any_matters.get("none-such", TODAY) is None

    other = MatterService(any_store, clock, root, HashingEncoder)
    other.import_guides(write_lines(tmp_path / "b.jsonl", [guide(1, conditions="改过的条件"), guide(3)]), replace=True)

    changed = any_matters.get(guide(1)["code"], TODAY)
    assert changed is not None
    assert changed.guide.conditions == "改过的条件"
    assert changed.catalogue_version != first.catalogue_version
    assert any_matters.get(guide(2)["code"], TODAY) is None
    assert any_matters.get(guide(3)["code"], TODAY) is not None
