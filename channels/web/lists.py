"""A list of complaints as a page: its filter, its rows, its next page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from bot.board.model import LIGHT_NAMES, MEASURE_NAMES, NOW, Filter, Measure
from bot.complaints.model import STATE_NAMES, Kind
from bot.people.model import Account
from channels.web.handling import HOMES
from channels.web.staff import staff_context
from channels.wiring import Services


async def render_list(
    request: Request,
    services: Services,
    account: Account,
    wanted: Filter,
    cursor: str,
    template: str,
    *,
    shown: Sequence[Measure],
    held: Sequence[str] = (),
    **context: Any,
) -> Response:
    """``shown``: the lists the page offers; ``held``: what its filter does not let choose."""
    wanted = services.board.filled(wanted)
    found = await run_in_threadpool(services.board.items, wanted, cursor)
    choices = await run_in_threadpool(services.board.choices)
    return services.pages.render(
        request,
        template,
        home=HOMES[account.role],
        **staff_context(request, account),
        wanted=wanted,
        found=found,
        cursor=cursor,
        shown=shown,
        held=held,
        choices=choices,
        kinds=list(Kind),
        measures=MEASURE_NAMES,
        now_measures=NOW,
        lights=LIGHT_NAMES,
        state_names=STATE_NAMES,
        **context,
    )
