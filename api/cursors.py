"""Cursors of long lists: opaque to clients, a sort key for us."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime
from typing import Final

from engines.errors import InvalidRequest

_NUMBER: Final = re.compile(r"[0-9]{1,18}")


def encode_cursor(*parts: str | int) -> str:
    """An opaque cursor that points behind the item with this sort key."""
    return base64.urlsafe_b64encode("\n".join(str(part) for part in parts).encode()).decode().rstrip("=")


def decode_number(cursor: str) -> int:
    """The sort key of a cursor whose key is one whole number.

    Raises:
        InvalidRequest: this list never gave out such a cursor.
    """
    (text,) = _decode(cursor, parts=1)
    if not _NUMBER.fullmatch(text):
        raise _not_a_cursor(cursor)
    return int(text)


def decode_id(cursor: str) -> str:
    """The sort key of a cursor whose key is an id.

    Raises:
        InvalidRequest: this list never gave out such a cursor.
    """
    (text,) = _decode(cursor, parts=1)
    if not text:
        raise _not_a_cursor(cursor)
    return text


def decode_time_and_id(cursor: str) -> tuple[datetime, str]:
    """The sort key of a cursor whose key is a time, then an id.

    Raises:
        InvalidRequest: this list never gave out such a cursor.
    """
    text, last_id = _decode(cursor, parts=2)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _not_a_cursor(cursor) from None
    if moment.tzinfo is None:
        raise _not_a_cursor(cursor)
    return moment, last_id


def _decode(cursor: str, *, parts: int) -> tuple[str, ...]:
    try:
        key = tuple(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().split("\n"))
    except (binascii.Error, ValueError):
        raise _not_a_cursor(cursor) from None
    if len(key) != parts:
        raise _not_a_cursor(cursor)
    return key


def _not_a_cursor(cursor: str) -> InvalidRequest:
    return InvalidRequest(
        f"{cursor[:64]!r} is not a cursor of this list.", remedy="Use the next_cursor of the page before."
    )
