"""Kernels compile once per machine, load from the cache after that, and never when nobody asked for them."""

from __future__ import annotations

import ast
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.cipher.cipher_a_kernels import cipher_a_kernel
from engines.cipher.kernels import panel_kernel

ROOT = Path(__file__).parents[3]
WARM = """
import json
from engines.kernels import warm
warm()
from engines.cipher.cipher_a_kernels import cipher_a_kernel
from engines.cipher.kernels import panel_kernel
from engines.soundness_kernel import first_unsound
from engines.volume_profile.kernels import develop_kernel, spread_kernel, value_area_kernel
from engines.volume_profile.vwap_kernel import vwap_pass
kernels = (
    panel_kernel, cipher_a_kernel, first_unsound, spread_kernel, value_area_kernel, develop_kernel, vwap_pass
)
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
        [sys.executable, "-c", code], env=environment, cwd=ROOT, check=True, capture_output=True, text=True, timeout=500
    )
    return told.stdout


def test_importing_engines_and_tools_loads_no_compiler(tmp_path: Path) -> None:
    assert run(LAZY, tmp_path).strip() == "[]"


# Everything is compiled anew, which takes most of a minute on a quiet machine.
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_second_process_loads_every_kernel_from_the_cache(tmp_path: Path) -> None:
    assert json.loads(run(WARM, tmp_path)) == [[0, 1]] * 7
    files = sorted(tmp_path.rglob("*.nb[ic]"))
    assert len(files) == 14
    assert json.loads(run(WARM, tmp_path)) == [[1, 1]] * 7
    assert sorted(tmp_path.rglob("*.nb[ic]")) == files


def reached(function: Any, seen: set[str]) -> set[str]:
    """Modules of ours that the compiled function takes steps or constants from, directly or through a step."""
    seen.add(function.__module__)
    modules = {
        name: node.module
        for node in ast.walk(ast.parse(inspect.getsource(sys.modules[function.__module__])))
        if isinstance(node, ast.ImportFrom) and node.module
        for name in [alias.asname or alias.name for alias in node.names]
    }
    for name in function.__code__.co_names:
        if modules.get(name, "").startswith("engines."):
            seen.add(modules[name])
        step = getattr(function.__globals__.get(name), "py_func", None)
        if step is not None and not (step.__module__ in seen and step is function):
            reached(step, seen)
    return seen


@pytest.mark.parametrize("kernel", [panel_kernel, cipher_a_kernel], ids=lambda kernel: kernel.py_func.__module__)
def test_a_kernel_names_every_module_it_takes_something_from(kernel: Any) -> None:
    source = inspect.getsource(sys.modules[kernel.py_func.__module__])
    named = set(source.split("inlines=(")[1].split(")")[0].replace(",", " ").split())
    needed = {module.rpartition(".")[2] for module in reached(kernel.py_func, set())}
    # The compiler notices changes of the kernel's own module by itself; types and decorators make no code.
    assert needed - {kernel.py_func.__module__.rpartition(".")[2], "compiled"} <= named


def test_a_change_of_an_inlined_module_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "steps.py").write_text("FACTOR = 2.0\n")
    (tmp_path / "kernels.py").write_text(
        """
import steps
from numba import types
from engines.compiled import kernel
from steps import FACTOR

@kernel(types.float64, inlines=(steps,))
def scaled(x):
    return FACTOR * x
"""
    )
    ask = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from kernels import scaled; "
        "print(scaled(1.5), sum(scaled.stats.cache_hits.values()))"
    )
    assert [run(ask, tmp_path / "cache").split() for _ in range(2)] == [["3.0", "0"], ["3.0", "1"]]
    (tmp_path / "steps.py").write_text("FACTOR = 4.0\n")
    assert run(ask, tmp_path / "cache").split() == ["6.0", "0"]


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
