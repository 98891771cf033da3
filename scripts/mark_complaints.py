"""Writes what the rules of wording say of every complaint that the judgement is trained or reported on."""

import json
import sys
from pathlib import Path

from bot.complaints.deciding import MARKS, marks
from bot.text import normalise

target, *files = map(Path, sys.argv[1:])
rows = [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]
lines = [{"names": MARKS}, *({"text": row["text"], "marks": marks(normalise(row["text"]))} for row in rows)]
target.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
