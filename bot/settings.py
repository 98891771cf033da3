"""Every setting there is, in one place: ``WENBAN_*`` in the environment, with a default that works on a laptop.

In production unsafe values are refused when the settings are loaded, by name and with the remedy.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.errors import ConfigurationError

ENV_PREFIX = "WENBAN_"
SHORTEST_SECRET = 32

_AbsolutePath = Annotated[Path, BeforeValidator(lambda value: Path(value).expanduser().absolute())]
_Port = Annotated[int, Field(ge=0, le=65_535)]


class Settings(BaseSettings):
    """What an installation may choose. Read once at start and handed on; never read from a global."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, extra="ignore", env_ignore_empty=True)

    home: _AbsolutePath = Field(
        default_factory=lambda: Path("var").absolute(),
        description="Folder of all state: database, index, logs, models.",
    )
    environment: Literal["development", "production"] = Field(
        default="development", description="In production unsafe settings and demo accounts are refused."
    )
    database_url: str = Field(
        default_factory=lambda data: f"sqlite:///{data['home'] / 'wenban.db'}",
        description="SQLAlchemy URL of the database; SQLite under the home by default, or postgresql+psycopg://….",
    )
    host: str = Field(default="127.0.0.1", description="Address the gateway listens on.")
    port: _Port = Field(default=8000, description="Port the gateway listens on.")
    public_url: str | None = Field(
        default=None, description="Address citizens reach the gateway by, for links; default: what the request came to."
    )
    rasa_port: _Port = Field(default=5005, description="Port of the Rasa server that is started with the gateway.")
    rasa_url: str = Field(
        default_factory=lambda data: f"http://127.0.0.1:{data['rasa_port']}",
        description="Where Rasa is reached; set it when Rasa runs elsewhere.",
    )
    rasa_timeout: float = Field(
        default=3.0, gt=0, le=60, description="Seconds to wait for Rasa before the gateway answers a turn itself."
    )
    action_token: SecretStr | None = Field(
        default=None, description="Token Rasa shows at POST /webhook; without it only the same machine may call."
    )
    secret_key: SecretStr | None = Field(
        default=None,
        description=f"Signs cookies and links; at least {SHORTEST_SECRET} characters, required in production.",
    )
    rate_limit: Literal["on", "off"] = Field(default="on", description="Off lifts rate limits, for load tests.")
    encoder: str | None = Field(
        default=None, description="Sentence encoder: a folder or a hub name; default: the one shipped with the project."
    )
    encoder_threads: int = Field(default=2, ge=1, le=64, description="Threads the encoder computes with.")
    session_turns: int = Field(
        default=60, ge=4, le=1000, description="Turns after which a dialogue session in Rasa starts afresh."
    )
    city_name: str = Field(default="云山市", min_length=1, description="The city that is served, as citizens say it.")
    hotline: str = Field(default="12345", min_length=3, description="Phone number at which a person answers.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="The least severe log lines that are written."
    )
    log_format: Literal["console", "json"] = Field(default="console", description="Log lines for people or machines.")


def load_settings(**overrides: Any) -> Settings:
    """The settings of the environment, with ``overrides`` (values by field name, None = not given) on top.

    Raises ConfigurationError that names the setting and says what to do.
    """
    try:
        settings = Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        raise _explained(error) from error
    _refuse_unsafe(settings)
    return settings


def _refuse_unsafe(settings: Settings) -> None:
    if settings.environment != "production":
        return
    secret = settings.secret_key.get_secret_value() if settings.secret_key else ""
    if len(secret) < SHORTEST_SECRET:
        raise _refused(
            "secret_key",
            f"生产环境必须设置至少 {SHORTEST_SECRET} 个字符的密钥",
            '请运行 python3 -c "import secrets; print(secrets.token_urlsafe(48))"，把输出设为 WENBAN_SECRET_KEY。',
        )
    if settings.rate_limit == "off":
        raise _refused("rate_limit", "生产环境不能关闭限流", "请去掉 WENBAN_RATE_LIMIT，或设为 on。")


def _refused(field: str, reason: str, remedy: str) -> ConfigurationError:
    name = ENV_PREFIX + field.upper()
    return ConfigurationError(f"设置 {name} 不可用：{reason}。", remedy=remedy, details=[{"setting": name}])


def _explained(error: ValidationError) -> ConfigurationError:
    details = []
    for fault in error.errors():
        name = ENV_PREFIX + str(fault["loc"][0]).upper() if fault["loc"] else ENV_PREFIX + "*"
        details.append({"setting": name, "reason": fault["msg"]})
    names = "、".join(detail["setting"] for detail in details)
    return ConfigurationError(
        f"设置有误：{names}。",
        remedy="请改正或去掉这些环境变量；每个设置的含义和取值见 docs/settings.md。",
        details=details,
    )
