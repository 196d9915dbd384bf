"""`make faults`: kills the desk at every boundary under every fault, and storms it with ten thousand tickets."""

from __future__ import annotations

import logging
import runpy
import sys
from pathlib import Path

if not __package__:
    # Started by its folder: run again as a package, so that its modules find each other and the engines.
    here = Path(__file__).resolve().parent
    sys.path[0] = str(here.parent)
    sys.path.insert(1, str(here.parents[2]))
    runpy.run_module(here.name, run_name="__main__", alter_sys=True)
    sys.exit(0)

from .report import main
from .zygote import serve

if __name__ == "__main__":
    # A broken venue is what is wanted here: its warnings would fill the screen.
    logging.disable(logging.WARNING)
    if sys.argv[1:] == ["zygote"]:
        serve()
    else:
        sys.exit(main(sys.argv[1:]))
