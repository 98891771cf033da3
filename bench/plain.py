"""The plain Rasa assistant of :mod:`bench.plain_rasa`: trained once for each catalogue, asked like ours."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx

from bench.measuring import Asked
from bench.plain_rasa import generate
from channels.console import ports
from channels.console.processes import ROOT
from channels.console.service import kept_running
from channels.rasa_client import ANSWERS_AT
from channels.supervisor import Child

TURN_SECONDS = 60.0
MODULE = [sys.executable, "-m", "bench.plain_rasa"]
ABOUT = "trained.json"


def trained(kept: Path, guides: Path, epochs: int) -> tuple[Path, float]:
    """The project over ``guides``, under ``kept``, and the seconds its training took, now or when it was trained.

    CalledProcessError when it cannot be trained; then nothing is left behind.
    """
    shaped = (guides.read_bytes(), str(epochs).encode(), Path(generate.__file__).read_bytes())
    folder = kept / hashlib.sha256(b"\0".join(shaped)).hexdigest()[:16]
    if not (folder / ABOUT).exists():
        shutil.rmtree(folder, ignore_errors=True)
        started = time.perf_counter()
        command = [*MODULE, "build", str(folder), "--guides", str(guides), "--epochs", str(epochs)]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        (folder / ABOUT).write_text(json.dumps({"seconds": round(time.perf_counter() - started, 1)}), encoding="utf-8")
    return folder, float(json.loads((folder / ABOUT).read_text(encoding="utf-8"))["seconds"])


@contextlib.asynccontextmanager
async def plain(
    folder: Path, texts: Sequence[str], most_clients: int, matters: dict[int, str | None]
) -> AsyncIterator[Asked]:
    """The assistant in ``folder``, to be asked ``texts`` over and over, each in a conversation of its own.

    ``matters`` gets the matter that each text was answered about.
    """
    port = ports.any_free()
    url = f"http://127.0.0.1:{port}"
    child = Child("plain_rasa", [*MODULE, "serve", str(folder), "--port", str(port)], ROOT)
    async with kept_running([child], [(url, ANSWERS_AT)]) as process_ids:
        limits = httpx.Limits(max_connections=most_clients, max_keepalive_connections=most_clients)
        async with httpx.AsyncClient(base_url=url, trust_env=False, limits=limits, timeout=TURN_SECONDS) as client:
            senders = iter(range(sys.maxsize))

            async def ask(number: int) -> None:
                place = number % len(texts)
                body = {"sender": f"{next(senders)}-{port}", "message": texts[place]}
                response = await client.post("/webhooks/rest/webhook", json=body)
                response.raise_for_status()
                customs = [reply["custom"] for reply in response.json() if reply.get("custom")]
                matters[place] = customs[0].get("matter") if customs else None

            yield Asked(ask, process_ids)
