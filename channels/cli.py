"""``wenban``: the command line. Commands are declared here; what they do lives in :mod:`channels.console`.

Modules are imported inside the commands, so that ``wenban --help`` does not wait for the database or the encoder.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.errors import WenbanError

HELP = "问办：办事指南、办件进度、投诉建议的开放助手。设置用 WENBAN_* 环境变量，见 docs/settings.md。"

app = typer.Typer(help=HELP, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)
imports = typer.Typer(help="导入一个文件（JSON Lines 或 .xlsx）：先整体校验，全部无误才发布。", no_args_is_help=True)
exports = typer.Typer(help="导出目录，或一份空白表格。", no_args_is_help=True)
evals = typer.Typer(help="用标注过的问题给助手打分。", no_args_is_help=True)
wechats = typer.Typer(help="微信公众号。", no_args_is_help=True)
indexes = typer.Typer(help="语义索引。", no_args_is_help=True)
accounts = typer.Typer(help="工作人员账号。", no_args_is_help=True)
keys = typer.Typer(help="接口密钥：业务系统写办件时出示。", no_args_is_help=True)
outboxes = typer.Typer(help="发件箱：等着送出的消息。", no_args_is_help=True)
casework = typer.Typer(help="办件：来源、通知、加密。", no_args_is_help=True)
webhooks = typer.Typer(help="把事件推送给别的系统：签名、重试、已放弃的。", no_args_is_help=True)
calendars = typer.Typer(help="工作日历：国务院每年的放假与调休。", no_args_is_help=True)
for group, name in (
    (imports, "import"),
    (exports, "export"),
    (evals, "eval"),
    (indexes, "index"),
    (wechats, "wechat"),
    (accounts, "accounts"),
    (calendars, "calendar"),
    (keys, "keys"),
    (outboxes, "outbox"),
    (webhooks, "webhook"),
    (casework, "cases"),
):
    app.add_typer(group, name=name, rich_help_panel=None)

Json = Annotated[bool, typer.Option("--json", help="输出 JSON，供程序使用。")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="只校验并说明会改变什么，不发布。")]
Replace = Annotated[bool, typer.Option("--replace", help="文件中没有的，视为已取消。")]
Given = Annotated[Path, typer.Argument(metavar="文件", help="JSON Lines 或 .xlsx", show_default=False)]


def main() -> None:
    """The entry point: errors that can be explained are explained, with status 1."""
    try:
        app()
    except WenbanError as error:
        from channels.console.output import show_error

        show_error(error)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.stderr.write("\n已中断。\n")
        sys.exit(130)


@app.command()
def serve(
    sample_city: Annotated[bool, typer.Option("--sample-city", help="目录为空时导入示例城市云山市。")] = False,
) -> None:
    """启动全部进程（网关、后台任务、Rasa），Ctrl-C 停止。"""
    from bot.settings import load_settings
    from channels.console.serve import serve

    serve(load_settings(), sample_city=sample_city)


@app.command(hidden=True)
def gateway() -> None:
    """只启动网关。"""
    from channels.console.processes import run_gateway

    run_gateway()


@app.command(hidden=True)
def worker() -> None:
    """只启动后台任务。"""
    from channels.console.processes import run_worker

    run_worker()


@imports.command("guides")
def import_guides(file: Given, replace: Replace = False, dry_run: DryRun = False, as_json: Json = False) -> None:
    """导入办事指南。"""
    from channels.console.catalogue import import_file

    import_file("guides", file, replace=replace, dry_run=dry_run, as_json=as_json)


@imports.command("powers")
def import_powers(file: Given, replace: Replace = False, dry_run: DryRun = False, as_json: Json = False) -> None:
    """导入权责清单。"""
    from channels.console.catalogue import import_file

    import_file("powers", file, replace=replace, dry_run=dry_run, as_json=as_json)


@imports.command("cases")
def import_cases(file: Given, replace: Replace = False, dry_run: DryRun = False, as_json: Json = False) -> None:
    """导入办件。"""
    from channels.console.cases import import_cases

    import_cases(file, replace=replace, dry_run=dry_run, as_json=as_json)


@exports.command("cases")
def export_cases(
    file: Annotated[Path, typer.Argument(metavar="文件", help="写到哪里：.xlsx", show_default=False)],
) -> None:
    """导出一份空白的办件表格（办件含个人信息，不提供导出）。"""
    from channels.console.cases import empty_form

    empty_form(file)


@exports.command("guides")
def export_guides(
    file: Annotated[Path, typer.Argument(metavar="文件", help="写到哪里：.jsonl 或 .xlsx", show_default=False)],
    empty: Annotated[bool, typer.Option("--empty", help="只要空白表格（.xlsx）。")] = False,
) -> None:
    """导出办事指南。"""
    from channels.console.catalogue import export_guides

    export_guides(file, empty=empty)


@app.command()
def ask(
    text: Annotated[str, typer.Argument(metavar="问题", show_default=False)],
    conversation: Annotated[str | None, typer.Option("--conversation", help="接着哪一次对话。")] = None,
    as_json: Json = False,
) -> None:
    """问一句，经过与网页相同的路径。没有服务在运行时临时启动。"""
    from channels.console.talking import ask

    asyncio.run(ask(text, conversation, as_json=as_json))


@app.command()
def chat() -> None:
    """在终端里对话，选项用数字回复。"""
    from channels.console.talking import talk

    asyncio.run(talk())


@app.command("file")
def file_complaint(
    text: Annotated[str, typer.Argument(metavar="内容", help="发生了什么、在哪里、什么时候。", show_default=False)],
    kind: Annotated[str | None, typer.Option(help="投诉、求助、咨询、建议、举报或表扬；默认按内容判断。")] = None,
    place: Annotated[str | None, typer.Option(help="地点。")] = None,
    contact: Annotated[str | None, typer.Option(help="联系方式。")] = None,
    key: Annotated[str | None, typer.Option(help="重试时给同样的值，只登记一次。")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON。")] = False,
) -> None:
    """登记一件诉求，给出编号和查询码。"""
    from channels.console.complaints import file_complaint

    file_complaint(text, kind, place, contact, key, as_json=as_json)


@evals.command("questions")
def eval_questions(
    file: Annotated[Path, typer.Argument(metavar="文件", help="标注过的问题（JSON Lines）", show_default=False)],
    json_file: Annotated[Path | None, typer.Option("--json", metavar="文件", help="把报告写成 JSON。")] = None,
    wrong_file: Annotated[
        Path | None, typer.Option("--wrong", metavar="文件", help="把答错的写成 JSON Lines。")
    ] = None,
    clients: Annotated[int, typer.Option(min=1, max=64, help="同时提问的人数。")] = 4,
    server: Annotated[str | None, typer.Option(help="对哪个正在运行的服务提问；默认临时启动一个。")] = None,
) -> None:
    """用文件中的问题给已发布的目录打分，经过与网页相同的路径。"""
    from channels.console.examination import eval_questions

    asyncio.run(eval_questions(file, json_file, wrong_file, clients, server))


@evals.command("complaints")
def eval_complaints(
    file: Annotated[Path, typer.Argument(metavar="文件", help="标注过的诉求（JSON Lines）", show_default=False)],
    json_file: Annotated[Path | None, typer.Option("--json", metavar="文件", help="把报告写成 JSON。")] = None,
) -> None:
    """用文件中的诉求给派单打分：承办单位、类型、紧急、重复，按已发布的权责清单。"""
    from channels.console.complaints import eval_complaints

    eval_complaints(file, json_file)


@evals.command("relearn")
def eval_relearn(
    json_file: Annotated[Path | None, typer.Option("--json", metavar="文件", help="把报告写成 JSON。")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="学了确实更准，就照学到的派；留审计，可撤销。")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="撤销最近一次学习。")] = False,
) -> None:
    """坐席与单位做过的决定留作教材：报告学了会改变什么；不加 --apply 什么也不改。"""
    from channels.console.relearning import relearn

    relearn(json_file, apply=apply, undo=undo)


@evals.command("regressions")
def eval_regressions(
    json_file: Annotated[Path | None, typer.Option("--json", metavar="文件", help="把报告写成 JSON。")] = None,
    clients: Annotated[int, typer.Option(min=1, max=64, help="同时提问的人数。")] = 4,
    server: Annotated[str | None, typer.Option(help="对哪个正在运行的服务提问；默认临时启动一个。")] = None,
) -> None:
    """把编辑发布时留下的回归题再问一遍，经过与网页相同的路径；有没做到的，以状态 1 结束。"""
    from channels.console.regressions import eval_regressions

    raise typer.Exit(asyncio.run(eval_regressions(json_file, clients, server)))


@evals.command("held-out")
def eval_held_out(
    part: Annotated[str, typer.Argument(metavar="development|test|check|unseen|blind")] = "development",
    clients: Annotated[int, typer.Option(min=1, max=64, help="同时提问的人数。")] = 4,
    write_docs: Annotated[bool, typer.Option("--docs", help="把结果写进 docs/evaluation.md。")] = False,
) -> None:
    """只导入训练从未见过的事项（留出的家族，或另一座城市 check、unseen、blind），用从未见过的问题打分。"""
    from channels.console.examination import eval_held_out

    eval_held_out(part, clients, write_docs=write_docs)


@app.command()
def check(as_json: Json = False) -> None:
    """逐项说明配置了什么、来自哪里、有什么问题；有问题时以状态 1 结束。"""
    from channels.console.check import check

    raise typer.Exit(check(as_json=as_json))


@indexes.command("info")
def index_info(as_json: Json = False) -> None:
    """索引的版本、大小、编码器。"""
    from channels.console.catalogue import index_info

    index_info(as_json=as_json)


@indexes.command("rebuild")
def index_rebuild() -> None:
    """按已发布的目录重建索引。"""
    from channels.console.catalogue import rebuild_index

    rebuild_index()


Username = Annotated[str, typer.Argument(metavar="用户名", show_default=False)]


@accounts.command("list")
def accounts_list(as_json: Json = False) -> None:
    """列出账号。"""
    from channels.console.accounts import show

    show(as_json=as_json)


@accounts.command("add")
def accounts_add(
    username: Username,
    role: Annotated[
        str, typer.Argument(metavar="角色", help="administrator、editor、operator、department、supervisor")
    ],
    name: Annotated[str, typer.Option("--name", help="显示的姓名。")] = "",
    department: Annotated[str | None, typer.Option("--department", help="承办单位经办人所属的单位。")] = None,
) -> None:
    """新建账号；口令在终端里输入两次，或从标准输入读一行。"""
    from channels.console.accounts import add

    add(username, role, name, department)


@accounts.command("password")
def accounts_password(username: Username) -> None:
    """重设口令，并让该账号在各处退出登录。"""
    from channels.console.accounts import password

    password(username)


@accounts.command("close")
def accounts_close(username: Username) -> None:
    """停用账号。"""
    from channels.console.accounts import set_active

    set_active(username, active=False)


@accounts.command("open")
def accounts_open(username: Username) -> None:
    """重新启用账号。"""
    from channels.console.accounts import set_active

    set_active(username, active=True)


@calendars.command("load")
def calendar_load(
    file: Annotated[
        Path, typer.Argument(metavar="文件", help="一年的年表（TOML），写法见 docs/calendar.md", show_default=False)
    ],
) -> None:
    """载入一年的放假与调休安排，正在运行的服务随即按它计算。"""
    from channels.console.calendar import load

    load(file)


@calendars.command("show")
def calendar_show() -> None:
    """今后几年的安排是否已知。"""
    from channels.console.calendar import show

    show()


@wechats.command("simulate")
def wechat_simulate() -> None:
    """在本机模拟微信平台和一部手机，不连微信就能试用公众号；没有服务在运行时临时启动。"""
    from bot.settings import load_settings
    from channels.console.wechat import simulate

    simulate(load_settings())


@wechats.command("menu")
def wechat_menu() -> None:
    """把公众号菜单发布到微信。"""
    from bot.settings import load_settings
    from channels.console.wechat import publish_menu

    publish_menu(load_settings())


@wechats.command("status")
def wechat_status(as_json: Json = False) -> None:
    """公众号收发情况：消息、凭证、客服消息台账。"""
    from bot.settings import load_settings
    from channels.console.wechat import status

    status(load_settings(), as_json=as_json)


@keys.command("add")
def keys_add(
    name: Annotated[str, typer.Argument(metavar="名称", help="小写字母、数字、横线", show_default=False)],
    scopes: Annotated[list[str], typer.Option("--scope", help="权限，可写多次。")] = ["cases:write"],  # noqa: B006
) -> None:
    """新建一把密钥；密钥只显示这一次。"""
    from channels.console.keys import add

    add(name, scopes)


@keys.command("list")
def keys_list(as_json: Json = False) -> None:
    """全部密钥（不含密钥本身）。"""
    from channels.console.keys import show

    show(as_json=as_json)


@keys.command("revoke")
def keys_revoke(name: Annotated[str, typer.Argument(metavar="名称", show_default=False)]) -> None:
    """吊销一把密钥，立即生效。"""
    from channels.console.keys import revoke

    revoke(name)


@outboxes.command("list")
def outbox_list(
    failed: Annotated[bool, typer.Option("--failed", help="只看放弃了的。")] = False, as_json: Json = False
) -> None:
    """没有送完的消息，最早的在前。"""
    from channels.console.outbox import show

    show(failed=failed, as_json=as_json)


@outboxes.command("retry")
def outbox_retry(
    numbers: Annotated[list[int] | None, typer.Argument(metavar="编号", help="不写：全部放弃了的。")] = None,
) -> None:
    """把放弃了的消息重新送一次。"""
    from channels.console.outbox import retry

    retry(numbers or [])


@webhooks.command("add")
def webhook_add(
    name: Annotated[str, typer.Argument(metavar="名称", help="小写字母、数字、横线", show_default=False)],
    url: Annotated[str, typer.Argument(metavar="地址", help="https://主机/路径", show_default=False)],
    topics: Annotated[
        list[str], typer.Option("--topic", help="事件，可写多次，如 complaint.*；见 docs/supervision.md。")
    ] = ["*"],  # noqa: B006
) -> None:
    """新建一个推送；签名密钥只显示这一次。"""
    from channels.console.webhook import add

    add(name, url, topics)


@webhooks.command("list")
def webhook_list(as_json: Json = False) -> None:
    """全部推送，以及等待、送达、放弃了几条。"""
    from channels.console.webhook import show

    show(as_json=as_json)


WebhookName = Annotated[str, typer.Argument(metavar="名称", show_default=False)]


@webhooks.command("remove")
def webhook_remove(name: WebhookName) -> None:
    """删除一个推送，没送出的一并丢弃。"""
    from channels.console.webhook import remove

    remove(name)


@webhooks.command("test")
def webhook_test(name: WebhookName) -> None:
    """立即送一条测试事件，说明对方怎样回答。"""
    from channels.console.webhook import test

    test(name)


@webhooks.command("dead")
def webhook_dead(
    name: Annotated[str | None, typer.Argument(metavar="名称", help="不写：全部。", show_default=False)] = None,
    as_json: Json = False,
) -> None:
    """已放弃的推送（不含内容），最早的在前。"""
    from channels.console.webhook import dead

    dead(name, as_json=as_json)


@webhooks.command("resend")
def webhook_resend(
    numbers: Annotated[list[int] | None, typer.Argument(metavar="编号", help="不写：全部已放弃的。")] = None,
    name: Annotated[str | None, typer.Option("--to", help="只重送这个推送的。")] = None,
) -> None:
    """把已放弃的重新推送。"""
    from channels.console.webhook import resend

    resend(numbers or [], name)


@casework.command("status")
def cases_status(as_json: Json = False) -> None:
    """办件数、各来源的读取情况、没有送达的通知。"""
    from channels.console.cases import status

    status(as_json=as_json)


@casework.command("reseal")
def cases_reseal() -> None:
    """换过数据密钥后，用新密钥重新加密全部办件。"""
    from channels.console.cases import reseal

    reseal()
