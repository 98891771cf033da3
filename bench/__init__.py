"""What Wenban costs and what it is worth, measured in one run: ``make bench``. See docs/benchmarks.md."""

import os
from unittest.mock import patch

from channels.console.processes import ONE_THREAD

# What is measured in this process computes as the gateway does; what is started from here gets what it would without.
with patch.dict(os.environ, ONE_THREAD):
    import faiss as faiss
    import numpy as numpy
