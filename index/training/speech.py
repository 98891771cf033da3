"""Count how many families of matters each pair of characters is heard in.

Writes the weights :mod:`index.speech` reads.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import defaultdict
from pathlib import Path

from index.lexical import tokens

LEAST_FAMILIES = 4
"""A token of fewer families keeps full weight."""


def weights(rows: list[dict[str, str]]) -> dict[str, float]:
    """Weight of every token of the questions ``rows`` (text.

    Family) heard in at least :data:`LEAST_FAMILIES` families.
    """
    families: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for token in tokens(row["text"]):
            families[token].add(row["family"])
    count = len({row["family"] for row in rows})
    low = math.log(LEAST_FAMILIES)
    return {
        token: round(1 - (math.log(len(seen)) - low) / (math.log(count) - low), 2)
        for token, seen in sorted(families.items())
        if len(seen) >= LEAST_FAMILIES
    }


def main() -> None:
    """Command line: weights of ``--questions`` to ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    rows = [json.loads(line) for line in options.questions.read_text(encoding="utf-8").splitlines()]
    options.out.write_text(json.dumps(weights(rows), ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
