"""/api/v1/matters, and a catalogue that changes under a running gateway."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.encoder import Encoder
from tests.gateway import Gateway, publish, running, sample_guides, settings_for


def test_search_by_name_department_and_kind(gateway: Gateway) -> None:
    with gateway.client() as client:
        found = client.get("/api/v1/matters", params={"q": "身份证"}).json()
        row = found["matters"][0]
        assert row.keys() == {"code", "name", "department", "kind"}
        assert found["total"] >= 3
        assert found["catalogue_version"]
        narrowed = client.get("/api/v1/matters", params={"department": row["department"], "kind": row["kind"]}).json()
        assert all(m["department"] == row["department"] for m in narrowed["matters"])
        assert client.get("/api/v1/matters", params={"q": "养大熊猫"}).json()["total"] == 0


@pytest.mark.parametrize("query", ["page=0", "page=x", "q=" + "长" * 300])
def test_a_bad_search_is_refused(gateway: Gateway, query: str) -> None:
    with gateway.client() as client:
        response = client.get(f"/api/v1/matters?{query}")
    assert response.status_code == 422
    assert response.json()["error"] == "invalid_input"


def test_one_guide_with_its_version(gateway: Gateway) -> None:
    row = sample_guides()[0]
    with gateway.client() as client:
        published = client.get(f"/api/v1/matters/{row['code']}").json()
    assert published["guide"]["name"] == row["name"]
    assert published["catalogue_version"]
    assert published["published_at"][-6:] in {"+08:00", "+00:00"}


def test_an_unknown_guide_is_not_found(gateway: Gateway) -> None:
    with gateway.client() as client:
        response = client.get("/api/v1/matters/nothing-here")
    assert (response.status_code, response.json()["error"]) == (404, "guide_not_found")


def test_a_guide_out_of_force_is_shown_with_a_warning_and_not_served(home: Path, encoder: Encoder) -> None:
    old = {**sample_guides()[0], "valid_from": "2019-01-01", "valid_to": "2020-12-31"}
    publish(home, [old], encoder)
    with running(settings_for(home), encoder) as gateway, gateway.client() as client:
        response = client.get(f"/api/v1/matters/{old['code']}")
        assert (response.status_code, response.json()["error"]) == (404, "guide_not_in_force")
        assert "已在 2020-12-31 后失效" in client.get(f"/matters/{old['code']}", headers={"Accept": "text/html"}).text


def test_a_new_version_is_answered_from_without_a_restart(home: Path, encoder: Encoder) -> None:
    with running(settings_for(home), encoder) as gateway:
        conversation = gateway.say("你好")["conversation_id"]
        new = {**sample_guides()[0], "code": "NEW1", "name": "养大熊猫许可", "aliases": ["养熊猫"]}
        publish(home, [new], encoder)
        with gateway.client() as client:
            assert client.get("/readyz").json()["parts"]["index"][
                "up"
            ]  # looks at once, as the background task does soon
        reply = gateway.say("养大熊猫许可要带什么材料", conversation)
        assert (reply["outcome"], reply["matter"]) == ("answered", "NEW1")
