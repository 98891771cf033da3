"""Pictures made anew and kept once; places checked; what belongs to a conversation."""

from __future__ import annotations

import io
import stat
import struct
import zlib
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image

from bot.attachments.model import LONGEST_SIDE, MOST_BYTES, MOST_OF_A_CONVERSATION, cleaned
from bot.attachments.service import AttachmentService
from bot.clock import FixedClock
from bot.conversations.service import ConversationService
from bot.errors import Conflict, InvalidInput, NotFound, TooLarge
from bot.settings import load_settings
from bot.store import Store
from bot.store.audit import first_break


def picture(kind: str = "JPEG", size: tuple[int, int] = (60, 40), mode: str = "RGB", **options: object) -> bytes:
    made = io.BytesIO()
    Image.new(mode, size).save(made, kind, **options)
    return made.getvalue()


def located() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    exif[0x010F] = "PhoneMaker"
    exif.get_ifd(0x8825)[2] = (25.0, 16.0, 27.0)
    return picture(exif=exif)


@pytest.fixture
def service(store: Store, clock: FixedClock, tmp_path: Path) -> AttachmentService:
    return AttachmentService(store, clock, tmp_path / "attachments")


@pytest.fixture
def conversation(store: Store, clock: FixedClock, tmp_path: Path) -> str:
    conversations = ConversationService(store, clock, load_settings(home=tmp_path))
    return conversations.begin(None, "m1", "你好", "wechat", citizen="wechat:o1").conversation_id


@pytest.mark.parametrize(
    ("kind", "mode"), [("JPEG", "RGB"), ("PNG", "RGBA"), ("GIF", "P"), ("WEBP", "RGB"), ("BMP", "L")]
)
def test_pictures_of_every_kind_become_fresh_jpegs(kind: str, mode: str) -> None:
    made = Image.open(io.BytesIO(cleaned(picture(kind, mode=mode)).content))
    assert (made.format, made.mode, made.size) == ("JPEG", "RGB", (60, 40))


def test_where_and_when_it_was_taken_stays_behind_and_it_stands_upright() -> None:
    assert b"PhoneMaker" in located()
    seen = cleaned(located())
    assert b"Exif" not in seen.content
    assert b"PhoneMaker" not in seen.content
    assert (seen.width, seen.height) == (40, 60)


def test_what_hides_behind_a_picture_stays_behind() -> None:
    assert b"<?php" not in cleaned(picture() + b"<?php system('id'); ?>").content


def test_large_pictures_are_made_smaller() -> None:
    assert max(cleaned(picture(size=(5000, 100))).width, 0) == LONGEST_SIDE


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        picture()[:300],
        b"\xff\xd8\xff" + b"x" * 99,
    ],
)
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput):
        cleaned(content)


def test_bombs_are_refused() -> None:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 10_000)) + chunk(b"IEND", b"")
    with pytest.raises(TooLarge):
        cleaned(bomb)
    with pytest.raises(TooLarge):
        cleaned(b"\0" * (MOST_BYTES + 1))


def test_a_picture_is_kept_once_out_of_others_sight(
    service: AttachmentService, conversation: str, tmp_path: Path, store: Store
) -> None:
    first = service.add_picture("wechat:1", "wechat:o1", conversation, picture())
    again = service.add_picture("wechat:1", "wechat:o1", conversation, picture())
    assert again == first
    files = [path for path in (tmp_path / "attachments").rglob("*") if path.is_file()]
    assert len(files) == 1
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600
    kept, content = service.content(first.id)
    assert kept.size == len(content)
    with store.read() as session:
        assert first_break(session) is None


def test_what_came_before_the_first_word_is_adopted_for_an_hour(
    service: AttachmentService, conversation: str, clock: FixedClock
) -> None:
    service.add_picture("wechat:1", "wechat:o1", None, picture())
    clock.advance(timedelta(hours=2))
    service.add_place("wechat:2", "wechat:o1", None, "25.27", "110.29", " 东湖 ")
    service.add_place("wechat:3", "wechat:other", None, "25.27", "110.29", "")
    service.adopt("wechat:o1", conversation)
    assert [each.label for each in service.of_conversation(conversation)] == ["东湖"]


@pytest.mark.parametrize(
    ("north", "east"), [("91", "0"), ("0", "-181"), ("nan", "0"), ("x", "0"), ("", ""), ("inf", "1")]
)
def test_places_off_the_map_are_refused(service: AttachmentService, north: str, east: str) -> None:
    with pytest.raises(InvalidInput):
        service.add_place("wechat:1", "wechat:o1", None, north, east, "")


def test_a_conversation_holds_only_so_many(service: AttachmentService, conversation: str, tmp_path: Path) -> None:
    for number in range(MOST_OF_A_CONVERSATION):
        service.add_place(f"wechat:{number}", "wechat:o1", conversation, "1", "1", "")
    with pytest.raises(Conflict):
        service.add_picture("wechat:more", "wechat:o1", conversation, picture())
    assert [path for path in (tmp_path / "attachments").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("name", ["0" * 32, "../../etc/passwd", "", "x" * 32])
def test_unknown_ones_are_not_found(service: AttachmentService, name: str) -> None:
    with pytest.raises(NotFound):
        service.content(name)
