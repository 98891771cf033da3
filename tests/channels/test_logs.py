import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from channels import logs


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root, server = logging.getLogger(), logging.getLogger("uvicorn.error")
    handlers, level, server_level = root.handlers, root.level, server.level
    yield
    root.handlers, root.level = handlers, level
    server.setLevel(server_level)
    structlog.reset_defaults()


def test_people_read_time_level_event_and_what_belongs_to_it() -> None:
    out = io.StringIO()
    logs.configure("INFO", "console", out)
    structlog.get_logger("wenban").info("index_in_use", name="20261122.1")
    logging.getLogger("uvicorn.error").info("Started server process [%d]", 7)
    first, second = out.getvalue().splitlines()
    assert "index_in_use" in first
    assert "name=20261122.1" in first
    assert "Started server process [7]" in second


def test_a_level_that_a_library_set_for_itself_does_not_silence_it() -> None:
    out = io.StringIO()
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # as uvicorn does for whoever runs it quietly
    logs.configure("INFO", "console", out)
    logging.getLogger("uvicorn.error").info("Started server process [%d]", 7)
    assert "Started server process [7]" in out.getvalue()


def test_machines_read_json_with_the_traceback_in_one_line() -> None:
    out = io.StringIO()
    logs.configure("INFO", "json", out)
    try:
        raise ValueError("kaputt")
    except ValueError:
        structlog.get_logger().exception("job_failed", job="beat")
    (line,) = out.getvalue().splitlines()
    entry = json.loads(line)
    assert (entry["event"], entry["job"], entry["level"]) == ("job_failed", "beat", "error")
    assert "kaputt" in entry["exception"]


def test_lines_below_the_level_are_not_written() -> None:
    out = io.StringIO()
    logs.configure("WARNING", "console", out)
    structlog.get_logger("wenban").info("unheard")
    logging.getLogger("httpx").info("GET /")
    assert out.getvalue() == ""
