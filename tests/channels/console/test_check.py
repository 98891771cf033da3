import json
from collections.abc import Callable
from pathlib import Path

import pytest

Wenban = Callable[..., tuple[int, str, str]]


def lines(out: str) -> dict[str, dict[str, str]]:
    return {line["subject"]: line for line in json.loads(out)["lines"]}


def test_each_setting_names_where_it_comes_from(wenban: Wenban, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WENBAN_SECRET_KEY", "k" * 40)
    found = lines(wenban("check", "--json")[1])
    assert found["WENBAN_HOME"]["value"] == str(home)
    assert found["WENBAN_HOME"]["origin"] == "环境变量"
    assert found["WENBAN_LOG_LEVEL"]["origin"] == "默认"
    assert "kkk" not in found["WENBAN_SECRET_KEY"]["value"]


def test_the_database_s_password_is_not_shown(wenban: Wenban, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WENBAN_DATABASE_URL", "postgresql+psycopg://u:geheim@127.0.0.1:1/none")
    status, out, _ = wenban("check", "--json")
    assert "geheim" not in out
    assert status == 1
    assert lines(out)["数据库"]["state"] == "fault"


def test_an_encoder_that_is_not_there_is_a_fault_with_a_remedy(
    wenban: Wenban, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WENBAN_ENCODER", str(tmp_path))
    status, out, _ = wenban("check")
    assert status == 1
    assert "编码器：打不开" in out
    assert "WENBAN_ENCODER" in out


def test_the_shipped_models_belong_together(wenban: Wenban) -> None:
    found = lines(wenban("check", "--json")[1])
    assert found["编码器"]["state"] == found["复核模型"]["state"] == "ok"


def test_a_fresh_installation_has_no_catalogue_yet(wenban: Wenban) -> None:
    assert "尚未建立" in lines(wenban("check", "--json")[1])["数据库"]["value"]


def test_a_setting_that_cannot_be_read_is_explained(wenban: Wenban, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WENBAN_PORT", "achttausend")
    status, _, err = wenban("check")
    assert status == 1
    assert "WENBAN_PORT" in err
    assert "docs/settings.md" in err


def test_a_faulty_desk_file_is_a_fault_that_names_it(
    wenban: Wenban, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lines(wenban("check", "--json")[1])["坐席台"]["value"].startswith("随附，队列 综合服务")
    own = tmp_path / "desk.toml"
    own.write_text("[limits]\nparallel = 0\n", "utf-8")
    monkeypatch.setenv("WENBAN_DESK_FILE", str(own))
    status, out, _ = wenban("check", "--json")
    assert status == 1
    assert lines(out)["坐席台"]["state"] == "fault"
    assert str(own) in lines(out)["坐席台"]["value"]
