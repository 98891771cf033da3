"""How our own processes are started."""

from __future__ import annotations

import subprocess
import sys


def test_nothing_is_imported_that_reads_the_number_of_threads_before_it_is_set() -> None:
    code = "import sys, channels.cli, channels.console.processes; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
