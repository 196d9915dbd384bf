from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def scoring() -> ModuleType:
    """The scoring script beside this file, which is no package."""
    spec = importlib.util.spec_from_file_location("evals_score", Path(__file__).parent / "score.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["evals_score"] = module
    spec.loader.exec_module(module)
    return module
