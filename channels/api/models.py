"""The shapes of the API, for its description and for checking what comes in."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Outcome = Literal["answered", "clarify", "unknown", "case", "complaint", "handoff", "smalltalk", "error"]


class ChatRequest(BaseModel):
    """One thing a citizen says."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "身份证丢了怎么补，要多少钱？"}]})

    text: Annotated[str, Field(description="What the citizen said, at most 2,000 characters, in any spelling.")]
    conversation_id: Annotated[
        str | None, Field(description="The conversation it belongs to, from an earlier answer; absent: a new one.")
    ] = None
    client_message_id: Annotated[
        str | None,
        Field(description="A name for this message, new for each. Sent again, it gets the same reply and acts once."),
    ] = None


class Candidate(BaseModel):
    code: str
    name: str
    score: Annotated[float, Field(description="Calibrated probability in 0..1 that this matter is meant.")]


class Choice(BaseModel):
    title: Annotated[str, Field(description="What the button says.")]
    payload: Annotated[str, Field(description="What to send as `text` when it is pressed.")]


class ChatMessage(BaseModel):
    model_config = ConfigDict(extra="allow")

    kind: Literal["text", "choices", "case", "complaint", "complaint_draft"]
    text: str
    choices: Annotated[list[Choice] | None, Field(description="With kind `choices`; numbered from 1 as shown.")] = None
    card: Annotated[
        dict[str, Any] | None, Field(description="The same answer in parts: title, department, sections, source.")
    ] = None
    case: Annotated[
        dict[str, Any] | None, Field(description="With kind `case`: the fields of the case, as at /api/v1/cases.")
    ] = None
    complaint: Annotated[
        dict[str, Any] | None, Field(description="With kind `complaint`: number, state, unit, deadline, steps, answer.")
    ] = None
    draft: Annotated[
        dict[str, Any] | None, Field(description="With kind `complaint_draft`: what will be filed, to be confirmed.")
    ] = None


class CaseStage(BaseModel):
    """One stage: `done`, the one going on `now`, or `todo`."""

    model_config = ConfigDict(extra="allow")

    stage: Annotated[str, Field(description="申请, 受理, 审查, 决定 or 送达.")]
    status: Literal["done", "now", "todo"]
    unit: str | None = None
    person: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    result: str | None = None


class CaseClock(BaseModel):
    """The limit. `left` is negative beyond it; `due` is null while the clock stands still or nothing is promised."""

    limit: int | None
    unit: Annotated[str | None, Field(description="工作日, 自然日, 小时 or 月.")]
    used: int
    left: int | None
    due: date | None
    provisional: Annotated[bool, Field(description="Whether `due` rests on a year whose holidays are not published.")]
    stopped_by: Annotated[str | None, Field(description="补正, 听证, 检验 …: what stops the clock now.")]
    late_days: Annotated[int, Field(description="Working days beyond the due date.")]
    text: Annotated[str, Field(description="The same in a sentence.")]


class CaseOwed(BaseModel):
    """What the applicant still has to bring."""

    kind: str
    note: str | None
    due: datetime | None
    text: str


class CaseProgress(BaseModel):
    """How far a case has come."""

    number: str
    matter: Annotated[str | None, Field(description="Code of the matter applied for.")]
    matter_name: str
    department: str
    applicant: Annotated[str | None, Field(description="Masked name of the applicant.")]
    state: Literal["applied", "reviewing", "deciding", "paused", "delivering", "closed"]
    headline: str
    unit: str
    person: str | None
    stages: list[CaseStage]
    clock: CaseClock
    owes: CaseOwed | None
    next: Annotated[str | None, Field(description="The stage that comes next.")]
    overdue: bool
    outcome: str | None
    accepted_at: datetime | None
    closed_at: datetime | None
    delivery: str | None
    tracking: str | None
    updated_at: datetime | None
    text: Annotated[str, Field(description="All of it in sentences, for channels without cards.")]


class CaseTaken(BaseModel):
    """What became of a case that was sent."""

    number: str
    taken: Literal["added", "changed", "unchanged"]


class Source(BaseModel):
    model_config = ConfigDict(extra="allow")

    code: str
    name: str
    version: str
    department: str
    facet: str
    legal_basis: str | None = None


class ChatReply(BaseModel):
    """The assistant's answer to one turn."""

    model_config = ConfigDict(extra="allow")

    conversation_id: str
    outcome: Annotated[
        Outcome,
        Field(
            description="`answered`: a guide's facts about one matter; `clarify`: the citizen chooses among at most "
            "three; `unknown`: the catalogue does not answer it; `case`, `complaint`, `handoff`, `smalltalk`; `error`."
        ),
    ]
    matter: Annotated[str | None, Field(description="Code of the matter answered about.")]
    candidates: list[Candidate]
    facets: list[str]
    confidence: Annotated[float, Field(description="Calibrated: of the answers given at 0.9, nine in ten are right.")]
    messages: list[ChatMessage]
    sources: list[Source]


class Event(BaseModel):
    """One entry of a conversation's log; numbers grow by one and are never reused."""

    number: int
    kind: Annotated[
        str,
        Field(
            description="`citizen`: what was said; `bot`: the reply; `person`: an operator's word; `holder`: who "
            "answers now (`holder`: bot, waiting, person, closed); `notice`: a line about the waiting."
        ),
    ]
    at: datetime
    payload: dict[str, Any]


class Events(BaseModel):
    events: list[Event]


class ErrorBody(BaseModel):
    """Every refusal and failure."""

    error: Annotated[str, Field(description="Code for machines.")]
    message: Annotated[str, Field(description="Chinese sentence for people.")]
    remedy: Annotated[str, Field(description="What to do about it, in Chinese; may be empty.")]
    details: list[dict[str, Any]] | None = None


class MatterRow(BaseModel):
    code: str
    name: str
    department: str
    kind: str


class MatterPage(BaseModel):
    matters: list[MatterRow]
    total: int
    page: int
    pages: int
    catalogue_version: str | None


class PublishedMatter(BaseModel):
    guide: Annotated[dict[str, Any], Field(description="The guide with the keys of the exchange format.")]
    catalogue_version: str
    published_at: datetime


ERRORS: dict[int | str, dict[str, Any]] = {
    401: {"model": ErrorBody, "description": "No usable API key"},
    403: {"model": ErrorBody, "description": "The key may not do this"},
    404: {"model": ErrorBody, "description": "Nothing of that name"},
    409: {"model": ErrorBody, "description": "Contradicts what is stored or happening now"},
    413: {"model": ErrorBody, "description": "Too large"},
    422: {"model": ErrorBody, "description": "Not acceptable; `message` says why"},
    429: {"model": ErrorBody, "description": "Too many requests; see `Retry-After`"},
    503: {"model": ErrorBody, "description": "A part is down or busy; trying again may help"},
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The descriptions of these error statuses, for a route."""
    return {status: ERRORS[status] for status in statuses}
