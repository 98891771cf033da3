"""A tracker store whose conversations and memory stay bounded.

The conversation itself (current matter, offered choices, every message) lives in the gateway's database; Rasa only
needs the last turns to apply its rules. Without a bound each message would serialise, and send to the action server,
everything said before, and a turn would grow slower with every message.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import InMemoryTrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.rasa.serving.protocol import remember

remember()  # here, because every server makes a tracker store and nothing else does


def last_turns(events: list[Event], turns: int) -> list[Event]:
    """The events from the `turns`-th last citizen message on, together with the listen action before it."""
    starts = [position for position, event in enumerate(events) if isinstance(event, UserUttered)]
    if len(starts) <= turns:
        return events
    return events[max(0, starts[-turns] - 1) :]


class BoundedTrackerStore(InMemoryTrackerStore):
    """Keeps the last `turns` turns of the `conversations` most recently active conversations, in memory."""

    def __init__(
        self,
        domain: Domain,
        event_broker: EventBroker | None = None,
        turns: int = 3,
        conversations: int = 20_000,
        **kwargs: Any,
    ) -> None:
        super().__init__(domain, event_broker, **kwargs)
        self.store: OrderedDict[str, str] = OrderedDict()
        self.turns = int(turns)
        self.conversations = int(conversations)

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Save the tracker's last turns and forget the conversation that has been silent longest when full."""
        kept = last_turns(list(tracker.events), self.turns)
        if len(kept) < len(tracker.events):
            tracker = DialogueStateTracker.from_events(
                tracker.sender_id, kept, self.domain.slots, max_event_history=None, sender_source=tracker.sender_source
            )
        await super().save(tracker)
        self.store.move_to_end(tracker.sender_id)
        while len(self.store) > self.conversations:
            self.store.popitem(last=False)
