"""A desk that serves live against the venue emulator; run as a program by the tests.

Usage: rehearsal.py EMULATOR_PORT [--port PORT] [--home HOME]   (all else comes from the environment, as for `serve`)

It is `quantum-trader serve` with one thing more: every exchange is led to the emulator on loopback, by the one
argument of `run_server` that no option and no variable reaches.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from agents.settings import load_settings
from ui.cli.serving import run_server

NOWHERE = "http://127.0.0.1:9/BLOCKED"
"""Nobody listens on the discard port: every address that is not meant leads there."""


def led_to(port: int) -> Any:
    """Leads an exchange's public and private addresses to the emulator, and all others nowhere."""

    def configure(exchange: Any) -> None:
        base = f"http://127.0.0.1:{port}/{exchange.id}"
        if exchange.id == "binance":
            base = f"{base}/api/v3"
        exchange.urls = _blocked(exchange.urls)
        for name in exchange.urls["api"]:
            if name in {"public", "private", "spot", "v2"}:
                exchange.urls["api"][name] = base
        if "ws" in exchange.urls["api"]:
            exchange.urls["api"]["ws"] |= sockets_of(exchange.id, f"ws://127.0.0.1:{port}/{exchange.id}")
        exchange.hostname = "127.0.0.1"

    return configure


def sockets_of(venue: str, base: str) -> dict[str, Any]:
    """Where a venue's streams are at the emulator, under ccxt's names."""
    if venue == "binance":
        return {"spot": f"{base}/stream/ws", "ws-api": {"spot": f"{base}/ws-api/v3"}}
    if venue == "kraken":
        names = {"public": "public", "private": "private", "publicV2": "public/v2", "privateV2": "private/v2"}
        return {name: f"{base}/{path}" for name, path in names.items()}
    return {"public": {"spot": f"{base}/v5/public/spot"}, "private": {"contract": f"{base}/v5/private"}}


def _blocked(addresses: Any) -> Any:
    if isinstance(addresses, dict):
        return {name: _blocked(value) for name, value in addresses.items()}
    return NOWHERE if addresses else addresses


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("emulator", type=int)
    parser.add_argument("--port", type=int)
    parser.add_argument("--home", type=Path)
    given = parser.parse_args()
    run_server(load_settings(port=given.port, home=given.home), configure_exchange=led_to(given.emulator))
