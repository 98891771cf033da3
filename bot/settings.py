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
    data_key: SecretStr | None = Field(
        default=None,
        description="Seals personal data: 32 bytes as base64 or hex; required in production, in development made once.",
    )
    data_key_previous: SecretStr | None = Field(
        default=None, description="Earlier data keys, parted by spaces: what they sealed is still opened."
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
    case_code_failures: int = Field(
        default=5, ge=1, le=100, description="Wrong codes for a case after which its look-ups from there are locked."
    )
    case_lock_minutes: int = Field(default=15, ge=1, le=1440, description="Minutes a locked look-up stays locked.")
    case_retention_days: int = Field(
        default=1095, ge=0, description="Days after which a closed case is removed here; 0 keeps cases for ever."
    )
    complaint_retention_days: int = Field(
        default=1825,
        ge=0,
        description="Days after which a closed complaint loses its texts, contact and pictures; 0 keeps them for ever.",
    )
    conversation_retention_days: int = Field(
        default=365,
        ge=0,
        description="Days after which a silent conversation loses what was said; 0: never.",
    )
    evaluation_file: Path | None = Field(
        default=None,
        description="JSON Lines of labelled questions on which an editor's draft is judged, see docs/learning.md; "
        "default: `questions.jsonl` under the home, where there is one.",
    )
    case_view_url: SecretStr | None = Field(
        default=None, description="SQLAlchemy URL of the business system's database whose view of cases is read."
    )
    case_view_query: str | None = Field(
        default=None,
        description="SELECT over that view, one row a case; `:since` is the latest `updated_at` read so far.",
    )
    case_view_source: str = Field(
        default="view", min_length=1, max_length=40, description="Name under which cases of the view are kept."
    )
    case_view_interval: int = Field(
        default=60, ge=5, le=86_400, description="Seconds between two readings of the view."
    )
    notice_days: int = Field(
        default=3, ge=0, le=30, description="A change of a case older than this many days is not notified any more."
    )
    quiet_from: int = Field(default=21, ge=0, le=24, description="Hour from which no notice is sent (0 to 24).")
    quiet_until: int = Field(default=8, ge=0, le=24, description="Hour from which notices are sent again.")
    sms_url: str | None = Field(
        default=None, description="Address of the SMS gateway; without it development writes messages to a file."
    )
    sms_method: Literal["POST", "GET", "PUT"] = Field(default="POST", description="Method the SMS gateway wants.")
    sms_headers: str = Field(
        default='{"Content-Type": "application/json"}',
        description="Headers for the SMS gateway as a JSON object; `{secret}` is filled in.",
    )
    sms_body: str = Field(
        default='{"phone": {phone}, "text": {text}, "id": {key}}',
        description="Body for the SMS gateway; `{phone}` `{text}` `{key}` `{template}` `{secret}` and `{values}` are "
        "filled in, as JSON or form-encoded as the Content-Type says.",
    )
    sms_secret: SecretStr | None = Field(default=None, description="Secret of the SMS gateway.")
    sms_accepted: str = Field(
        default="",
        description="Regular expression that a successful answer's body must hold; empty: any 2xx is success.",
    )
    wechat_token: SecretStr | None = Field(
        default=None, description="Token of the Official Account's server settings; it switches the channel on."
    )
    wechat_aes_key: SecretStr | None = Field(
        default=None, description="EncodingAESKey of the server settings, 43 characters; required in production."
    )
    wechat_aes_key_previous: SecretStr | None = Field(
        default=None, description="The EncodingAESKey before, while the platform changes over to a new one."
    )
    wechat_app_id: str | None = Field(default=None, description="AppID of the Official Account.")
    wechat_secret: SecretStr | None = Field(
        default=None, description="AppSecret; without it answers that take long wait for the citizen's next message."
    )
    wechat_api_base: str | None = Field(
        default=None, description="Address of the platform's API; default: the platform's own."
    )
    wechat_notices: Path | None = Field(
        default=None,
        description="TOML file: which subscription template stands for which notice; default `wechat-notices.toml` "
        "under the home.",
    )
    webhook_private: Literal["refuse", "allow"] = Field(
        default="refuse", description="Whether events may be pushed to addresses of the own network."
    )
    redis_url: SecretStr | None = Field(
        default=None, description="Redis to whose stream every event is added too: redis://host:6379/0."
    )
    redis_stream: str = Field(default="wenban:events", min_length=1, max_length=200, description="Name of that stream.")
    desk_file: Path | None = Field(
        default=None,
        description="TOML file of the operators' desk: office hours, queues, rules, canned replies; default: the "
        "shipped one, see docs/desk.md.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="The least severe log lines that are written."
    )
    log_format: Literal["console", "json"] = Field(default="console", description="Log lines for people or machines.")

    @property
    def address(self) -> str:
        """Where this machine reaches the gateway."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - compared, not bound
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def links(self) -> str:
        """What links told to citizens begin with: the public address where one is set."""
        return (self.public_url or self.address).rstrip("/")


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
    if settings.data_key is None:
        raise _refused(
            "data_key",
            "生产环境必须设置保护个人信息的数据密钥，并另行妥善保管（丢失后无法恢复）",
            '请运行 python3 -c "import secrets; print(secrets.token_hex(32))"，把输出设为 WENBAN_DATA_KEY。',
        )
    if settings.wechat_token is not None and (settings.wechat_aes_key is None or settings.wechat_app_id is None):
        raise _refused(
            "wechat_aes_key",
            "生产环境的公众号必须用安全模式（消息加解密方式）：明文模式的签名不包括消息正文，可被篡改",
            "请在公众平台的服务器配置里选“安全模式”，把 EncodingAESKey 与 AppID 设为 WENBAN_WECHAT_AES_KEY、"
            "WENBAN_WECHAT_APP_ID。",
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
