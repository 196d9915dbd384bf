"""`make bench`: every figure the README states, measured in one run."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

SECTIONS = ("start", "cipher", "profiles", "import_candles", "execution")


def main(names: list[str]) -> None:
    """Run the named sections, or all of them."""
    sys.path.insert(0, str(Path(__file__).parent))
    for name in names or SECTIONS:
        print(f"\n== {name} ==", flush=True)
        importlib.import_module(name).main()


if __name__ == "__main__":
    main(sys.argv[1:])
