"""The stand-in as an application: the API and the phone."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from channels.security import Bounds, SecurityHeaders
from channels.web.pages import UI
from channels.wechat.client import LARGEST_MEDIA
from channels.wechat.simulator import api, phone
from channels.wechat.simulator.platform import Platform


def create_standin(platform: Platform, *, city: str = "") -> FastAPI:
    """The application over ``platform``, which it closes."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:  # noqa: ARG001 - the framework's signature
        yield
        await platform.poster.close()

    app = FastAPI(lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)
    app.state.platform = platform
    app.include_router(api.router_of(platform))
    app.include_router(phone.router_of(platform, city))
    app.mount("/ui", StaticFiles(directory=UI / "static"), name="ui")
    app.mount("/static", StaticFiles(directory=phone.HERE / "static"), name="static")
    app.add_middleware(Bounds, max_body=LARGEST_MEDIA + 64 * 1024)
    app.add_middleware(SecurityHeaders)
    return app
