"""The Excel form of cases: which sheet and which Chinese header holds which key of the exchange format."""

from __future__ import annotations

from bot.cases.model import STAGES
from bot.matters.form import Cell, Column, Form, ListSheet

_NUMBER = Column("number", "办件编号", ("办件号", "受理编号", "业务流水号", "申办流水号"), required=True)
_TIME_HINT = "例如 2026-01-31 09:30；只写日期也可以"

CASES = Form(
    title="办件",
    code=_NUMBER,
    columns=(
        _NUMBER,
        Column("query_code", "查询码", ("查询密码",), hint="设为文本格式，否则开头的 0 会丢失"),
        Column("matter", "实施编码", ("事项编码",)),
        Column("matter_name", "事项名称", required=True),
        Column("department", "受理单位", ("受理部门", "实施主体", "办理单位"), required=True),
        Column("applicant.name", "申请人", ("申请人姓名", "申请人名称")),
        Column(
            "applicant.id_number", "证件号码", ("申请人证件号码", "身份证号", "统一社会信用代码"), hint="设为文本格式"
        ),
        Column("applicant.phone", "手机", ("联系电话", "手机号码", "申请人手机"), hint="设为文本格式"),
        Column("promised_limit", "承诺办结时限", cell=Cell.LIMIT, hint="例如 10工作日；空 = 用事项的"),
        Column("outcome", "办理结果", ("办结结果",), hint="准予、不予、不予受理、撤回、终止；空 = 还在办理"),
        Column("closed_at", "办结时间", hint=_TIME_HINT),
        Column("delivery", "送达方式", ("领取方式",)),
        Column("tracking", "快递单号", ("物流单号",)),
        Column("updated_at", "更新时间", ("最后更新时间",), hint=_TIME_HINT),
    ),
    lists=(
        ListSheet(
            "stages",
            "环节",
            (
                Column("stage", "环节", ("环节名称",), required=True, hint="、".join(STAGES)),
                Column("unit", "办理单位", ("承办单位", "办理部门")),
                Column("person", "办理人", ("经办人", "办理人员")),
                Column("start", "开始时间", required=True, hint=_TIME_HINT),
                Column("end", "结束时间", hint="空 = 正在进行"),
                Column("result", "环节结果", ("结果", "办理意见")),
                Column("note", "说明", ("备注",)),
            ),
            required=True,
        ),
        ListSheet(
            "pauses",
            "暂停",
            (
                Column(
                    "kind",
                    "原因",
                    ("暂停原因",),
                    required=True,
                    hint="补正、听证、检验、检测、检疫、鉴定、专家评审、公示",
                ),
                Column("start", "开始时间", required=True, hint=_TIME_HINT),
                Column("end", "结束时间", hint="空 = 还在等"),
                Column("due", "补正期限", ("截止时间",)),
                Column("note", "说明", ("补正内容", "备注"), hint="要补什么、检验什么"),
            ),
        ),
    ),
)
