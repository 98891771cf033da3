"""One spelling for what people type: width, case, script and punctuation do not matter for finding."""

from __future__ import annotations

import hashlib
import re
import unicodedata

_KEEP = re.compile(r"[^0-9a-z\u4e00-\u9fff]+")


def bare(text: str) -> str:
    """``text`` in half width and lower case with only letters, digits and Han left."""
    return _KEEP.sub("", unicodedata.normalize("NFKC", text).lower())


def key(text: str) -> int:
    """A 64-bit key of the bare text, for exact look-up."""
    return int.from_bytes(hashlib.blake2b(bare(text).encode(), digest_size=8).digest(), "big")
