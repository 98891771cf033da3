"""Attachments as values, and what makes a picture acceptable."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from PIL import Image, ImageOps, UnidentifiedImageError

from bot.errors import InvalidInput, TooLarge

MOST_BYTES = 10 * 2**20
MOST_PIXELS = 50_000_000
"""Pixels of a picture that is still decoded: more than phones take, far less than a decompression bomb."""
LONGEST_SIDE = 2560
QUALITY = 88
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP")
MOST_OF_A_CONVERSATION = 20
LONGEST_LABEL = 300


@dataclass(frozen=True, slots=True)
class Attachment:
    """One picture or place. ``latitude`` and ``longitude`` in degrees; ``size`` in bytes."""

    id: str
    kind: Literal["picture", "place"]
    created_at: datetime
    conversation_id: str | None
    media_type: str | None = None
    size: int | None = None
    width: int | None = None
    height: int | None = None
    latitude: float | None = None
    longitude: float | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture made anew: nothing is left of the file that came but what is seen."""

    content: bytes
    width: int
    height: int
    media_type: str = "image/jpeg"


def cleaned(content: bytes) -> Picture:
    """The picture in ``content``, told by what it holds and not by what it is called, upright, as a fresh JPEG.

    EXIF (place, time, device) and whatever else the file carried is left behind. Raises TooLarge, InvalidInput.
    """
    if len(content) > MOST_BYTES:
        raise TooLarge("图片太大。", code="picture_too_large", remedy=f"最多 {MOST_BYTES // 2**20} MB。")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own bound is lower or higher; ours is checked here
            with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
                if opened.width * opened.height > MOST_PIXELS:
                    raise TooLarge("图片的像素太多。", code="picture_too_large", remedy="请缩小后再发。")
                upright = ImageOps.exif_transpose(opened)
                upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
                seen = _on_white(upright)
    except TooLarge:
        raise
    except Image.DecompressionBombError:
        raise TooLarge("图片的像素太多。", code="picture_too_large", remedy="请缩小后再发。") from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, TypeError, IndexError, KeyError):
        # Decoders of damaged files raise many things.
        raise InvalidInput(
            "这不是能打开的图片。", code="picture_unreadable", remedy="请换一张 JPG 或 PNG 图片。"
        ) from None
    made = io.BytesIO()
    seen.save(made, "JPEG", quality=QUALITY, optimize=True)
    return Picture(made.getvalue(), seen.width, seen.height)


def checked_place(latitude: str, longitude: str) -> tuple[float, float]:
    """Degrees from texts. Raises InvalidInput."""
    try:
        north, east = float(latitude), float(longitude)
    except ValueError:
        north = east = float("nan")
    if not (-90 <= north <= 90 and -180 <= east <= 180):
        raise InvalidInput("位置看不懂。", code="bad_place", remedy="请重新发送位置，或者打字写明地址。")
    return north, east


def _on_white(image: Image.Image) -> Image.Image:
    """``image`` in plain colours; what was transparent is white. A fresh image, so that no metadata goes along."""
    rgba = image.convert("RGBA")
    seen = Image.new("RGB", rgba.size, "white")
    seen.paste(rgba, mask=rgba.getchannel("A"))
    return seen
