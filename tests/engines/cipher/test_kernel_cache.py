"""Kernels compile once per machine, load from the cache after that, and never when nobody asked for them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[3]
WARM = """
import json
from engines.kernels import warm
warm()
from engines.cipher.kernels import panel_kernel
from engines.soundness_kernel import first_unsound
from engines.volume_profile.kernels import spread_kernel, value_area_kernel
kernels = (panel_kernel, first_unsound, spread_kernel, value_area_kernel)
print(json.dumps([[sum(kernel.stats.cache_hits.values()), len(kernel.signatures)] for kernel in kernels]))
"""
LAZY = """
import sys
import engines.chart, engines.cipher, engines.confirmation.confluence, engines.kernels, engines.volume_profile
import tools.cipher, tools.volume_profile
print(sorted({"numba", "pandas", "pyarrow", "ccxt", "plotly"} & set(sys.modules)))
"""


def run(code: str, cache: Path) -> str:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(ROOT)}
    told = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, check=True, capture_output=True, text=True, timeout=150
    )
    return told.stdout


def test_importing_engines_and_tools_loads_no_compiler(tmp_path: Path) -> None:
    assert run(LAZY, tmp_path).strip() == "[]"


@pytest.mark.slow
def test_the_second_process_loads_every_kernel_from_the_cache(tmp_path: Path) -> None:
    assert json.loads(run(WARM, tmp_path)) == [[0, 1]] * 4
    files = sorted(tmp_path.rglob("*.nb[ic]"))
    assert len(files) == 8
    assert json.loads(run(WARM, tmp_path)) == [[1, 1]] * 4
    assert sorted(tmp_path.rglob("*.nb[ic]")) == files


def test_a_kernel_that_cannot_be_cached_is_compiled_all_the_same() -> None:
    # Source without a file has no place beside it or in the user's folder, like a file system that is all read-only.
    namespace: dict[str, object] = {}
    source = """
from engines.compiled import FLOATS_IN, kernel
from numba import types

@kernel(FLOATS_IN)
def total(x):
    return x.sum()
"""
    exec(compile(source, "<no file>", "exec"), namespace)
    total = namespace["total"]
    assert callable(total)
    assert total(np.arange(5.0)) == 10.0
