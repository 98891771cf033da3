"""The processes of an installation, as the supervisor starts them."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

from bot.clock import SystemClock
from bot.settings import Settings, load_settings
from channels.supervisor import Child

ROOT = Path(__file__).resolve().parents[2]
GRACE = 10.0
"""Seconds our processes get to end: a little more than the gateway gives to turns under way."""

RASA_MAIN = (
    "import warnings; warnings.showwarning = lambda *_, **__: None; "
    "from bot.rasa.serving.light import leave_out_tensorflow; leave_out_tensorflow(); "
    "from rasa.__main__ import main; main()"
)
"""Rasa without TensorFlow where it is not used, and without the deprecation warnings of its libraries."""

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
"""Matrix products of a turn are small; shared by two threads one costs twice the processor time and is no faster. Read
when numpy is first imported."""

RASA_PYTHON = ROOT / ".venv-rasa" / "bin" / "python"


def children(settings: Settings, model: Path | None, *, worker: bool = True) -> list[Child]:
    """Gateway, worker and Rasa; Rasa only with a trained ``model``, since elsewhere it runs by itself or not at all."""
    made = [_ours("gateway", settings)]
    if worker:
        made.append(_ours("worker", settings))
    if model is not None:
        made.append(_rasa(settings, model))
    return made


def environment(settings: Settings) -> dict[str, str]:
    """The variables that make a child see the same ``settings``."""
    given = {
        "HOME": settings.home,
        "DATABASE_URL": settings.database_url,
        "HOST": settings.host,
        "PORT": settings.port,
        "RASA_PORT": settings.rasa_port,
        "RASA_URL": settings.rasa_url,
        "RATE_LIMIT": settings.rate_limit,
    }
    if settings.wechat_api_base:
        given["WECHAT_API_BASE"] = settings.wechat_api_base
    return {f"WENBAN_{name}": str(value) for name, value in given.items()}


def run_gateway() -> None:
    """The gateway in this process, until a signal."""
    os.environ.update(ONE_THREAD)
    from channels import logs
    from channels.app import create_app
    from channels.server import make_server

    settings = load_settings()
    server = make_server(create_app(settings), settings)
    logs.configure(settings.log_level, settings.log_format)  # after the server, which brings handlers of its own
    server.run()


def run_worker() -> None:
    """The worker in this process, until a signal."""
    os.environ.update(ONE_THREAD)
    from channels import logs
    from channels.worker import Worker, jobs

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    settings = load_settings()
    logs.configure(settings.log_level, settings.log_format)
    clock = SystemClock()
    Worker(jobs(settings, clock), clock).run(stop)


def _ours(name: str, settings: Settings) -> Child:
    # -c rather than the wenban script: the same even where scripts are not installed
    command = [sys.executable, "-c", "from channels.cli import main; main()", name]
    return Child(name, command, ROOT, environment(settings), grace=GRACE)


def _rasa(settings: Settings, model: Path) -> Child:
    command = [str(RASA_PYTHON), "-c", RASA_MAIN, "run", "--model", str(model), "--port", str(settings.rasa_port)]
    command += ["--interface", "127.0.0.1", "--endpoints", "endpoints.yml", "--credentials", "credentials.yml"]
    token = settings.action_token.get_secret_value() if settings.action_token else ""
    webhook = f"http://127.0.0.1:{settings.port}/webhook" + (f"?token={token}" if token else "")
    variables = {**environment(settings), **rasa_environment(), **ONE_THREAD, "WENBAN_ACTION_URL": webhook}
    return Child("rasa", command, ROOT, variables)


def rasa_environment() -> dict[str, str]:
    """Variables that keep Rasa from calling home and from talking about its libraries."""
    return {
        "RASA_TELEMETRY_ENABLED": "false",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "SANIC_WORKERS": "1",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    }
