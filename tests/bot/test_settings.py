"""Settings: defaults, the environment, what production refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.errors import ConfigurationError
from bot.settings import Settings, load_settings


def test_defaults_follow_the_home_and_the_ports(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WENBAN_HOME", str(tmp_path / "here"))
    monkeypatch.setenv("WENBAN_RASA_PORT", "5099")
    monkeypatch.setenv("WENBAN_PORT", "")
    monkeypatch.delenv("WENBAN_DATABASE_URL", raising=False)
    settings = load_settings()
    assert settings.database_url == f"sqlite:///{tmp_path / 'here' / 'wenban.db'}"
    assert settings.rasa_url == "http://127.0.0.1:5099"
    assert settings.port == 8000


def test_overrides_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WENBAN_PORT", "9000")
    assert load_settings(port=9001).port == 9001
    assert load_settings(port=None).port == 9000


def test_a_relative_home_becomes_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings(home="state").home == tmp_path / "state"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load_settings().port = 1


@pytest.mark.parametrize(("name", "value"), [("WENBAN_PORT", "high"), ("WENBAN_RATE_LIMIT", "maybe")])
def test_a_faulty_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=name) as raised:
        load_settings()
    assert raised.value.remedy


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({}, "WENBAN_SECRET_KEY"),
        ({"secret_key": "short"}, "WENBAN_SECRET_KEY"),
        ({"secret_key": "k" * 40}, "WENBAN_DATA_KEY"),
        ({"secret_key": "k" * 40, "data_key": "0" * 64, "rate_limit": "off"}, "WENBAN_RATE_LIMIT"),
    ],
)
def test_production_refuses_unsafe_values(values: dict[str, str], name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        load_settings(environment="production", **values)
    safe = load_settings(environment="production", secret_key="k" * 40, data_key="0" * 64)
    assert safe.environment == "production"


def test_secrets_are_not_shown() -> None:
    assert "kkkk" not in repr(load_settings(secret_key="k" * 40))


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
