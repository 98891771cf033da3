"""What operators measure: request latencies by route, turns by outcome, open streams, the parts' health."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, PlatformCollector, ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The instruments of one application, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.requests = Histogram(
            "wenban_http_request_seconds",
            "Seconds until a request's answer began",
            ["method", "route", "status"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.turns = Counter(
            "wenban_turns", "Citizen turns answered", ["channel", "outcome", "limited"], registry=self.registry
        )
        self.turn_seconds = Histogram(
            "wenban_turn_seconds",
            "Seconds a citizen's turn took",
            ["channel"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.wechat_posts = Counter(
            "wenban_wechat_posts",
            "Posts of the WeChat platform by how they were answered",
            ["answer"],
            registry=self.registry,
        )
        self.wechat_messages = Counter(
            "wenban_wechat_messages", "Customer-service messages by how they ended", ["outcome"], registry=self.registry
        )
        self.cases_taken = Counter(
            "wenban_cases_taken", "Cases sent with an API key by what became of them", ["taken"], registry=self.registry
        )
        self.streams = Gauge("wenban_event_streams", "Open event streams", registry=self.registry)
        self.parts = Gauge(
            "wenban_part_up", "Whether a part was working when last looked at", ["part"], registry=self.registry
        )
        self.index = Info(
            "wenban_index", "Which version of the catalogue questions are answered from", registry=self.registry
        )


class RequestMetrics:
    """Times every request under the template of its route, so that a matter's code is not a label."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = time.perf_counter()

        async def timed(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = _template(scope)
                self.metrics.requests.labels(scope["method"], route, str(message["status"])).observe(
                    time.perf_counter() - begun
                )
            await send(message)

        await self.app(scope, receive, timed)


def _template(scope: Scope) -> str:
    """The path with the names of its parameters in place of their values."""
    path: str = scope["path"]
    if "endpoint" not in scope:
        return "none"
    if path.startswith("/static/"):
        return "/static"
    for name, value in scope.get("path_params", {}).items():
        path = path.replace(f"/{value}", f"/{{{name}}}", 1)
    return path
