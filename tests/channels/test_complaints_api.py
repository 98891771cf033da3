"""Complaints over HTTP, through a running gateway."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.clock import FixedClock
from bot.matters.service import MatterService
from bot.store import Store, make_engine
from index.encoder import Encoder
from tests.gateway import Gateway, copied, running, settings_for, sunday, write_rows

POWERS = Path(__file__).resolve().parents[2] / "catalogue" / "powers.jsonl"
UNITS = {"云山供水有限公司", "云山市人力资源和社会保障局", "云山市林业局"}
BURST = {"text": "人民路药材公司门口自来水管爆了，水喷了两层楼高，没人来抢修", "location": "人民路药材公司门口"}
PROMISED = {
    "number", "query_code", "kind", "category", "urgent", "department", "candidates", "state", "due_at", "duplicate_of",
}  # fmt: skip


@pytest.fixture(scope="module")
def clock() -> FixedClock:
    return sunday()


@pytest.fixture(scope="module")
def gateway(
    city: Path, tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, clock: FixedClock
) -> Iterator[Gateway]:
    home = copied(city, tmp_path_factory.mktemp("complaints") / "home")
    rows: list[dict[str, Any]] = [json.loads(line) for line in POWERS.read_text("utf-8").splitlines()]
    file = write_rows(home / "powers.jsonl", [row for row in rows if row["department"] in UNITS])
    engine = make_engine(settings_for(home))
    MatterService(Store(engine, clock), clock, home / "index", lambda: encoder).import_powers(file)
    engine.dispose()
    with running(settings_for(home), encoder, clock) as started:
        yield started


def post(gateway: Gateway, body: Any, key: str | None = None) -> httpx.Response:
    with gateway.client() as client:
        return client.post("/api/v1/complaints", json=body, headers={"Idempotency-Key": key} if key else {})


def call(gateway: Gateway, method: str, number: str, code: str, **more: Any) -> httpx.Response:
    with gateway.client() as client:
        return client.request(method, f"/api/v1/complaints/{number}", params={"code": code}, **more)


def test_a_complaint_is_filed_in_the_promised_shape_and_followed(gateway: Gateway) -> None:
    response = post(gateway, BURST)
    assert response.status_code == 201
    filed = response.json()
    assert set(filed) >= PROMISED
    assert filed["department"] == "云山供水有限公司"
    assert filed["state"] == "dispatched"
    assert {"department", "score", "power", "basis"} == set(filed["candidates"][0])
    assert datetime.fromisoformat(filed["due_at"]).utcoffset() == timedelta(hours=8)
    followed = call(gateway, "GET", filed["number"], filed["query_code"])
    assert followed.status_code == 200
    assert followed.json()["text"] == BURST["text"]
    assert followed.headers["cache-control"] == "no-store"


def test_a_key_sent_again_files_nothing(gateway: Gateway) -> None:
    first, again = post(gateway, BURST, "k1"), post(gateway, BURST, "k1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["number"] == again.json()["number"]
    other = post(gateway, {"text": "工资拖了四个月没发"}, "k1")
    assert (other.status_code, other.json()["error"]) == (409, "idempotency_key_reused")


def test_unknown_number_and_wrong_code_look_the_same(gateway: Gateway) -> None:
    filed = post(gateway, BURST).json()
    wrong = call(gateway, "GET", filed["number"], "2ZZZZZ")
    unknown = call(gateway, "GET", "TS2611220000000", "2ZZZZZ")
    assert (wrong.status_code, wrong.json()) == (unknown.status_code, unknown.json()) == (404, wrong.json())
    for _ in range(4):
        call(gateway, "GET", filed["number"], "2ZZZZZ")
    locked = call(gateway, "GET", filed["number"], filed["query_code"])
    assert (locked.status_code, locked.json()["error"]) == (429, "complaint_locked")
    assert int(locked.headers["retry-after"]) > 0


def test_it_is_corrected_and_withdrawn_for_ten_minutes(gateway: Gateway, clock: FixedClock) -> None:
    filed = post(gateway, BURST).json()
    corrected = call(gateway, "PUT", filed["number"], filed["query_code"], json={"text": "工资拖了四个月没有发"})
    assert corrected.json()["department"] == "云山市人力资源和社会保障局"
    late = post(gateway, BURST).json()
    assert call(gateway, "DELETE", filed["number"], filed["query_code"]).json()["state"] == "withdrawn"
    clock.advance(timedelta(minutes=11))
    refused = call(gateway, "DELETE", late["number"], late["query_code"])
    assert (refused.status_code, refused.json()["error"]) == (409, "complaint_too_late")


def test_danger_gets_the_number_to_call_first(gateway: Gateway) -> None:
    filed = post(gateway, {"text": "楼道着火了好大的烟，八楼有人喊救命下不来"}).json()
    assert filed["urgent"]
    assert "119" in filed["advice"]


@pytest.mark.parametrize(
    "body", [{}, {"text": ""}, {"text": "吵"}, {"text": "太吵了啊", "kind": "闲聊"}, {"text": 5}, {"text": "吵" * 3000}]
)
def test_what_cannot_be_filed_is_refused_with_a_remedy(gateway: Gateway, body: Any) -> None:
    refused = post(gateway, body)
    assert refused.status_code == 422
    assert refused.json()["message"]
    assert refused.json()["remedy"]
