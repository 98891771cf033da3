"""Complaints on each kind of database, with the shipped models over a part of the sample city's list."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.clock import FixedClock
from bot.complaints.clocks import load_limits
from bot.complaints.deciding import Decider
from bot.complaints.following import Following
from bot.complaints.handling import ComplaintHandling
from bot.complaints.joining import Joining
from bot.complaints.notices import ComplaintNotices
from bot.complaints.service import ComplaintService
from bot.complaints.writing import ComplaintWriter
from bot.judgements.service import JudgementService
from bot.matters.model import Power
from bot.notifications.service import NotificationService
from bot.settings import load_settings
from bot.store import Store
from bot.store.sealed import Sealer
from bot.workdays import WorkCalendar
from index.encoder import Encoder, open_encoder
from tests.bot.complaints.deciders import decider_over

CATALOGUE = Path(__file__).parents[3] / "catalogue"
UNITS = ("云山供水有限公司", "云山供电局", "云山市林业局", "云山市公安局交通警察支队", "云山市人力资源和社会保障局")


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return open_encoder(None, threads=1)


@pytest.fixture(scope="session")
def powers() -> list[Power]:
    """The powers of five units of the sample city."""
    rows = map(json.loads, (CATALOGUE / "powers.jsonl").read_text("utf-8").splitlines())
    return [Power.model_validate(row) for row in rows if row["department"] in UNITS]


@pytest.fixture(scope="session")
def decider(encoder: Encoder, powers: list[Power], tmp_path_factory: pytest.TempPathFactory) -> Decider:
    return decider_over(encoder, powers, tmp_path_factory.mktemp("powers"))


@dataclass
class Office:
    """Everything about complaints over one store."""

    store: Store
    clock: FixedClock
    service: ComplaintService
    handling: ComplaintHandling
    joining: Joining
    following: Following
    judgements: JudgementService
    notifications: NotificationService


def office_over(store: Store, clock: FixedClock, decider: Decider) -> Office:
    sealer = Sealer(bytes(32))
    settings = load_settings()
    writer = ComplaintWriter(sealer, WorkCalendar(), load_limits, decider.encoder.identity)
    notifications = NotificationService(store, clock, sealer, settings)
    judgements = JudgementService(store, clock, sealer)
    notices = ComplaintNotices(writer, notifications, judgements, clock, settings)
    service = ComplaintService(store, clock, writer, decider, notices=notices)
    return Office(
        store,
        clock,
        service,
        ComplaintHandling(store, clock, writer, judgements, notices),
        Joining(store, clock, writer, service.decided, service.same_incident),
        Following(store, clock, writer),
        judgements,
        notifications,
    )


@pytest.fixture
def office(any_store: Store, clock: FixedClock, decider: Decider) -> Office:
    return office_over(any_store, clock, decider)


@pytest.fixture
def lite(store: Store, clock: FixedClock, decider: Decider) -> Office:
    """On SQLite alone, for what does not depend on the database."""
    return office_over(store, clock, decider)
