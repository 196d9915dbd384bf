"""What loading the chat brings into the server's process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOAD = """
import json, sys
from pathlib import Path
from ui.chat.mount import load
load("http://127.0.0.1:9", Path(sys.argv[1]))
from traceloop.sdk import Traceloop
try:
    Traceloop.init()
    refused = ""
except RuntimeError as error:
    refused = str(error)
heavy = {"pandas", "pyarrow", "grpc", "numba", "plotly"} & set(sys.modules)
print(json.dumps({"heavy": sorted(heavy), "refused": refused}))
"""


def test_the_chat_loads_neither_pandas_nor_a_telemetry_client(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(tmp_path)], capture_output=True, text=True, check=True, timeout=120, cwd=ROOT
    )
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["heavy"] == []
    assert "reports to nobody" in told["refused"]
