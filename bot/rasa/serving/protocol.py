"""What Rasa's server does anew on every turn although it never changes, done once instead.

* It rebuilds (and re-checks) the JSON schema of action replies: more than half of a turn's time.
* It opens a connection to the action server for every call.
* It hands its graph of three components and a policy to a task scheduler, which costs more than most of them.

Each is replaced by the same work with a longer memory; what is checked and answered stays as it was.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

import aiohttp
from jsonschema import Draft7Validator
from jsonschema.exceptions import best_match
from rasa.core.actions.action import RemoteAction
from rasa.engine.exceptions import GraphRunError
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.utils.endpoints import DEFAULT_REQUEST_TIMEOUT, EndpointConfig

KEPT_OPEN = 20.0
"""Seconds an idle connection is kept: less than the gateway's thirty, so that none is used while it closes it."""


def remember() -> None:
    """Replace what is done anew; calling it twice changes nothing more."""
    _cache_reply_validator()
    EndpointConfig.session = _session
    DaskGraphRunner.run = _run


def _cache_reply_validator() -> None:
    """Replace the per-reply schema construction of `RemoteAction`."""
    validator = Draft7Validator(RemoteAction.action_response_format_spec())

    def validate(self: RemoteAction, result: dict[str, Any]) -> bool:
        fault = best_match(validator.iter_errors(result))
        if fault is None:
            return True
        fault.message += (
            f". Failed to validate Action server response from API, make sure your response from the "
            f"action endpoint of '{self.name()}' is valid."
        )
        raise fault

    RemoteAction._validate_action_result = validate


class _Kept:
    """Hands out one session and leaves it open at the end of the block."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session

    async def __aenter__(self) -> aiohttp.ClientSession:
        return self.session

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


def _session(endpoint: EndpointConfig) -> _Kept:
    """The endpoint's session, with its connections kept. Called in the one event loop of the server."""
    kept: _Kept | None = getattr(endpoint, "_kept", None)
    if kept is None or kept.session.closed:
        signed = aiohttp.BasicAuth(**endpoint.basic_auth) if endpoint.basic_auth else None
        kept = endpoint._kept = _Kept(
            aiohttp.ClientSession(
                headers=endpoint.headers,
                auth=signed,
                timeout=aiohttp.ClientTimeout(total=DEFAULT_REQUEST_TIMEOUT),
                connector=aiohttp.TCPConnector(keepalive_timeout=KEPT_OPEN),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        )
    return kept


def _run(
    runner: DaskGraphRunner, inputs: dict[str, Any] | None = None, targets: list[str] | None = None
) -> dict[str, Any]:
    """The results of ``targets``: each node they need is called once, after those whose results it takes."""
    wanted = tuple(targets or runner._graph_schema.target_names)
    orders: dict[tuple[str, ...], list[tuple[str, tuple[str, ...]]]] = runner.__dict__.setdefault("_orders", {})
    if wanted not in orders:
        orders[wanted] = _order(runner._graph_schema.nodes, wanted)
    if clash := (inputs or {}).keys() & runner._graph_schema.nodes.keys():
        raise GraphRunError(f"Input names clash with node names: {', '.join(sorted(clash))}.")
    found: dict[str, Any] = {name: (name, value) for name, value in (inputs or {}).items()}
    try:
        for name, needs in orders[wanted]:
            found[name] = runner._instantiated_nodes[name](*(found.get(need, need) for need in needs))
    except RuntimeError as error:
        raise GraphRunError("Error running runner.") from error
    return dict(found[name] for name in wanted)


def _order(nodes: dict[str, Any], wanted: tuple[str, ...]) -> list[tuple[str, tuple[str, ...]]]:
    """The nodes that ``wanted`` need, each after those it takes results from, with the names of these."""
    ordered: dict[str, tuple[str, ...]] = {}

    def visit(name: str) -> None:
        if name in nodes and name not in ordered:
            needs = tuple(nodes[name].needs.values())
            for need in needs:
                visit(need)
            ordered[name] = needs

    for name in wanted:
        visit(name)
    return list(ordered.items())
