"""The Excel form of guides and powers: which sheet and which Chinese header holds which key of the exchange format.

One row of the main sheet is one matter or power. A list has a sheet of its own, a row an item, keyed by the code; rows
of a list keep their order. Readers accept a header's other usual names and the key itself; the writer uses the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Cell(StrEnum):
    """How a cell holds its value."""

    TEXT = "text"
    WORDS = "words"  # a short list in one cell, parted by 、
    LIMIT = "limit"  # a time limit in words: 15工作日, 即办


@dataclass(frozen=True)
class Column:
    """``key``: the exchange format's key; ``part.key`` for a key of a nested object."""

    key: str
    header: str
    also: tuple[str, ...] = ()
    cell: Cell = Cell.TEXT
    required: bool = False
    hint: str = ""


@dataclass(frozen=True)
class ListSheet:
    """A sheet for one list. ``shape``: items are objects, plain words, or one object over several rows (options)."""

    key: str
    title: str
    columns: tuple[Column, ...]
    shape: Literal["objects", "words", "options"] = "objects"
    required: bool = False


@dataclass(frozen=True)
class Form:
    """A whole workbook. ``code`` is the column that ties the sheets together."""

    title: str
    code: Column
    columns: tuple[Column, ...]
    lists: tuple[ListSheet, ...]

    def label(self, path: tuple[str | int, ...]) -> str:
        """The Chinese name of the place ``path`` in a row, such as 申请材料第2项·材料名称."""
        words: list[str] = []
        columns = {column.key: column.header for column in self.columns}
        inner: dict[str, str] = {}
        for depth, step in enumerate(path):
            if isinstance(step, int):
                words[-1] += f"第{step + 1}项"
                continue
            sheet = next((s for s in self.lists if s.key == step), None) if depth == 0 else None
            if sheet is not None:
                words.append(sheet.title)
                inner = {column.key: column.header for column in sheet.columns}
                continue
            nested = columns.get(".".join(str(part) for part in path[: depth + 1]), step)
            words.append(inner.get(step, nested) if depth else columns.get(step, columns.get(f"{step}.name", step)))
        return "·".join(words)


_BASIS = ListSheet(
    "legal_basis",
    "设定依据",
    (
        Column("title", "依据名称", ("法律名称", "名称", "法律法规名称"), required=True),
        Column("article", "条款", ("条款号", "依据条款")),
        Column("text", "条款内容", ("内容", "原文")),
    ),
)
_ALIASES = ListSheet("aliases", "别名", (Column("", "别名", ("事项别名",), required=True),), "words")
_QUESTIONS = ListSheet("questions", "典型问题", (Column("", "典型问题", ("问题",), required=True),), "words")
_NOT_QUESTIONS = ListSheet(
    "not_questions", "不答的问题", (Column("", "不答的问题", ("不归本事项的问题",), required=True),), "words"
)
_MATERIALS = ListSheet(
    "materials",
    "申请材料",
    (
        Column("name", "材料名称", ("名称", "申请材料"), required=True),
        Column("form", "材料形式", ("形式", "材料类型"), hint="原件、复印件、原件和复印件、电子"),
        Column("copies", "份数", ("材料份数", "数量"), hint="整数"),
        Column("necessity", "必要性", ("材料必要性",), hint="必要、非必要、容缺后补"),
        Column("source", "来源", ("材料来源", "来源渠道")),
        Column("note", "备注", ("说明", "填报须知", "受理标准")),
        Column("applies_when", "适用情形", ("情形", "选项"), hint="情形表里的一个选项；空 = 总是需要"),
        Column("template_url", "模板下载地址", ("空白表格", "样表", "模板地址")),
    ),
    required=True,
)
_SITUATIONS = ListSheet(
    "situations",
    "情形",
    (
        Column("question", "情形问题", ("问题", "情形"), required=True),
        Column("options", "选项", ("情形选项",), required=True, hint="一行一个选项，同一问题写在相邻的行"),
    ),
    "options",
)
_FEES = ListSheet(
    "fees",
    "收费",
    (
        Column("item", "收费项目", ("项目", "收费项目名称")),
        Column("amount", "收费标准", ("金额", "标准"), required=True, hint="元，例如 10 或 10.5；也可以写区间、算法"),
        Column("unit", "计费单位", ("单位", "收费单位")),
        Column("basis", "收费依据", ("依据",)),
        Column("reduction", "减免情形", ("减免", "减免依据")),
    ),
    required=True,
)
_PROCESS = ListSheet(
    "process",
    "办理流程",
    (
        Column("step", "环节", ("步骤", "环节名称", "步骤名称"), required=True),
        Column("actor", "办理人", ("办理人员", "责任人", "办理者")),
        Column("limit", "时限", ("办理时限", "环节时限")),
        Column("result", "办理结果", ("结果", "环节结果")),
    ),
)
_WINDOWS = ListSheet(
    "windows",
    "办理地点",
    (
        Column("name", "窗口名称", ("名称", "地点名称", "办理窗口"), required=True),
        Column("address", "地址", ("办理地址", "详细地址")),
        Column("hours", "办公时间", ("工作时间", "办理时间")),
        Column("phone", "电话", ("联系电话", "咨询电话")),
        Column("division", "行政区划代码", ("区划代码",), hint="6 位数字"),
    ),
)
_FAQ = ListSheet(
    "faq",
    "常见问题",
    (
        Column("q", "问题", ("常见问题", "提问"), required=True),
        Column("a", "解答", ("答案", "回答", "答复"), required=True),
    ),
)
_LIMIT_HINT = "例如 15工作日、30自然日、即办"

GUIDES = Form(
    title="事项",
    code=Column("code", "实施编码", ("事项编码",), required=True),
    columns=(
        Column("code", "实施编码", ("事项编码",), required=True),
        Column("catalog_code", "基本编码"),
        Column("name", "事项名称", required=True),
        Column("aliases", "别名", cell=Cell.WORDS, hint="也可以写在“别名”表里，一行一个"),
        Column("questions", "典型问题", cell=Cell.WORDS, hint="也可以写在“典型问题”表里，一行一个"),
        Column(
            "not_questions", "不答的问题", cell=Cell.WORDS, hint="听着像、其实不归本事项的问法；也可以写在同名的表里"
        ),
        Column("kind", "事项类型", required=True),
        Column("department", "实施主体", ("实施部门",), required=True),
        Column("division", "行政区划代码", hint="6 位数字"),
        Column("level", "行使层级", hint="国家级、省级、市级、县级、乡级、村级"),
        Column("audience", "服务对象", cell=Cell.WORDS, required=True, hint="例如 自然人、企业法人"),
        Column("conditions", "受理条件"),
        Column("statutory_limit", "法定办结时限", cell=Cell.LIMIT, hint=_LIMIT_HINT),
        Column("promised_limit", "承诺办结时限", cell=Cell.LIMIT, required=True, hint=_LIMIT_HINT),
        Column("online_url", "网办地址"),
        Column("visits", "到办事现场次数", hint="整数"),
        Column("scope", "通办范围"),
        Column("result.name", "结果名称"),
        Column(
            "result.delivery", "送达方式", ("结果送达方式", "领取方式"), Cell.WORDS, hint="窗口领取、邮寄、网上下载"
        ),
        Column("result.validity", "结果有效期", ("有效期",)),
        Column("consult_phone", "咨询电话"),
        Column("complaint_phone", "监督电话", ("监督投诉电话",)),
        Column("power_code", "权力编码"),
        Column("version", "版本"),
        Column("valid_from", "生效日期", hint="例如 2026-01-31"),
        Column("valid_to", "失效日期", hint="例如 2026-12-31；空 = 一直有效"),
    ),
    lists=(_MATERIALS, _SITUATIONS, _FEES, _PROCESS, _WINDOWS, _FAQ, _BASIS, _ALIASES, _QUESTIONS, _NOT_QUESTIONS),
)

POWERS = Form(
    title="权力",
    code=Column("code", "权力编码", required=True),
    columns=(
        Column("code", "权力编码", required=True),
        Column("name", "权力名称", required=True),
        Column("kind", "权力类型", required=True),
        Column("department", "行使主体", required=True),
        Column("complaint_phone", "监督电话", ("投诉电话",)),
        Column("topics", "主题词", ("投诉主题", "关键词"), Cell.WORDS, hint="也可以写在“主题词”表里，一行一个"),
    ),
    lists=(
        ListSheet(
            "responsibilities",
            "责任事项",
            (
                Column("step", "责任环节", ("环节",), required=True),
                Column("text", "责任事项", ("责任内容", "内容"), required=True),
                Column("accountability", "追责情形", ("追责",)),
            ),
        ),
        _BASIS,
        ListSheet("topics", "主题词", (Column("", "主题词", ("投诉主题", "关键词"), required=True),), "words"),
    ),
)
