"""Kernels compile once per machine, load from the cache after that, and never when nobody asked for them."""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.cipher.cipher_a_part import cipher_a_part
from engines.cipher.core_part import core_part
from engines.cipher.event_part import event_part
from engines.cipher.higher_part import higher_part
from engines.cipher.kernels import advance_kernel, candle_kernel

ROOT = Path(__file__).parents[3]
FILL = """
from engines.kernels import fill_cache
fill_cache(lambda done, count: print(done, count))
"""
LOAD = """
import json
from engines.compiled import CACHED
from engines.kernels import warm
warm()
def hits(kernel):
    return kernel.cache_hits if hasattr(kernel, "cache_hits") else sum(kernel.stats.cache_hits.values())
print(json.dumps({kernel.__wrapped__.__name__: hits(kernel) for kernel in CACHED}))
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


def kernels_in_source() -> set[str]:
    return {
        function.name
        for path in (ROOT / "engines").rglob("*.py")
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef)
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) in ("kernel", "part")
    }


# Everything is compiled anew, which takes a quarter of a minute on a quiet machine.
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_cache_is_filled_once_and_holds_every_kernel_and_nothing_old(tmp_path: Path) -> None:
    told = [line.split() for line in run(FILL, tmp_path).splitlines()]
    assert [int(done) for done, _ in told] == list(range(len(told)))
    assert {int(count) for _, count in told} == {len(told) - 1}
    files = sorted(tmp_path.rglob("*.nb[ic]"))
    names = kernels_in_source()
    assert len(names) > 5
    assert len(files) == 2 * len(names)
    assert json.loads(run(LOAD, tmp_path)) == dict.fromkeys(names, 1)
    assert sorted(tmp_path.rglob("*.nb[ic]")) == files
    for file in files:
        old = re.sub(r"_[0-9a-f]{12}-", "_0123456789ab-", file.name)
        file.with_name(old).write_bytes(b"of an earlier version")
    run(FILL, tmp_path)
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


KERNELS = advance_kernel, candle_kernel, core_part, event_part, higher_part, cipher_a_part


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.__wrapped__.__name__)
def test_a_kernel_names_every_module_it_takes_something_from(kernel: Any) -> None:
    source = inspect.getsource(sys.modules[kernel.__wrapped__.__module__])
    named = set(source.split("inlines=(")[1].split(")")[0].replace(",", " ").split())
    needed = {module.rpartition(".")[2] for module in reached(kernel.__wrapped__, set())}
    # The compiler notices changes of the kernel's own module by itself; types and decorators make no code.
    assert needed - {kernel.__wrapped__.__module__.rpartition(".")[2], "compiled"} <= named


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
