"""A complaint as a value: its kinds, its states, and who may move it from one to another. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.errors import Conflict, Forbidden, InvalidInput
from bot.people.model import Role

CORRECTABLE_FOR = timedelta(minutes=10)
"""How long after filing a citizen may take it back or correct it himself."""


class Kind(StrEnum):
    """What the citizen wants (诉求类型)."""

    COMPLAINT = "投诉"
    HELP = "求助"
    ENQUIRY = "咨询"
    SUGGESTION = "建议"
    REPORT = "举报"
    PRAISE = "表扬"


class State(StrEnum):
    """Where a complaint stands."""

    FILED = "filed"  # taken; an operator decides where it goes
    DISPATCHED = "dispatched"  # sent to a unit that has not signed for it
    SIGNED = "signed"  # the unit handles it
    PAUSED = "paused"  # the clock stands still, for a reason that is told
    RETURNED = "returned"  # the unit says it is not responsible; an operator decides again
    ANSWERED = "answered"
    REVIEWED = "reviewed"  # the answer was checked with the citizen
    CLOSED = "closed"
    REOPENED = "reopened"  # the citizen disagrees; an operator sends it out again
    MERGED = "merged"  # handled with another that tells of the same
    WITHDRAWN = "withdrawn"


STATE_NAMES = {
    State.FILED: "待派单",
    State.DISPATCHED: "待签收",
    State.SIGNED: "办理中",
    State.PAUSED: "暂停计时",
    State.RETURNED: "已退回",
    State.ANSWERED: "已答复",
    State.REVIEWED: "已审核",
    State.CLOSED: "已办结",
    State.REOPENED: "重新办理",
    State.MERGED: "已并入",
    State.WITHDRAWN: "已撤回",
}

OPEN = frozenset({State.FILED, State.DISPATCHED, State.SIGNED, State.PAUSED, State.RETURNED, State.REOPENED})
"""States in which somebody still owes the citizen an answer."""


class Act(StrEnum):
    """What somebody does with a complaint."""

    DISPATCH = "dispatch"
    SIGN = "sign"
    REPLY = "reply"
    RETURN = "return"
    TAKE_BACK = "take_back"
    RECLASSIFY = "reclassify"  # another kind, category or urgency than was heard in the text
    ASK_EXTENSION = "ask_extension"
    GRANT_EXTENSION = "grant_extension"
    REFUSE_EXTENSION = "refuse_extension"
    PAUSE = "pause"
    RESUME = "resume"
    ANSWER = "answer"
    REVIEW = "review"
    CLOSE = "close"
    CORRECT = "correct"
    SUPPLEMENT = "supplement"  # the citizen says more
    WITHDRAW = "withdraw"
    REOPEN = "reopen"
    MERGE = "merge"
    SPLIT = "split"


class Party(StrEnum):
    """In which capacity somebody acts."""

    CITIZEN = "citizen"  # whoever filed it
    OPERATOR = "operator"
    UNIT = "unit"  # a clerk or the head of the unit that holds it
    SUPERVISOR = "supervisor"
    SYSTEM = "system"


PARTIES = {
    Role.OPERATOR: Party.OPERATOR,
    Role.DEPARTMENT: Party.UNIT,
    Role.HEAD: Party.UNIT,
    Role.SUPERVISOR: Party.SUPERVISOR,
}
"""In which capacity an account acts; administrators and editors do not handle complaints."""


@dataclass(frozen=True, slots=True)
class Rule:
    """``to`` None: the state stays."""

    before: frozenset[State]
    to: State | None
    by: frozenset[Party]


def priority(urgent: bool, joined: int) -> int:
    """How much a complaint presses, 0..3: by danger, else by how many others joined it (one; five and more)."""
    if urgent:
        return 3
    return sum(joined >= many for many in (1, 5))


def _rule(before: set[State], to: State | None, *by: Party) -> Rule:
    return Rule(frozenset(before), to, frozenset(by))


_DESK = (Party.OPERATOR, Party.SUPERVISOR)

RULES: dict[Act, Rule] = {
    Act.DISPATCH: _rule({State.FILED, State.RETURNED, State.REOPENED}, State.DISPATCHED, *_DESK, Party.SYSTEM),
    Act.SIGN: _rule({State.DISPATCHED}, State.SIGNED, Party.UNIT),
    Act.REPLY: _rule({State.SIGNED}, None, Party.UNIT),
    Act.RETURN: _rule({State.DISPATCHED}, State.RETURNED, Party.UNIT),
    Act.TAKE_BACK: _rule({State.DISPATCHED, State.SIGNED, State.PAUSED}, State.FILED, Party.SUPERVISOR),
    Act.RECLASSIFY: _rule({State.FILED, State.RETURNED, State.REOPENED, State.DISPATCHED, State.SIGNED}, None, *_DESK),
    Act.ASK_EXTENSION: _rule({State.SIGNED}, None, Party.UNIT),
    Act.GRANT_EXTENSION: _rule({State.SIGNED}, None, Party.SUPERVISOR),
    Act.REFUSE_EXTENSION: _rule({State.SIGNED}, None, Party.SUPERVISOR),
    Act.PAUSE: _rule({State.SIGNED}, State.PAUSED, Party.UNIT),
    Act.RESUME: _rule({State.PAUSED}, State.SIGNED, Party.UNIT, Party.SUPERVISOR),
    Act.ANSWER: _rule({State.SIGNED}, State.ANSWERED, Party.UNIT),
    Act.REVIEW: _rule({State.ANSWERED}, State.REVIEWED, *_DESK, Party.SYSTEM),
    Act.CLOSE: _rule({State.REVIEWED}, State.CLOSED, *_DESK, Party.SYSTEM),
    Act.CORRECT: _rule({State.FILED, State.DISPATCHED}, None, Party.CITIZEN),
    Act.SUPPLEMENT: _rule(set(OPEN), None, Party.CITIZEN),
    Act.WITHDRAW: _rule({State.FILED, State.DISPATCHED}, State.WITHDRAWN, Party.CITIZEN),
    Act.REOPEN: _rule({State.ANSWERED, State.REVIEWED, State.CLOSED}, State.REOPENED, Party.CITIZEN, *_DESK),
    Act.MERGE: _rule({State.FILED, State.RETURNED, State.DISPATCHED, State.SIGNED}, State.MERGED, *_DESK),
    Act.SPLIT: _rule({State.MERGED}, State.FILED, *_DESK),
}
"""Who may do what when. Anything not listed here does not happen."""

NEEDS_REASON = frozenset(
    {
        Act.REPLY,
        Act.RETURN,
        Act.TAKE_BACK,
        Act.ASK_EXTENSION,
        Act.REFUSE_EXTENSION,
        Act.PAUSE,
        Act.ANSWER,
        Act.SUPPLEMENT,
        Act.REOPEN,
        Act.MERGE,
    }
)
"""Acts that come with a text: a reason, or the answer itself."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. ``name`` goes into the audit trail; ``department`` is his own unit, ``head`` whether he is its head."""

    party: Party
    name: str
    department: str | None = None
    head: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """What a decision on an act looks at."""

    state: State
    version: int
    department: str | None
    filed_at: datetime
    due_at: datetime | None = None
    return_until: datetime | None = None
    returns: int = 0
    extension_asked: bool = False
    extensions: int = 0


def after(standing: Standing, act: Act, actor: Actor, version: int, now: datetime, *, reason: str = "") -> State:
    """The state after ``act``. Raises Forbidden, Conflict (version, state, time) or InvalidInput (no reason).

    ``version``: the one the actor saw; another means that somebody else acted in between.
    """
    rule = RULES[act]
    _check_party(rule, standing, actor)
    if version != standing.version:
        raise Conflict(
            "这件诉求刚被别人处理过，您看到的已不是最新情况。",
            code="complaint_changed",
            remedy="请刷新后看一看最新情况，再决定是否继续。",
        )
    if standing.state not in rule.before:
        raise Conflict(
            "这件诉求现在的状态不能这样办理。",
            code="complaint_state",
            remedy="请刷新后按当前状态办理。",
            details=[{"state": standing.state.value, "act": act.value}],
        )
    if act in NEEDS_REASON and not reason.strip():
        raise InvalidInput("请写明内容或理由。", code="reason_missing", remedy="填写后再提交一次。")
    _check_time(standing, act, now)
    return rule.to or standing.state


def _check_party(rule: Rule, standing: Standing, actor: Actor) -> None:
    own = actor.party is not Party.UNIT or (actor.department is not None and actor.department == standing.department)
    if actor.party not in rule.by or not own:
        raise Forbidden(
            "您不能这样办理这件诉求。",
            code="complaint_forbidden",
            remedy="承办单位只办理派给本单位的诉求；其他操作请联系坐席或督办员。",
        )


def _check_time(standing: Standing, act: Act, now: datetime) -> None:
    if act in {Act.CORRECT, Act.WITHDRAW} and now - standing.filed_at > CORRECTABLE_FOR:
        minutes = int(CORRECTABLE_FOR.total_seconds() // 60)
        raise Conflict(
            f"提交已超过 {minutes} 分钟，不能自行更改了。",
            code="complaint_too_late",
            remedy="请拨打热线，由坐席为您补充或撤回。",
        )
    if act is Act.RETURN and (standing.returns or (standing.return_until and now > standing.return_until)):
        raise Conflict(
            "这件诉求不能再退回：只能退回一次，且须在退回时限内。",
            code="complaint_return_spent",
            remedy="请签收办理；确不属本单位职责的，请联系督办员。",
        )
    if act is Act.ASK_EXTENSION and (standing.extension_asked or standing.due_at is None or now >= standing.due_at):
        raise Conflict(
            "不能申请延期：已经申请过，或已到办结时限。",
            code="complaint_extension_late",
            remedy="延期要在到期之前申请，每次等前一次批复后再提。",
        )
    if act in {Act.GRANT_EXTENSION, Act.REFUSE_EXTENSION} and not standing.extension_asked:
        raise Conflict("这件诉求没有待批的延期申请。", code="complaint_no_extension_asked", remedy="请刷新后再看。")


def acts_possible(standing: Standing, actor: Actor, now: datetime) -> list[Act]:
    """What ``actor`` could do at ``now``, time limits included, once he gives the reasons that are wanted."""
    found = []
    for act in acts_open_to(standing, actor):
        try:
            after(standing, act, actor, standing.version, now, reason="…")
        except Conflict:
            continue
        found.append(act)
    return found


def acts_open_to(standing: Standing, actor: Actor) -> list[Act]:
    """What ``actor`` could do by state and capacity (time limits are checked when it is done)."""
    found = []
    for act, rule in RULES.items():
        try:
            _check_party(rule, standing, actor)
        except Forbidden:
            continue
        if standing.state in rule.before:
            found.append(act)
    return found
