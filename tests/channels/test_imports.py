"""What the serving process loads: neither torch nor anything else that only training needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ONLY_TRAINING = ("torch", "transformers", "sentence_transformers", "sklearn", "lightgbm", "nncf", "rasa")


def test_a_gateway_that_has_started_has_loaded_nothing_that_only_training_needs(tmp_path: Path) -> None:
    program = f"""
import asyncio, sys
from bot.settings import load_settings
from channels.app import create_app

async def started():
    app = create_app(load_settings(home={str(tmp_path)!r}, rasa_url="http://127.0.0.1:9"))
    async with app.router.lifespan_context(app):
        assert app.state.services.encoder.encode_queries(["身份证丢了"]).shape[0] == 1

asyncio.run(started())
print([name for name in {ONLY_TRAINING!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().splitlines()[-1] == "[]"
