"""``wenban check``: what is configured, from where, and what is wrong, one line each."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from pydantic import SecretStr
from rich.markup import escape

from bot.errors import WenbanError
from bot.settings import ENV_PREFIX, Settings, load_settings
from channels.console.output import OUT, errors_as_json, print_json
from channels.console.processes import RASA_PYTHON

State = Literal["ok", "note", "fault"]
LEAST_FREE = 500 * 2**20
"""Bytes that should be free under the home: a publish writes a whole index beside the old one."""


@dataclass(frozen=True, slots=True)
class Line:
    """One finding: what was looked at, what holds, where it is set, and what to do about a fault."""

    state: State
    subject: str
    value: str
    origin: str = ""
    remedy: str = ""

    def to_dict(self) -> dict[str, str]:
        """JSON form."""
        return asdict(self)


def lines(settings: Settings) -> Iterator[Line]:
    """Every setting, then every part. A part that fails is a line, never an exception."""
    yield from setting_lines(settings)
    for subject, look in PARTS.items():
        try:
            yield from look(settings)
        except WenbanError as error:
            yield Line("fault", subject, error.message, remedy=error.remedy)


def setting_lines(settings: Settings) -> Iterator[Line]:
    """Each setting with its value (secrets hidden) and where it came from."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        variable = f"{ENV_PREFIX}{name.upper()}"
        shown = (
            "（已设置）"
            if isinstance(value, SecretStr)
            else "（未设置）"
            if value is None
            else _hidden(name, str(value))
        )
        yield Line("ok", variable, shown, "环境变量" if os.environ.get(variable) else "默认")


def _hidden(name: str, value: str) -> str:
    if name != "database_url":
        return value
    from sqlalchemy import make_url  # heavy

    return make_url(value).render_as_string(hide_password=True)


def _home(settings: Settings) -> Iterator[Line]:
    home = settings.home
    existing = home if home.exists() else next(parent for parent in home.parents if parent.exists())
    if not os.access(existing, os.W_OK):
        yield Line("fault", "数据目录", f"{home} 不可写", remedy="请改 WENBAN_HOME，或修正目录权限。")
        return
    free = shutil.disk_usage(existing).free
    state: State = "ok" if free >= LEAST_FREE else "fault"
    remedy = "" if state == "ok" else "请清理磁盘，或把 WENBAN_HOME 移到更大的磁盘。"
    yield Line(state, "数据目录", f"{home}，剩余 {free / 2**30:.1f} GB", remedy=remedy)


def _database(settings: Settings) -> Iterator[Line]:
    from bot.store.engine import make_engine
    from bot.store.migrate import is_current

    if settings.database_url.startswith("sqlite") and not (settings.home / "wenban.db").exists():
        default = str(settings.home / "wenban.db") in settings.database_url
        if default:
            yield Line("note", "数据库", "尚未建立", remedy="运行 make run 或 wenban import guides 时自动建立。")
            return
    engine = make_engine(settings)
    try:
        current = is_current(engine)
        remedy = "" if current else "运行 wenban serve 时自动升级。"
        yield Line(
            "ok" if current else "note",
            "数据库",
            f"{engine.dialect.name} 可用，表结构{'' if current else '不'}是最新",
            remedy=remedy,
        )
        if current:
            yield from _catalogue(settings)
    finally:
        engine.dispose()


def _catalogue(settings: Settings) -> Iterator[Line]:
    from channels.console import parts

    version = parts.matters(settings).current_version()
    if version is None:
        yield Line("note", "事项目录", "空", remedy="运行 wenban import guides 文件 导入办事指南。")
    else:
        yield Line("ok", "事项目录", f"版本 {version}")


def _encoder(settings: Settings) -> Iterator[Line]:
    from index.encoder import open_encoder
    from index.errors import EncoderUnavailable
    from index.second import SecondLook

    try:
        encoder = open_encoder(settings.encoder, threads=settings.encoder_threads)
    except Exception as error:  # index knows none of our errors, and a foreign model may fail in any way
        yield Line(
            "fault", "编码器", f"打不开：{error}", remedy="去掉 WENBAN_ENCODER 用随附的模型，或指向一个可用的模型目录。"
        )
        return
    yield Line(
        "ok", "编码器", f"{encoder.identity}，{encoder.dimension} 维", "环境变量" if settings.encoder else "随附"
    )
    try:
        second = SecondLook.beside(encoder)
    except EncoderUnavailable as error:
        yield Line("fault", "复核模型", f"打不开：{error}", remedy="随附的模型不完整，请重新安装问办。")
        return
    if second is None:
        yield Line("note", "复核模型", "不用：它只配随附的编码器", remedy="换了编码器要重新训练，见 docs/encoder.md。")
    else:
        yield Line("ok", "复核模型", f"随附（重排；常见事项 {len(second.common)} 个）")


def _rasa(settings: Settings) -> Iterator[Line]:
    from channels.console.service import alive
    from channels.rasa_client import ANSWERS_AT

    if asyncio.run(alive(settings.rasa_url, ANSWERS_AT)):
        yield Line("ok", "Rasa", f"{settings.rasa_url} 有回应")
    elif RASA_PYTHON.exists():
        yield Line(
            "note", "Rasa", f"{settings.rasa_url} 没有回应，环境 .venv-rasa 已装", remedy="wenban serve 会启动它。"
        )
    else:
        yield Line(
            "fault", "Rasa", "没有安装", remedy="运行 make setup；没有 Rasa 时网关仍从索引回答，但对话能力受限。"
        )


def _server(settings: Settings) -> Iterator[Line]:
    from channels.console.service import alive

    running = asyncio.run(alive(settings.address))
    yield Line("ok" if running else "note", "服务", f"{settings.address} {'正在运行' if running else '没有运行'}")


MARKS: dict[State, str] = {"ok": "[green]✓[/]", "note": "[yellow]·[/]", "fault": "[red]✗[/]"}


def check(*, as_json: bool) -> int:
    """Prints every finding; 1 when one of them is a fault, else 0."""
    with errors_as_json(as_json):
        found = list(lines(load_settings()))
    if as_json:
        print_json({"ok": not _faulty(found), "lines": [line.to_dict() for line in found]})
    else:
        for line in found:
            show(line)
    return int(_faulty(found))


def show(line: Line) -> None:
    """Prints one finding in one line."""
    origin = f" [dim]（{line.origin}）[/]" if line.origin else ""
    remedy = f" [bold]→ {escape(line.remedy)}[/]" if line.remedy else ""
    OUT.print(f"{MARKS[line.state]} {line.subject}：{escape(line.value)}{origin}{remedy}")


def _faulty(found: Sequence[Line]) -> bool:
    return any(line.state == "fault" for line in found)


def _desk(settings: Settings) -> Iterator[Line]:
    from bot.handoff.desk import load_desk

    desk = load_desk(settings.desk_file)
    where = str(settings.desk_file) if settings.desk_file else "随附"
    queues = "、".join(queue.title for queue in desk.queues)
    yield Line("ok", "坐席台", f"{where}，队列 {queues}，规则 {len(desk.rules)} 条")


def _casework(settings: Settings) -> Iterator[Line]:
    from bot.store.sealed import KEY_FILE, load_sealer
    from channels.sms import FILE, HttpSms

    own = settings.home / KEY_FILE
    if settings.data_key is None and not own.exists():
        yield Line("note", "数据密钥", "尚未生成", remedy="首次运行时自动生成；也可设 WENBAN_DATA_KEY。")
    else:
        load_sealer(settings)
        remedy = "" if settings.data_key else "请备份；丢了，加密的个人信息就打不开。"
        yield Line("ok", "数据密钥", "WENBAN_DATA_KEY" if settings.data_key else str(own), remedy=remedy)
    if settings.sms_url:
        HttpSms(settings)
        yield Line("ok", "短信", settings.sms_url)
    elif settings.environment == "development":
        yield Line(
            "note", "短信", f"写到 {settings.home / FILE}，不真正发出", remedy="设 WENBAN_SMS_URL，见 docs/cases.md。"
        )
    else:
        yield Line("note", "短信", "没有网关，不发短信", remedy="设 WENBAN_SMS_URL，见 docs/cases.md。")
    if settings.public_url is None:
        yield Line("note", "评价链接", "WENBAN_PUBLIC_URL 没有设，链接用监听地址", remedy="设成市民打得开的地址。")


PARTS: dict[str, Callable[[Settings], Iterator[Line]]] = {
    "数据目录": _home,
    "数据库": _database,
    "办件": _casework,
    "坐席台": _desk,
    "编码器": _encoder,
    "Rasa": _rasa,
    "服务": _server,
}
