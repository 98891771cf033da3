"""A real Rasa for tests: the model of the present content, a free port, and an action server we can watch."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from channels.console.processes import RASA_MAIN

ROOT = Path(__file__).resolve().parents[1]
PYTHON = ROOT / ".venv-rasa" / "bin" / "python"
QUIET = {"RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "3", "SANIC_WORKERS": "1"}
STARTS_WITHIN = 300.0
"""Seconds; ten on an idle machine."""


@dataclass
class Actions:
    """The action server Rasa calls. It answers with the name of the action asked for, or passes the call on."""

    url: str = ""
    forward_to: str | None = None
    failing: bool = False
    calls: list[dict[str, Any]] = field(default_factory=list)
    connections: int = 0
    """How often it was connected to."""

    def answer(self, call: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.calls.append(call)
        if self.failing:
            return 500, {"error": "told to fail"}
        if self.forward_to:
            response = httpx.post(self.forward_to, json=call, timeout=30, trust_env=False)
            return response.status_code, response.json()
        return 200, {"events": [], "responses": [{"custom": {"action": call["next_action"]}}]}


@dataclass
class RasaServer:
    """A running Rasa."""

    url: str
    actions: Actions
    process: int
    model: Path


def model_of_the_present_content() -> Path:
    """The cached model, trained now where there is none."""
    home = Path(os.environ.get("WENBAN_HOME", ROOT / "var"))
    command = [str(PYTHON), "-m", "bot.rasa.train", "--home", str(home)]
    trained = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **QUIET}, capture_output=True, text=True, check=False
    )
    assert trained.returncode == 0, trained.stderr[-3000:]
    return Path(trained.stdout.strip().splitlines()[-1])


@contextlib.contextmanager
def serving_actions() -> Iterator[Actions]:
    """An action server on a free port."""
    actions = Actions()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            actions.connections += 1
            super().setup()

        def do_POST(self) -> None:
            call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, body = actions.answer(call)
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    actions.url = f"http://127.0.0.1:{server.server_address[1]}/webhook"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield actions
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@contextlib.contextmanager
def serving_rasa() -> Iterator[RasaServer]:
    """Rasa with the project's own configuration, until the body ends."""
    model = model_of_the_present_content()
    with serving_actions() as actions, socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        reserved.close()
        command = [str(PYTHON), "-c", RASA_MAIN, "run", "--model", str(model), "--port", str(port), "--enable-api"]
        command += ["--interface", "127.0.0.1", "--endpoints", "endpoints.yml", "--credentials", "credentials.yml"]
        environment = {**os.environ, **QUIET, "WENBAN_ACTION_URL": actions.url}
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _await(process, f"http://127.0.0.1:{port}")
            yield RasaServer(f"http://127.0.0.1:{port}", actions, process.pid, model)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(20)


def _await(process: subprocess.Popen[bytes], url: str) -> None:
    patience = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < patience:
        assert process.poll() is None, "Rasa ended while starting"
        with contextlib.suppress(httpx.HTTPError):
            status = httpx.get(f"{url}/status", timeout=2, trust_env=False)
            if status.status_code == 200 and status.json().get("model_file"):
                return
        threading.Event().wait(0.5)
    raise AssertionError("Rasa did not start in time")
