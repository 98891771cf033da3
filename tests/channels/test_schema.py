"""The API held to its own description by schemathesis: whatever fits it is answered, and as it promises."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import Phase, given, settings
from schemathesis.checks import CHECKS

from index.encoder import Encoder
from tests.gateway import Gateway, copied, running, settings_for

CHECKED = ["not_a_server_error", "content_type_conformance", "response_schema_conformance"]
LEFT_OUT = r"/events$|^/readyz$"  # a stream never ends; not ready is a server error by design
EXAMPLES = 8
"""Calls an operation; by hand more: SCHEMA_EXAMPLES in the decorator below."""


@pytest.fixture(scope="module")
def gateway(city: Path, tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Gateway]:
    with running(settings_for(copied(city, tmp_path_factory.mktemp("schema") / "home")), encoder) as started:
        started.services.complaints.warm()
        yield started


def test_what_fits_the_description_is_answered_as_promised(gateway: Gateway) -> None:
    schema = schemathesis.openapi.from_url(f"{gateway.url}/openapi.json").exclude(path_regex=LEFT_OUT)
    checks = CHECKS.get_by_names(CHECKED)
    walked = []
    for found in schema.get_all_operations():
        operation = found.ok()

        @given(case=operation.as_strategy())
        @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
        def answered(case: schemathesis.Case) -> None:
            case.validate_response(case.call(timeout=60), checks=checks)

        answered()
        walked.append(operation.label)
    assert len(walked) >= 18
