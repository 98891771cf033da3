"""What the worker does for learning, done at once over a running gateway."""

from __future__ import annotations

from bot.learning.gathering import Gatherer
from bot.workdays import WorkCalendar
from channels.learning import evaluator
from index.encoder import Encoder
from tests.gateway import Gateway


def listen(gateway: Gateway, encoder: Encoder) -> int:
    """Fills the review list from the conversations; how many questions are new."""
    services = gateway.services
    return Gatherer(services.store, lambda: encoder).refresh(services.clock.now())


def evaluate(gateway: Gateway, encoder: Encoder) -> bool:
    """Carries out the evaluation that waits; False where none does."""
    services = gateway.services
    parts = (services.settings, services.store, services.clock, WorkCalendar(), services.phrases, lambda: encoder)
    return evaluator(*parts).run_next()
