"""What Wenban costs and what it is worth, measured in one run: ``make bench``. See docs/benchmarks.md."""
