"""The ways out: webhooks by HTTP, checked against the own network at every connection, and Redis Streams."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import structlog
from aiohttp.abc import AbstractResolver, ResolveResult
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.clock import Clock
from bot.errors import ConfigurationError, InvalidInput
from bot.outflow.model import STREAM, Event, checked_url, is_public, private_address, signature
from bot.outflow.service import Delivery, Ended, OutflowService
from bot.settings import Settings
from bot.store import Store
from bot.store.sealed import Sealer
from bot.supervision.telling import event_data
from channels.relay import Envelope, Handler, PutOff
from channels.worker import Job

log = structlog.get_logger("wenban.outflow")

TIMEOUT = 10.0
"""Seconds a receiver gets for everything."""
AT_ONCE = 8
"""Deliveries to one receiver at the same time."""
STREAM_BATCH = 200
STREAM_LENGTH = 100_000
"""About how many events the stream keeps."""
EVERY = timedelta(seconds=1)
USER_AGENT = "wenban-webhook/1"
_GONE = 410
_ANSWER = 300
"""Bytes of an answer that are looked at, for the operator."""


class PublicResolver(AbstractResolver):
    """Looks names up and refuses those that lead into the own network, at the moment they are connected to.

    So a name that changes its address after it was checked gets no further.
    """

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        addresses: list[ResolveResult] = []
        for kind, _, protocol, _, address in found:
            if not is_public(str(address[0])):
                raise private_address()
            addresses.append(
                ResolveResult(
                    hostname=host,
                    host=str(address[0]),
                    port=port,
                    family=kind,
                    proto=protocol,
                    flags=socket.AI_NUMERICHOST,
                )
            )
        return addresses

    async def close(self) -> None:
        """Holds nothing."""


class WebhookPoster:
    """Posts signed events. Belongs to one event loop."""

    def __init__(self, clock: Clock, *, private: bool) -> None:
        self._clock = clock
        self._private = private
        connector = aiohttp.TCPConnector(resolver=None if private else PublicResolver(), use_dns_cache=False)
        self._http = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=TIMEOUT),
            headers={"User-Agent": USER_AGENT, "Content-Type": "application/cloudevents+json; charset=utf-8"},
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )

    async def post(self, url: str, secret: str, delivery: Delivery) -> Ended:
        """Sends one delivery. Never raises for what a receiver does."""
        timestamp = int(self._clock.now().timestamp())
        headers = {
            "webhook-id": delivery.event_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(secret, delivery.event_id, timestamp, delivery.body),
        }
        try:
            checked_url(url, private=self._private)
            async with self._http.post(url, data=delivery.body, headers=headers, allow_redirects=False) as answer:
                if 200 <= answer.status < 300:
                    return Ended(answer.status)
                said = (await answer.content.read(_ANSWER)).decode("utf-8", "replace")
                return Ended(answer.status, f"status {answer.status}: {said}"[:_ANSWER], final=answer.status == _GONE)
        except InvalidInput as refused:
            return Ended(None, f"{refused.code}: {url}", final=True)
        except TimeoutError:
            return Ended(None, f"no answer within {TIMEOUT:.0f} seconds")
        except (aiohttp.ClientError, OSError) as error:
            return Ended(None, f"{type(error).__name__}: {error}")

    async def close(self) -> None:
        await self._http.close()


class StreamWriter:
    """Adds events to a Redis stream. Belongs to one event loop."""

    def __init__(self, url: str, stream: str) -> None:
        """Raises ConfigurationError where the URL is none of Redis."""
        self._stream = stream
        try:
            self._redis: Redis = Redis.from_url(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT)
        except ValueError as error:
            raise ConfigurationError(
                "设置 WENBAN_REDIS_URL 不是 Redis 的地址。", remedy="应为 redis://主机:6379/0。"
            ) from error

    async def add(self, deliveries: Sequence[Delivery]) -> Ended:
        """Adds them in order, all or none; how it ended for each of them."""
        try:
            async with self._redis.pipeline(transaction=True) as pipeline:
                for delivery in deliveries:
                    fields: dict[Any, Any] = {
                        "id": delivery.event_id,
                        "type": delivery.type,
                        "subject": delivery.subject,
                        "event": delivery.body,
                    }
                    pipeline.xadd(self._stream, fields, maxlen=STREAM_LENGTH, approximate=True)
                await pipeline.execute()
        except (RedisError, OSError) as error:
            return Ended(None, f"{type(error).__name__}: {error}")
        return Ended()

    async def close(self) -> None:
        await self._redis.aclose()


class Outflow:
    """Brings deliveries out, in a thread of its own: a receiver that hangs keeps no other job waiting."""

    def __init__(self, service: OutflowService, settings: Settings, clock: Clock) -> None:
        self._service = service
        self._settings = settings
        self._clock = clock
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def job(self) -> Job:
        """The worker's job."""
        return Job("outflow", EVERY, self._kick, self._close)

    def run(self) -> int:
        """Sends what is due; how many deliveries arrived."""
        return asyncio.run(self._drain())

    def _kick(self, _: datetime) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._guarded, name="outflow", daemon=True)
            self._thread.start()

    def _guarded(self) -> None:
        try:
            self.run()
        except Exception:
            log.exception("outflow_failed")

    def _close(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(TIMEOUT * 2)

    async def _drain(self) -> int:
        receivers = await asyncio.to_thread(self._service.receivers)
        url = self._settings.redis_url
        async with contextlib.AsyncExitStack() as held:
            ways: list[Awaitable[int]] = []
            if receivers:
                poster = WebhookPoster(self._clock, private=self._settings.webhook_private == "allow")
                held.push_async_callback(poster.close)
                ways += [self._way(target, AT_ONCE, self._posting(poster, *to)) for target, to in receivers.items()]
            if url is not None:
                writer = StreamWriter(url.get_secret_value(), self._settings.redis_stream)
                held.push_async_callback(writer.close)
                ways.append(self._way(STREAM, STREAM_BATCH, self._adding(writer)))
            return sum(await asyncio.gather(*ways))

    async def _way(self, target: str, batch: int, send: Callable[[list[Delivery]], Awaitable[list[Ended]]]) -> int:
        """Everything due for one target; after a failure the rest waits for the next time."""
        arrived = 0
        while not self._stop.is_set():
            deliveries = await asyncio.to_thread(self._service.claim, target, batch)
            if not deliveries:
                break
            ends = await send(deliveries)
            for delivery, ended in zip(deliveries, ends, strict=True):
                await asyncio.to_thread(self._service.settle, delivery, ended)
            arrived += sum(ended.error is None for ended in ends)
            if any(ended.error is not None for ended in ends):
                break
        return arrived

    @staticmethod
    def _posting(poster: WebhookPoster, url: str, secret: str) -> Callable[[list[Delivery]], Awaitable[list[Ended]]]:
        async def send(deliveries: list[Delivery]) -> list[Ended]:
            return list(await asyncio.gather(*(poster.post(url, secret, delivery) for delivery in deliveries)))

        return send

    @staticmethod
    def _adding(writer: StreamWriter) -> Callable[[list[Delivery]], Awaitable[list[Ended]]]:
        async def send(deliveries: list[Delivery]) -> list[Ended]:
            return [await writer.add(deliveries)] * len(deliveries)

        return send


def outflow_of(settings: Settings, store: Store, clock: Clock, sealer: Sealer) -> OutflowService:
    """The service over ``settings``."""
    private = settings.webhook_private == "allow"
    return OutflowService(store, clock, sealer, private=private, streams=settings.redis_url is not None)


def publishing(service: OutflowService, store: Store, settings: Settings) -> Handler:
    """The handler that makes events of outbox messages and puts them on the list of whoever wants them."""
    source = settings.public_url or f"urn:wenban:{settings.city_name}"

    def publish(envelope: Envelope) -> None:
        targets = service.targets(envelope.topic)
        if not targets:
            return
        with store.write() as work:
            data = event_data(work.session, envelope.topic, envelope.key, envelope.payload)
            if data is None:
                return
            # the number of an outbox message is unique in one database, its time over all that ever were
            name = f"{envelope.at.timestamp():.0f}-{envelope.id}"
            service.publish(work, Event(name, envelope.topic, source, envelope.key, envelope.at, data), targets)

    async def handle(envelope: Envelope, _: datetime) -> PutOff | None:
        await asyncio.to_thread(publish, envelope)
        return None

    return handle
