from __future__ import annotations

from pathlib import Path

import pytest

from bot.clock import FixedClock
from bot.matters.service import MatterService
from bot.store import Store
from tests.bot.hashing_encoder import HashingEncoder


@pytest.fixture
def encoder() -> HashingEncoder:
    return HashingEncoder()


@pytest.fixture
def matters(store: Store, clock: FixedClock, tmp_path: Path, encoder: HashingEncoder) -> MatterService:
    return MatterService(store, clock, tmp_path / "home" / "index", lambda: encoder, believed_s=0)


@pytest.fixture
def any_matters(any_store: Store, clock: FixedClock, tmp_path: Path, encoder: HashingEncoder) -> MatterService:
    """The service on each kind of database."""
    return MatterService(any_store, clock, tmp_path / "home" / "index", lambda: encoder, believed_s=0)
