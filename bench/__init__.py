"""What Wenban costs and what it is worth, measured in one run: ``make bench``. See docs/benchmarks.md."""

import os

from channels.console.processes import ONE_THREAD

# What is measured in this process computes as the gateway does; what is started from here gets what it would without.
_before = dict(os.environ)
os.environ.update(ONE_THREAD)
import faiss as faiss  # noqa: E402
import numpy as numpy  # noqa: E402

os.environ.clear()
os.environ.update(_before)
