"""A Cipher panel as JSON columns: arrays become text whole, because a million values through a model take seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engines.cipher import CipherPanel
from engines.domain.timeframe import Timeframe

# Of these the answer has columns with both pivots; of every divergence they stand in `events`.
_PIVOTS_OF: Final = "wt_"
# Values of a longer timeframe: beside each stands the close it rests on.
_HIGHER: Final = ("htf_", "macd_")


def iso(time: datetime) -> str:
    """A time as every one of these answers writes it: `2017-07-01T11:00:00Z`."""
    return iso_times(np.array([time.timestamp() * 1000]))[0]


def iso_times(times: NDArray[Any]) -> list[str]:
    """Milliseconds since the epoch as ISO 8601 in UTC; shape (n,)."""
    stamps = np.asarray(times, dtype=np.int64).astype("datetime64[ms]")
    return [f"{text}Z" for text in np.datetime_as_string(stamps, unit="s").tolist()]


def panel_json(panel: CipherPanel, first: int) -> dict[str, Any]:
    """The panel from row `first` on, as plain data whose undefined numbers are NaN.

    Returns:
        Where it comes from, its parameters, a list for every column (events as 0 and 1, indices counted from row
        `first`, None where there is none or it lies before) and the events with their times.
    """
    candles = panel.candles
    times = iso_times(candles.open_time)
    return {
        "symbol": candles.symbol,
        "timeframe": candles.timeframe,
        "market": candles.market,
        "simulated": candles.simulated,
        "as_of": iso(candles.as_of),
        "preset": panel.params.name,
        "parameters": panel.params.to_plain(),
        "warm_up": first,
        "open_time": times[first:],
        **_values(panel, first),
        "flat": panel.flat[first:].astype(np.int8).tolist(),
        **_events(panel, first),
        "events": _event_list(panel, first, times),
    }


def timeframes_json(found: Mapping[Timeframe, CipherPanel], as_of: datetime) -> dict[str, Any]:
    """Panels of one symbol on several timeframes at one instant, as plain data whose undefined numbers are NaN."""
    first = next(iter(found.values()))
    return {
        "symbol": first.candles.symbol,
        "market": first.candles.market,
        "simulated": first.candles.simulated,
        "as_of": iso(as_of),
        "preset": first.params.name,
        "parameters": first.params.to_plain(),
        "timeframes": [_latest(panel) for panel in found.values()],
    }


def _latest(panel: CipherPanel) -> dict[str, Any]:
    candles, last = panel.candles, len(panel.candles) - 1
    newest = [event for name in panel.event_names if (event := panel.last_event(name)) is not None]
    return {
        "timeframe": candles.timeframe,
        "as_of": iso(candles.as_of),
        "open_time": iso_times(candles.open_time[-1:])[0],
        "close": float(candles.close[-1]),
        "flat": bool(panel.flat[-1]),
        "values": panel.latest(),
        "rests_on": {
            name: _times_or_none(panel.rests_on(name)[-1:])[0] for name in panel.values if name.startswith(_HIGHER)
        },
        "events": [
            {
                "name": event.name,
                "confirmed_time": iso_times(np.array([event.confirmed_time]))[0],
                "pivot_time": iso_times(candles.open_time[event.pivot_index : event.pivot_index + 1])[0],
                "previous_pivot_time": None
                if event.previous_pivot_index is None
                else iso_times(candles.open_time[event.previous_pivot_index : event.previous_pivot_index + 1])[0],
                "candles_ago": last - event.confirmed_index,
            }
            for event in sorted(newest, key=lambda event: -event.confirmed_index)
        ],
    }


def _values(panel: CipherPanel, first: int) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {}
    for name, values in panel.values.items():
        columns[name] = values[first:].tolist()
        if name.startswith(_HIGHER):
            columns[f"{name}_rests_on"] = _times_or_none(panel.rests_on(name)[first:])
    return columns


def _events(panel: CipherPanel, first: int) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {
        name: panel.flags(name)[first:].astype(np.int8).tolist() for name in panel.event_names
    }
    for name in panel.event_names:
        if name.startswith(_PIVOTS_OF):
            pivot, previous = panel.pivots(name)
            columns[f"{name}_pivot_index"] = _rows(pivot, first)
            columns[f"{name}_prev_pivot_index"] = _rows(previous, first)
    return columns


def _event_list(panel: CipherPanel, first: int, times: Sequence[str]) -> list[dict[str, Any]]:
    found = panel.events(first)
    closes = iso_times(np.array([event.confirmed_time for event in found], dtype=np.int64))
    return [
        {
            "name": event.name,
            "index": event.index - first,
            "time": times[event.index],
            "pivot_index": _row(event.pivot_index, first),
            "pivot_time": times[event.pivot_index],
            "confirmed_index": event.confirmed_index - first,
            "confirmed_time": closes[place],
            "previous_pivot_index": _row(event.previous_pivot_index, first),
            "previous_pivot_time": None if event.previous_pivot_index is None else times[event.previous_pivot_index],
        }
        for place, event in enumerate(found)
    ]


def _row(index: int | None, first: int) -> int | None:
    return None if index is None or index < first else index - first


def _rows(indices: NDArray[np.int64], first: int) -> list[int | None]:
    return [None if row < 0 else row for row in (indices[first:] - first).tolist()]


def _times_or_none(times: NDArray[np.int64]) -> list[str | None]:
    return [text if known else None for text, known in zip(iso_times(times), (times > 0).tolist(), strict=True)]
