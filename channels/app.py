"""The gateway's application: middlewares, routes, start and end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import structlog
from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from bot.attachments.model import MOST_BYTES
from bot.clock import Clock, SystemClock
from bot.errors import ConfigurationError, WenbanError
from bot.settings import Settings
from bot.store.migrate import upgrade
from channels import errors, wiring
from channels.api import attachments, cases, chat, complaint_news, complaints, events, health, marks, matters, webhook
from channels.api import desk as desk_stream
from channels.api.open311 import routes as open311
from channels.bus import make_relay
from channels.messages import message
from channels.metrics import Metrics, RequestMetrics
from channels.security import Bounds, SecurityHeaders
from channels.web import (
    accounts,
    aftercare,
    audit,
    board,
    console,
    desk,
    desk_acts,
    desk_help,
    desk_quality,
    hit_test,
    judge,
    learn,
    learn_draft,
    rules,
    sign_in,
    triage,
    unit,
)
from channels.web import chat as chat_page
from channels.web import complaints as complaint_pages
from channels.web import matters as matter_pages
from channels.web.pages import UI, ImmutableFiles, Pages
from channels.wechat import routes as wechat_routes
from channels.wiring import Services
from index.encoder import Encoder, open_encoder
from index.errors import EncoderUnavailable, SearchIndexError

log = structlog.get_logger("wenban.gateway")

LARGEST_UPLOAD = MOST_BYTES + 64 * 1024
"""Bytes of a body that brings a picture: the picture and the form around it."""
INDEX_INTERVAL = 1.0
"""Seconds between looks at which index is published."""
DESCRIPTION = """问办: questions about government services, answered from published guides alone.

Errors are `{"error", "message", "remedy"}`: a code for machines, a Chinese sentence for people, and what to do.
Times are ISO 8601 with offset; codes and numbers are strings."""


def create_app(settings: Settings, clock: Clock | None = None, encoder: Encoder | None = None) -> FastAPI:
    """The application. Nothing is opened before it starts; ``encoder`` default: the one the settings name."""
    pages = Pages(settings)
    metrics = Metrics()

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await asyncio.to_thread(upgrade, settings)
        try:
            opened = encoder
            if opened is None:
                opened = await asyncio.to_thread(open_encoder, settings.encoder, threads=settings.encoder_threads)
            services = wiring.build(settings, clock or SystemClock(), pages, metrics, opened)
        except EncoderUnavailable as error:
            remedy = message("encoder_remedy")
            raise ConfigurationError(
                message("encoder", reason=error), code="encoder_unavailable", remedy=remedy
            ) from error
        app.state.services = services
        with contextlib.suppress(SearchIndexError):  # the background task mends it and says so
            await asyncio.to_thread(services.refresh_index)
        tasks = [
            asyncio.create_task(_keep_index(services)),
            asyncio.create_task(_warm_complaints(services)),
            asyncio.create_task(make_relay(services.store.engine).run(services.bus)),
        ]
        if services.wechat is not None:
            services.wechat.start()
        try:
            yield
        finally:
            if services.wechat is not None:
                await services.wechat.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await services.turns.close()
            await services.dialogue.close()
            services.store.engine.dispose()

    app = FastAPI(
        title=message("api_title"),
        description=DESCRIPTION,
        version="1",
        lifespan=lifespan,
        docs_url=None,  # the usual page loads scripts from another host
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    errors.install(app, pages)
    app.include_router(webhook.router)  # routes are tried one after another: those that every turn takes come first
    for router in (
        chat.router,
        events.router,
        marks.router,
        matters.router,
        cases.router,
        complaints.router,
        attachments.router,
    ):
        app.include_router(router, prefix="/api/v1")
    for router in (
        health.router,
        chat_page.router,
        matter_pages.router,
        sign_in.router,
        console.router,
        desk.router,
        desk_acts.router,
        desk_help.router,
        desk_quality.router,
        desk_stream.router,
        complaint_news.router,
        unit.router,
        triage.router,
        board.router,
        aftercare.router,
        judge.router,
        accounts.router,
        rules.router,
        learn.router,
        learn_draft.router,
        hit_test.router,
        complaint_pages.router,
        audit.router,
        wechat_routes.router,
        open311.router,
    ):
        app.include_router(router)
    app.mount("/static", ImmutableFiles(directory=UI / "static"), name="static")
    # The last added is the outermost.
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=5)
    uploads = dict.fromkeys((attachments.UPLOADS, chat_page.UPLOADS), LARGEST_UPLOAD)
    app.add_middleware(Bounds, larger={**uploads, **dict.fromkeys(rules.PATHS, rules.MOST_BYTES)})
    app.add_middleware(errors.Incidents, pages=pages)
    app.add_middleware(RequestMetrics, metrics=metrics)
    app.add_middleware(SecurityHeaders)
    return app


async def _warm_complaints(services: Services) -> None:
    """Load what decides on complaints beside the first requests; what cannot be loaded is told to the operator."""
    try:
        await asyncio.to_thread(services.complaints.warm)
    except WenbanError as error:
        log.error("complaints_unusable", reason=error.message, remedy=error.remedy)


async def _keep_index(services: Services) -> None:
    """Bring the index in step with the database once, then follow what is published."""
    complaint = ""
    try:
        if await asyncio.to_thread(services.matters.reconcile):
            log.info("index_rebuilt")
    except WenbanError as error:
        log.error("index_not_rebuilt", reason=error.message, remedy=error.remedy)
    while True:
        try:
            await asyncio.to_thread(services.refresh_index)
            complaint = ""
        except SearchIndexError as error:
            if str(error) != complaint:
                complaint = str(error)
                log.error("index_unusable", reason=complaint)
        await asyncio.sleep(INDEX_INTERVAL)
