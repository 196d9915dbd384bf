"""What a running turn tells whoever watches it."""

from __future__ import annotations

from typing import Any, Final

from langgraph.config import get_stream_writer

LABELS: Final = {
    "supervisor": "Thinking",
    "cipher": "Reading the cipher",
    "volume_profile": "Reading the volume profile",
    "market_desk": "Asking the market desk",
    "order_desk": "Preparing a ticket",
    "confirmation": "Looking up the decision",
    "execution": "Carrying out the ticket",
    "respond": "Writing the reply",
}


def emit(name: str, data: dict[str, Any]) -> None:
    """Send one event of the running turn."""
    get_stream_writer()({"event": name, "data": data})


def emit_step(node: str, about: str = "") -> None:
    """Say that a node has begun."""
    emit("step", {"node": node, "label": f"{LABELS[node]}: {about}" if about else LABELS[node]})
