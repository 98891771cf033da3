"""What Rasa understands of the labelled sets, asked once for all tests."""

from __future__ import annotations

import pytest

from tests.nlu.measuring import HELD_OUT, QUESTIONS, Row, rows, understand
from tests.rasa_server import RasaServer

Understood = list[tuple[Row, Row]]
"""Labelled rows beside what Rasa understood of them."""


def _asked(server: RasaServer, labelled: list[Row]) -> Understood:
    return list(zip(labelled, understand(server.url, [row["text"] for row in labelled]), strict=True))


@pytest.fixture(scope="session")
def development(rasa_server: RasaServer) -> Understood:
    """Every development question; thresholds were chosen on them, so they only guard against getting worse."""
    return _asked(rasa_server, rows(QUESTIONS / "development.jsonl"))


@pytest.fixture(scope="session")
def acts(rasa_server: RasaServer) -> Understood:
    """Dialogue acts whose texts are not trained on; see data/README.md for what they can tell."""
    return _asked(rasa_server, rows(HELD_OUT / "acts.jsonl"))


@pytest.fixture(scope="session")
def emergencies(rasa_server: RasaServer) -> Understood:
    """Dangers, and words that only sound so; not trained on, see data/README.md."""
    return _asked(rasa_server, rows(HELD_OUT / "emergencies.jsonl"))


@pytest.fixture(scope="session")
def fresh_acts(rasa_server: RasaServer) -> Understood:
    """Dialogue acts written before this model was looked at, and never tuned on."""
    return _asked(rasa_server, rows(HELD_OUT / "fresh-acts.jsonl"))


@pytest.fixture(scope="session")
def fresh_emergencies(rasa_server: RasaServer) -> Understood:
    """Dangers, and harmless texts that sound like them; never tuned on."""
    return _asked(rasa_server, rows(HELD_OUT / "fresh-emergencies.jsonl"))


@pytest.fixture(scope="session")
def fresh_entities(rasa_server: RasaServer) -> Understood:
    """Numbers, dates, places and persons; never tuned on."""
    return _asked(rasa_server, rows(HELD_OUT / "fresh-entities.jsonl"))


@pytest.fixture(scope="session")
def fresh_complaints(rasa_server: RasaServer) -> Understood:
    """Complaints of every kind, and what is said about one that was filed; never tuned on."""
    return _asked(rasa_server, rows(HELD_OUT / "fresh-complaints.jsonl"))
