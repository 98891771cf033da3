"""Token states of the passages that the second look reads, kept with the index so that it encodes no guide anew.

A state takes one byte a number and one scale a token: about 22 KB a passage, of which only those that are looked at are
read into memory. A passage that an earlier index holds is copied from it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.encoder import Encoder, States, TokenEncoder, digest

_KEYS, _STARTS, _STATES, _SCALES = "state_keys.npy", "state_starts.npy", "states.bin", "state_scales.npy"
_CHUNK = 256
_HIGHEST = 127
"""The largest number a state is stored as."""


class PassageStates:
    """The states in an index folder, by the place of their matter.

    Raises OSError, ValueError or EOFError for damaged files.
    """

    def __init__(self, folder: Path) -> None:
        self.keys: NDArray[np.bytes_] = np.load(folder / _KEYS)
        self._starts: NDArray[np.int64] = np.load(folder / _STARTS)
        self._scales: NDArray[np.float16] = np.load(folder / _SCALES, mmap_mode="r")
        tokens = int(self._starts[-1])
        stored = np.memmap(folder / _STATES, np.int8, "r") if tokens else np.empty(0, np.int8)
        if len(self._starts) != len(self.keys) + 1 or len(self._scales) != tokens or (tokens and stored.size % tokens):
            raise ValueError("the states do not belong together")
        self._states = stored.reshape(tokens, -1) if tokens else stored.reshape(0, 0)

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, place: int) -> States:
        """The states of the passage at ``place``, a row a token."""
        states, scales = self.stored(place)
        return np.multiply(states, scales[:, None], dtype=np.float32)

    def stored(self, place: int) -> tuple[NDArray[np.int8], NDArray[np.float16]]:
        """What is stored of the passage at ``place``: numbers, and the scale of each token."""
        span = slice(int(self._starts[place]), int(self._starts[place + 1]))
        return self._states[span], self._scales[span]


def save(
    folder: Path,
    passages: Sequence[str],
    encoder: Encoder,
    earlier: Path | None,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Writes the states of ``passages`` to ``folder``; those that the index in ``earlier`` holds are taken from it.

    An encoder that hands out no states leaves none. ``progress`` is told how many of the new ones are encoded.
    """
    read = encoder.read_passages if isinstance(encoder, TokenEncoder) else None
    if read is None:
        passages = ()
    keys = [digest(encoder, text).hex().encode() for text in passages]
    known, places = _held(earlier)
    new, done = sum(key not in places for key in keys), 0
    scales: list[NDArray[np.float16]] = []
    with (folder / _STATES).open("wb") as file:
        for start in range(0, len(keys), _CHUNK):
            chunk = keys[start : start + _CHUNK]
            fresh = [place for place, key in enumerate(chunk, start) if key not in places]
            states = iter(read([passages[place] for place in fresh])[1] if read and fresh else ())
            for key in chunk:
                numbers, scale = known.stored(places[key]) if known and key in places else stored(next(states))
                file.write(numbers.tobytes())
                scales.append(np.asarray(scale))
            done += len(fresh)
            if progress and fresh:
                progress(done, new)
    np.save(folder / _KEYS, np.array(keys, "S32"))
    np.save(folder / _STARTS, np.cumsum([0, *map(len, scales)], dtype=np.int64))
    np.save(folder / _SCALES, np.concatenate([np.empty(0, np.float16), *scales]))


def stored(states: States) -> tuple[NDArray[np.int8], NDArray[np.float16]]:
    """``states`` as they are stored."""
    scales = np.maximum(np.abs(states).max(1) / _HIGHEST, np.finfo(np.float16).tiny).astype(np.float16)
    numbers = np.clip(np.round(states / scales[:, None].astype(np.float32)), -_HIGHEST, _HIGHEST)
    return numbers.astype(np.int8), scales


def _held(earlier: Path | None) -> tuple[PassageStates | None, dict[bytes, int]]:
    """What the earlier index holds, by key; nothing where there is none that can be read."""
    if earlier is None:
        return None, {}
    try:
        known = PassageStates(earlier)
    except (OSError, ValueError, EOFError):
        return None, {}
    return known, {bytes(key): place for place, key in enumerate(known.keys)}
