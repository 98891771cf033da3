"""The Open311 façade as a standard client uses it: JSON and XML, the same complaint underneath."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from bot.clock import FixedClock
from bot.keys.model import Scope
from bot.matters.service import MatterService
from bot.store import Store, make_engine
from index.encoder import Encoder
from tests.gateway import Gateway, copied, running, settings_for, sunday, write_rows

POWERS = Path(__file__).resolve().parents[2] / "catalogue" / "powers.jsonl"
BASE = "/open311/v2"
BURST = {"description": "人民路药材公司门口自来水管爆了，水喷了两层楼高", "address_string": "人民路药材公司门口"}


@pytest.fixture(scope="module")
def clock() -> FixedClock:
    return sunday()


@pytest.fixture(scope="module")
def gateway(
    city: Path, tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, clock: FixedClock
) -> Iterator[Gateway]:
    home = copied(city, tmp_path_factory.mktemp("open311") / "home")
    rows: list[dict[str, Any]] = [json.loads(line) for line in POWERS.read_text("utf-8").splitlines()]
    file = write_rows(home / "powers.jsonl", [row for row in rows if row["department"] == "云山供水有限公司"])
    engine = make_engine(settings_for(home))
    MatterService(Store(engine, clock), clock, home / "index", lambda: encoder).import_powers(file)
    engine.dispose()
    with running(settings_for(home), encoder, clock) as started:
        started.services.complaints.warm()  # a busy machine may not have got there by itself yet
        yield started


@pytest.fixture(scope="module")
def writer(gateway: Gateway) -> str:
    return gateway.services.casework.keys.add("app", [Scope.COMPLAINTS_WRITE], actor="test")[0]


@pytest.fixture(scope="module")
def reader(gateway: Gateway) -> str:
    return gateway.services.casework.keys.add("map", [Scope.COMPLAINTS_READ], actor="test")[0]


def get(gateway: Gateway, path: str, **query: Any) -> httpx.Response:
    with gateway.client() as client:
        return client.get(BASE + path, params=query)


def post(gateway: Gateway, key: str, shape: str = "json", retry: str | None = None, **form: str) -> httpx.Response:
    headers = {"Idempotency-Key": retry} if retry else {}
    with gateway.client() as client:
        return client.post(f"{BASE}/requests.{shape}", data={"api_key": key, **form}, headers=headers)


def a_service(gateway: Gateway) -> dict[str, Any]:
    found: dict[str, Any] = get(gateway, "/services.json").json()[3]
    return found


def test_the_published_categories_are_the_services(gateway: Gateway) -> None:
    listed = get(gateway, "/services.json").json()
    codes = [service["service_code"] for service in listed]
    assert len(codes) == len(set(codes)) > 20
    assert {"service_code", "service_name", "description", "metadata", "type", "keywords", "group"} == set(listed[0])
    tree = ElementTree.fromstring(get(gateway, "/services.xml").content)
    assert [service.findtext("service_code") for service in tree.iter("service")] == codes
    assert get(gateway, f"/services/{codes[0]}.json").json() == {"service_code": codes[0], "attributes": []}
    assert get(gateway, "/services/none.xml").status_code == 404


def test_discovery_names_this_endpoint(gateway: Gateway) -> None:
    found = get(gateway, "/discovery.json").json()
    assert found["endpoints"][0]["url"] == f"{gateway.url}{BASE}"
    assert ElementTree.fromstring(get(gateway, "/discovery.xml").content).tag == "discovery"


def test_a_request_is_filed_and_read_back_in_both_shapes(gateway: Gateway, writer: str, reader: str) -> None:
    service = a_service(gateway)
    form = {**BURST, "service_code": service["service_code"], "phone": "13812345678", "first_name": "大明"}
    filed = post(gateway, writer, retry="r1", **form)
    assert filed.status_code == 201
    (given,) = filed.json()
    again = post(gateway, writer, retry="r1", **form)
    assert (again.status_code, again.json()[0]["service_request_id"]) == (200, given["service_request_id"])
    number = given["service_request_id"]
    (seen,) = get(gateway, f"/requests/{number}.json", api_key=reader).json()
    assert (seen["status"], seen["service_code"]) == ("open", service["service_code"])
    assert seen["agency_responsible"] == "云山供水有限公司"
    assert seen["address"] == BURST["address_string"]
    tree = ElementTree.fromstring(get(gateway, f"/requests/{number}.xml", api_key=reader).content)
    assert tree.findtext("request/service_request_id") == number
    assert "13812345678" not in json.dumps(seen)
    # the citizen follows the same complaint with the code
    code = given["service_notice"].split("：")[0].removeprefix("查询码 ")
    with gateway.client() as client:
        followed = client.get(f"/api/v1/complaints/{number}", params={"code": code}).json()
    assert followed["category"] == service["description"]


def test_lists_by_status_service_and_time(gateway: Gateway, writer: str, reader: str, clock: FixedClock) -> None:
    service = get(gateway, "/services.json").json()[5]
    point = {"lat": "30.5", "long": "103.25", "description": "井盖没了一个", "service_code": service["service_code"]}
    (given,) = post(gateway, writer, **point).json()
    found = get(gateway, "/requests.json", api_key=reader, service_code=service["service_code"]).json()
    assert [each["service_request_id"] for each in found] == [given["service_request_id"]]
    assert (found[0]["lat"], found[0]["long"], found[0]["address"]) == (30.5, 103.25, None)
    closed = get(gateway, "/requests.json", api_key=reader, service_code=service["service_code"], status="closed")
    assert closed.json() == []
    later = (clock.now() + timedelta(days=1)).isoformat()
    assert get(gateway, "/requests.json", api_key=reader, start_date=later, end_date=later).json() == []
    two = get(gateway, "/requests.json", api_key=reader, page_size=1, page=2).json()
    assert len(two) == 1


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"service_code": "none"}, "service_unknown"),
        ({"description": " "}, "description_missing"),
        ({"address_string": ""}, "place_missing"),
        ({"lat": "91", "long": "1"}, "point_invalid"),
        ({"lat": "nan", "long": "1"}, "point_invalid"),
        ({"lat": "1"}, "point_invalid"),
        ({"media_url": "javascript:alert(1)"}, "media_url_invalid"),
        ({"phone": "1" * 200}, "contact_too_long"),
    ],
)
def test_what_cannot_be_filed_is_refused_in_the_standards_shape(
    gateway: Gateway, writer: str, form: dict[str, str], error: str
) -> None:
    whole = {**BURST, "service_code": a_service(gateway)["service_code"], **form}
    refused = post(gateway, writer, **whole)
    assert refused.status_code == 422
    (item,) = refused.json()
    assert item["code"] == 422
    assert item["description"].startswith(error)
    tree = ElementTree.fromstring(post(gateway, writer, "xml", **whole).content)
    assert tree.findtext("error/code") == "422"


def test_keys_open_only_what_they_are_for(gateway: Gateway, writer: str, reader: str) -> None:
    form = {**BURST, "service_code": a_service(gateway)["service_code"]}
    assert post(gateway, "wrong", **form).status_code == 401
    assert post(gateway, reader, **form).status_code == 403
    assert get(gateway, "/requests.json").status_code == 401
    assert get(gateway, "/requests.json", api_key=writer).status_code == 403
    assert get(gateway, "/requests/TS1.json").status_code == 401
    assert get(gateway, "/requests/TS1.json", api_key=reader).status_code == 404
    with gateway.client() as client:
        allowed = client.get(f"{BASE}/requests.json", headers={"Authorization": f"Bearer {reader}"})
    assert allowed.status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        {"status": "broken"},
        {"start_date": "yesterday"},
        {"page": "0"},
        {"page_size": "5000"},
        {"page": "x"},
        {"service_code": "none"},
    ],
)
def test_a_wrong_question_is_refused(gateway: Gateway, reader: str, query: dict[str, str]) -> None:
    assert get(gateway, "/requests.json", api_key=reader, **query).status_code == 422


def test_what_xml_cannot_carry_is_left_out(gateway: Gateway, writer: str, reader: str) -> None:
    service = get(gateway, "/services.json").json()[7]["service_code"]
    post(gateway, writer, service_code=service, description="路灯不亮\x0b了<b>&]]>", address_string="东街")
    body = get(gateway, "/requests.xml", api_key=reader, service_code=service).content
    assert ElementTree.fromstring(body).findtext("request/description") == "路灯不亮了<b>&]]>"
