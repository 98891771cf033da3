"""Chromium over a real gateway. Every context fails its test when a page asks another host or throws."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from index.encoder import open_encoder
from tests.gateway import Gateway, publish, running, sample_guides, settings_for

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 800}
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE = 30_000
"""Milliseconds a page may take on a busy machine."""

expect.set_options(timeout=PATIENCE)

NewContext = Callable[..., BrowserContext]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Ends with its module: while Playwright lives its event loop runs in this thread, and nothing else may start one.
    found = os.environ.get("WENBAN_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        if os.environ.get("WENBAN_CI"):
            pytest.fail("the checks of a change must have chromium")
        pytest.skip("no chromium on this machine; install it or set WENBAN_TEST_CHROMIUM")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    home: Path = tmp_path_factory.mktemp("browser-city")
    encoder = open_encoder(threads=1)
    publish(home, sample_guides(), encoder)
    with running(settings_for(home), encoder) as started:
        yield started


@pytest.fixture
def new_context(browser: Browser, gateway: Gateway) -> Iterator[NewContext]:
    """Makes contexts; at the end of the test none may have asked another host or thrown an error."""
    host = urlsplit(gateway.url).netloc
    foreign: list[str] = []
    faults: list[str] = []
    made: list[BrowserContext] = []

    def make(*, elder: bool = False, **options: Any) -> BrowserContext:
        options = {"viewport": PHONE, "locale": "zh-CN", "base_url": gateway.url, **options}
        context = browser.new_context(**options)
        context.set_default_timeout(PATIENCE)
        context.on("request", lambda request: urlsplit(request.url).netloc == host or foreign.append(request.url))
        context.on("weberror", lambda error: faults.append(str(error.error)))
        if elder:
            context.add_cookies([{"name": "wenban_elder", "value": "1", "url": gateway.url}])
        made.append(context)
        return context

    yield make
    for context in made:
        context.close()
    assert foreign == []
    assert faults == []


@pytest.fixture
def page(new_context: NewContext) -> Page:
    """The chat on a phone."""
    page = new_context().new_page()
    page.goto("/chat")
    return page
