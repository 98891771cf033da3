import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from channels import logs


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
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
