"""`python -m scripts.benchmarks VERB …` is `flowers benchmarks VERB …`."""

import sys

from scripts.__main__ import main as flowers


def main() -> None:
    """Run the benchmark that the command line names."""
    flowers(["benchmarks", *sys.argv[1:]])


if __name__ == "__main__":
    main()
