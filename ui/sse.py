"""Server-sent events: lines in, events out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a run; `name` and `data` are the HTTP surface's."""

    id: str
    name: str
    data: dict[str, Any]


class EventParser:
    """Collects the lines of a `text/event-stream` into events.

    Source: the event stream format of the WHATWG HTML standard, section 9.2.6. Deviation: data is always a JSON object
    here, so an event whose data is not one is a fault of the server and raises.
    """

    def __init__(self) -> None:
        self._id = ""
        self._name = ""
        self._data: list[str] = []

    def feed(self, line: str) -> Event | None:
        """Take one line without its ending; the event when the line completes one.

        Raises:
            ValueError: the data is not a JSON object.
        """
        if not line:
            return self._complete()
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
        elif field == "event":
            self._name = value
        elif field == "id":
            self._id = value
        return None

    def _complete(self) -> Event | None:
        if not self._data:
            self._name = ""
            return None
        data = json.loads("\n".join(self._data))
        if not isinstance(data, dict):
            raise ValueError(f"an event carries {type(data).__name__} where an object was expected")
        event = Event(self._id, self._name or "message", data)
        self._name, self._data = "", []
        return event
