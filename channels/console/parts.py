"""The services that commands use, built from the settings: the terminal's composition root."""

from __future__ import annotations

from bot.clock import SystemClock
from bot.matters.service import MatterService
from bot.settings import Settings
from bot.store import Store, make_engine
from bot.store.migrate import upgrade as upgrade


def store(settings: Settings) -> Store:
    """The store over the configured database."""
    return Store(make_engine(settings), SystemClock())


def matters(settings: Settings) -> MatterService:
    """The catalogue. The encoder is opened only when something is to be encoded."""
    from index.encoder import open_encoder  # starts the inference runtime

    return MatterService(
        store(settings),
        SystemClock(),
        settings.home / "index",
        lambda: open_encoder(settings.encoder, threads=settings.encoder_threads),
    )
