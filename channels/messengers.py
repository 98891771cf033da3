"""The channels that notifications leave by."""

from __future__ import annotations

from bot.clock import Clock
from bot.conversations.service import ConversationService
from bot.notifications.ports import Messenger
from bot.settings import Settings
from bot.store import Store
from bot.store.sealed import Sealer
from channels.conversation_notices import ConversationNotices
from channels.sms import FileSms, HttpSms
from channels.wechat.messenger import make_messenger


def make_messengers(settings: Settings, store: Store, sealer: Sealer, clock: Clock) -> list[Messenger]:
    """The messengers of an installation: only those whose settings are there. Raises ConfigurationError.

    Without an SMS gateway development writes text messages to a file; production has none then.
    """
    made: list[Messenger] = [ConversationNotices(ConversationService(store, clock, settings))]
    wechat = make_messenger(settings, store, sealer, clock)
    if wechat is not None:
        made.append(wechat)
    if settings.sms_url:
        made.append(HttpSms(settings))
    elif settings.environment == "development":
        made.append(FileSms(settings.home))
    return made
