"""The services that commands use, built from the settings: the terminal's composition root."""

from __future__ import annotations

from bot.clock import SystemClock
from bot.matters.service import MatterService
from bot.people.service import PeopleService
from bot.settings import Settings
from bot.store import Store, make_engine, migrate
from bot.workdays import load_calendar
from channels.casework import Casework, build_casework, no_limits


def upgrade(settings: Settings) -> None:
    """Makes the home and brings its database to the present schema."""
    settings.home.mkdir(parents=True, exist_ok=True)
    migrate.upgrade(settings)


def store(settings: Settings) -> Store:
    """The store over the configured database."""
    return Store(make_engine(settings), SystemClock())


def people(settings: Settings) -> PeopleService:
    """Accounts and sign-ins."""
    return PeopleService(store(settings), SystemClock())


def casework(settings: Settings) -> Casework:
    """Cases and what belongs to them. Raises ConfigurationError where the data key is none."""
    kept = store(settings)
    calendar = load_calendar(settings.home / "calendar")
    return build_casework(settings, kept, SystemClock(), calendar, no_limits)


def matters(settings: Settings) -> MatterService:
    """The catalogue. The encoder is opened only when something is to be encoded."""
    from index.encoder import open_encoder  # starts the inference runtime

    return MatterService(
        store(settings),
        SystemClock(),
        settings.home / "index",
        lambda: open_encoder(settings.encoder, threads=settings.encoder_threads),
    )
