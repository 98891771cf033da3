"""One shape for every log line of a process, ours and the libraries': readable for people, or JSON for machines.

Lines of people's log: time, level, event, then the rest as key=value. Whoever logs a citizen's text masks
it first.
"""

from __future__ import annotations

import logging
import sys
from typing import Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor

QUIET = ("alembic", "httpx", "httpcore", "multipart", "jieba", "rasa_sdk.executor")
"""Libraries that tell every request or start-up step at INFO."""

OWN_HANDLERS = ("uvicorn", "uvicorn.error")


def configure(level: str, shape: Literal["console", "json"], stream: TextIO | None = None) -> None:
    """Sends every logger of this process to ``stream`` (standard error by default). Call it once, at start."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if shape == "console" else "iso", utc=False),
    ]
    last: list[Processor] = (
        [structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0, pad_level=False)]
        if shape == "console"
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder(), _without_colours],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in OWN_HANDLERS:
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
        logging.getLogger(name).setLevel(logging.NOTSET)  # the root's level counts, whatever ran here before
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))


def _without_colours(_logger: object, _method: str, entry: EventDict) -> EventDict:
    """Drops the second, coloured copy of a line that uvicorn adds."""
    entry.pop("color_message", None)
    return entry
