"""A request as it came in and a reply as it goes out, before any fault."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

Json = Any
"""What the venues send: nested dictionaries, lists, texts and numbers."""


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request. `path` starts below the venue's own prefix."""

    method: str
    path: str
    query: str
    body: str
    headers: Mapping[str, str]

    def params(self) -> dict[str, str]:
        """Query and form body together; the names of a JSON body, too, with texts as they stand."""
        found = dict(parse_qsl(self.query, keep_blank_values=True))
        if self.body.startswith("{"):
            return found | {name: _text(value) for name, value in json.loads(self.body).items()}
        return found | dict(parse_qsl(self.body, keep_blank_values=True))


@dataclass(slots=True)
class Reply:
    """What the venue answers: a JSON document, or bare text where `text` is given."""

    content: Json = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    text: str | None = None
    kind: str = "application/json"

    def body(self) -> bytes:
        """The bytes on the wire."""
        if self.text is not None:
            return self.text.encode()
        return json.dumps(self.content, separators=(",", ":")).encode()


def rewritten(content: Json, fields: frozenset[str], change: Callable[[Json], Json]) -> Json:
    """A copy of a document in which every field of those names is changed; `None` takes it out."""
    if isinstance(content, list):
        return [rewritten(each, fields, change) for each in content]
    if not isinstance(content, dict):
        return content
    copy: dict[str, Json] = {}
    for name, value in content.items():
        new = change(value) if name in fields else rewritten(value, fields, change)
        if new is not None or name not in fields:
            copy[name] = new
    return copy


def _text(value: Json) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value)
