"""Delivering: by the first channel that takes it, never twice, never at night."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import ZONE, FixedClock
from bot.notifications import wording
from bot.notifications.model import MOST_DELAYS, Notice, QuietHours
from bot.notifications.ports import Later, Refused, Sent, Unsure
from bot.store import Store
from bot.store.outbox import OutboxState, unfinished
from tests.bot.cases.conftest import Office, office_over
from tests.bot.cases.examples import at

VALUES = {
    "number": "YS1", "matter": "居住证签注", "stage": "受理", "unit": "派出所", "time": "今天", "due": "", "note": "",
    "until": "", "outcome": "", "delivery": "", "tracking": "", "judge": "http://h/judge/1",
    "code": "2ABCDE", "category": "停水", "answer": "修好了", "into": "", "link": "http://h/complaints/1",
    "complaint": "TS1",
}  # fmt: skip
BOTH = (("wechat", "wang"), ("sms", "13900001234"))


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(at("11-20 12:00"))


@pytest.fixture
def office(any_store: Store, clock: FixedClock, tmp_path: Path) -> Office:
    return office_over(any_store, clock, tmp_path / "home")


def tell(office: Office, key: str = "k1", addresses: tuple[tuple[str, str], ...] = BOTH) -> bool:
    with office.store.write() as work:
        return office.notifications.tell(work, Notice(key, "case:YS1", "case.accepted", VALUES, addresses))


async def deliver(office: Office, key: str = "k1") -> datetime | None:
    return await office.notifications.deliver(key, office.clock.now())


def state(office: Office) -> tuple[object, object]:
    [row] = office.notifications.of_subject("case:YS1")
    return row["state"], row["channel"]


async def test_the_first_channel_that_takes_it_gets_it_and_no_other(office: Office) -> None:
    assert tell(office)
    assert await deliver(office) is None
    assert await deliver(office) is None
    assert ([a for a, _ in office.wechat.sent], office.sms.sent) == (["wang"], [])
    assert state(office) == ("sent", "wechat")


async def test_a_key_is_told_once(office: Office) -> None:
    assert tell(office)
    assert not tell(office)
    with office.store.read() as session:
        assert [m.state for m in unfinished(session)] == [OutboxState.NEW]


async def test_refused_by_one_it_goes_to_the_next(office: Office) -> None:
    tell(office)
    office.wechat.ends = [Refused("not_a_follower", "43004")]
    assert await deliver(office) is None
    assert [a for a, _ in office.sms.sent] == ["13900001234"]
    assert state(office) == ("sent", "sms")


async def test_refused_by_all_it_is_shown_to_the_operator(office: Office) -> None:
    tell(office)
    office.wechat.ends = [Refused("not_a_follower", "43004")]
    office.sms.ends = [Refused("bad_number", "no such phone")]
    assert await deliver(office) is None
    [row] = office.notifications.undelivered()
    assert row["state"] == "refused"
    assert "bad_number" in str(row["reason"])
    assert "13900001234" not in str(row)


async def test_later_waits_and_in_the_end_the_next_channel_is_tried(office: Office, clock: FixedClock) -> None:
    tell(office)
    office.wechat.ends = [Later("45009 busy", clock.now() + timedelta(minutes=5)) for _ in range(MOST_DELAYS)]
    for _ in range(MOST_DELAYS):
        assert await deliver(office) == clock.now() + timedelta(minutes=5)
        office.wechat.ends = [Later("busy", clock.now() + timedelta(minutes=10))] * 9
        clock.advance(timedelta(minutes=5))
    assert await deliver(office) is None
    assert state(office) == ("sent", "sms")


async def test_what_may_have_been_sent_is_never_sent_again(office: Office) -> None:
    tell(office)
    office.wechat.ends = [Unsure("read timeout")]
    assert await deliver(office) is None
    assert await deliver(office) is None
    assert (office.wechat.sent, office.sms.sent) == ([], [])
    assert state(office) == ("unsure", "wechat")


async def test_a_worker_that_died_while_sending_leaves_no_doubled_notice(office: Office) -> None:
    class Killed(BaseException):
        pass

    async def die(*_: object) -> Sent:
        raise Killed

    tell(office)
    office.wechat.deliver = die  # type: ignore[method-assign,assignment]
    with pytest.raises(Killed):
        await deliver(office)
    assert state(office) == ("sending", "wechat")
    assert await deliver(office) is None
    assert state(office) == ("unsure", "wechat")
    assert office.sms.sent == []


async def test_nobody_is_woken_at_night(office: Office, clock: FixedClock) -> None:
    tell(office)
    clock.advance(timedelta(hours=9))
    morning = await deliver(office)
    assert morning == at("11-21 08:00")
    assert office.wechat.sent == []
    clock.advance(timedelta(hours=11))
    assert await deliver(office) is None
    assert len(office.wechat.sent) == 1


async def test_after_three_days_it_is_not_sent_any_more(office: Office, clock: FixedClock) -> None:
    tell(office)
    clock.advance(timedelta(days=3, hours=1))
    assert await deliver(office) is None
    assert state(office)[0] == "refused"
    assert office.wechat.sent == []


async def test_without_any_channel_it_is_refused_and_said(office: Office) -> None:
    tell(office, addresses=(("pigeon", "loft"),))
    assert await deliver(office) is None
    assert "no channel" in str(office.notifications.undelivered()[0]["reason"])


def test_nobody_to_tell_is_no_notification(office: Office) -> None:
    assert not tell(office, addresses=())
    assert office.notifications.of_subject("case:YS1") == []


@given(st.integers(0, 24), st.integers(0, 24), st.integers(0, 525_600))
def test_a_quiet_time_ends_within_a_day_and_is_over_then(start: int, until: int, minutes: int) -> None:
    now = datetime(2026, 1, 1, tzinfo=ZONE) + timedelta(minutes=minutes)
    hours = QuietHours(start, until)
    end = hours.end(now)
    if end is None:
        assert start == until or not (
            start <= now.hour < until if start < until else now.hour >= start or now.hour < until
        )
        return
    assert now < end <= now + timedelta(days=1)
    assert end.hour == until % 24
    assert hours.end(end) is None or until == 24


async def test_danger_is_told_at_night_and_nothing_else(office: Office) -> None:
    office.clock.advance(timedelta(hours=11))
    tell(office)
    morning = await deliver(office)
    assert morning is not None
    assert morning.hour == 8
    with office.store.write() as work:
        notice = Notice("k2", "case:YS1", "complaint.dispatched", VALUES, BOTH, urgent=True)
        assert office.notifications.tell(work, notice)
    assert await deliver(office, "k2") is None
    assert [address for address, _ in office.wechat.sent] == ["wang"]


@pytest.mark.parametrize("template", wording.templates())
def test_every_notice_reads_well_with_and_without_what_may_be_missing(template: str) -> None:
    always = {"city": "云山市", "hotline": "12345", **VALUES}
    for values in (always, {**always, "judge": "", "link": ""}):
        text = wording.text(template, values)
        assert not set("[]{}") & set(text)
        assert ("http" in text) == bool(values["judge"])
    assert wording.title(template)
