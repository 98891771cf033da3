"""Running the gateway under uvicorn so that it ends cleanly: streams are told before connections are waited for."""

from __future__ import annotations

from types import FrameType

import uvicorn
from fastapi import FastAPI
from sse_starlette.sse import AppStatus

from bot.settings import Settings

GRACE_SECONDS = 8
"""How long running turns may take at shutdown before they are cut off."""


class Server(uvicorn.Server):
    """uvicorn that announces the shutdown to the application at the signal, not after the last connection."""

    def __init__(self, config: uvicorn.Config, application: FastAPI) -> None:
        super().__init__(config)
        # The library would end streams by a flag of the whole process, in the middle of an event; we end our own.
        AppStatus.disable_automatic_graceful_drain()  # type: ignore[no-untyped-call]  # the library has no types
        self._application = application

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.close_streams()
        super().handle_exit(sig, frame)

    def close_streams(self) -> None:
        """End the event streams; may be called from any thread, also before the start is complete."""
        services = getattr(self._application.state, "services", None)
        if services is not None:
            services.close_streams()


def make_server(application: FastAPI, settings: Settings) -> Server:
    """A server for ``application`` on the address of ``settings``; ``.run()`` blocks until a signal comes."""
    return Server(configuration(application, settings), application)


def configuration(application: FastAPI, settings: Settings) -> uvicorn.Config:
    """How uvicorn serves the gateway."""
    return uvicorn.Config(
        application,
        host=settings.host,
        port=settings.port,
        log_level=settings.log_level.lower(),
        access_log=False,  # /metrics counts requests; their texts are citizens' own
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=30,
        server_header=False,
        date_header=True,
        proxy_headers=True,
    )
