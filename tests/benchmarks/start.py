"""How soon an installed desk answers, and what it holds in memory at rest."""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import psutil

RUNS = 3
REST_SECONDS = 15


def main() -> None:
    """Print medians over fresh homes: process start to /healthz, to the first analysis, and memory at rest."""
    health, first, memory = [], [], []
    for run in range(RUNS):
        with tempfile.TemporaryDirectory() as home:
            measured = _one_start(Path(home), rest=run == 0)
        health.append(measured[0])
        first.append(measured[1])
        memory.append(measured[2])
    print(f"process start to /healthz      {statistics.median(health):6.2f} s   (goal 5.0)")
    print(f"then the first analysis        {statistics.median(first):6.2f} s   (goal 3.0)")
    print(f"resident memory at rest        {max(memory):6.0f} MB  (goal 400, chat loaded)")


def _one_start(home: Path, *, rest: bool) -> tuple[float, float, float]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).parent / "quantum-trader"), "serve", "--port", str(port), "--home", str(home)]
    began = time.perf_counter()
    # The settings of whoever measures must not decide what is measured.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("QTP_")}
    process = subprocess.Popen(command, env=plain, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
            healthy = _until_healthy(client, began)
            asked = time.perf_counter()
            answer = client.post("/v1/agent/invoke", json={"message": "How does BTC look on the 4h?"}).json()
            analysed = time.perf_counter() - asked
            if answer["status"] != "completed" or not answer["receipts"]:
                raise SystemExit(f"the first analysis failed: {answer}")
            if rest:
                while not client.get("/v1/status").json()["chat_ready"]:
                    time.sleep(0.2)
                time.sleep(REST_SECONDS)
            return healthy, analysed, psutil.Process(process.pid).memory_info().rss / 1e6
    finally:
        process.terminate()
        process.wait(timeout=20)


def _until_healthy(client: httpx.Client, began: float) -> float:
    while time.perf_counter() - began < 60:
        try:
            if client.get("/healthz").is_success:
                return time.perf_counter() - began
        except httpx.TransportError:
            time.sleep(0.02)
    raise SystemExit("the desk did not start within 60 s")
