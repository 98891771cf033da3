"""Fixtures that every part of the system needs: a standing clock, a migrated store, one real Rasa."""

from collections.abc import Iterator

import pytest

from tests.bot.conftest import any_empty_engine, any_engine, clock, sqlite_engine, store
from tests.rasa_server import PYTHON, RasaServer, serving_rasa

__all__ = ["any_empty_engine", "any_engine", "clock", "rasa", "rasa_server", "sqlite_engine", "store"]


@pytest.fixture(scope="session")
def rasa_server() -> Iterator[RasaServer]:
    """One Rasa for all tests of the session; takes a training the first time and ten seconds later."""
    if not PYTHON.exists():
        pytest.skip("Rasa's environment .venv-rasa is not installed (make setup)")
    with serving_rasa() as server:
        yield server


@pytest.fixture
def rasa(rasa_server: RasaServer) -> RasaServer:
    """The session's Rasa with an action server in its first state."""
    rasa_server.actions.forward_to = None
    rasa_server.actions.failing = False
    rasa_server.actions.calls.clear()
    return rasa_server
