"""The plain Rasa assistant of :mod:`bench.plain_rasa` over the same catalogue: its accuracy and what its turns cost."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from bench.measuring import load, memory
from channels.console import ports
from channels.console.processes import ROOT
from channels.console.service import kept_running
from channels.rasa_client import ANSWERS_AT
from channels.supervisor import Child
from index.evaluation.questions import Question
from index.evaluation.rates import rate

WARM_UP = 30
TURN_SECONDS = 30.0
MODULE = [sys.executable, "-m", "bench.plain_rasa"]


def build(folder: Path, guides: Path, epochs: int) -> None:
    """Writes and trains the assistant; CalledProcessError when that fails."""
    command = [*MODULE, "build", str(folder), "--guides", str(guides), "--epochs", str(epochs)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def measure(folder: Path, questions: Sequence[Question], clients: Sequence[int], turns: int) -> dict[str, Any]:
    """Right matter answered first; latency and throughput at each number of clients; memory."""
    return asyncio.run(_measure(folder, questions, clients, turns))


async def _measure(folder: Path, questions: Sequence[Question], clients: Sequence[int], turns: int) -> dict[str, Any]:
    port = ports.any_free()
    url = f"http://127.0.0.1:{port}"
    child = Child("plain_rasa", [*MODULE, "serve", str(folder), "--port", str(port)], ROOT)
    async with kept_running([child], [(url, ANSWERS_AT)]) as process_ids:
        limits = httpx.Limits(max_connections=max(clients), max_keepalive_connections=max(clients))
        async with httpx.AsyncClient(base_url=url, trust_env=False, limits=limits, timeout=TURN_SECONDS) as client:
            answers: dict[int, str | None] = {}

            async def ask(number: int) -> None:
                place = number % len(questions)
                body = {"sender": f"{number}-{port}", "message": questions[place].text}
                response = await client.post("/webhooks/rest/webhook", json=body)
                response.raise_for_status()
                customs = [reply["custom"] for reply in response.json() if reply.get("custom")]
                answers[place] = customs[0].get("matter") if customs else None

            await load(ask, 1, WARM_UP)
            await load(ask, 4, len(questions))
            asked = [(q, answers.get(place)) for place, q in enumerate(questions) if q.answerable and not q.context]
            rows = [await load(ask, count, turns) for count in clients]
            right = rate([answer in question.matters for question, answer in asked])
            return {"right_first": right.to_dict(), "rows": rows, "memory_mb": memory(process_ids())}
