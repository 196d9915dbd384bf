"""A broker whose calls something comes between: other things happen there, or the process ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Died(BaseException):
    """The process is gone; nothing of ours may catch it."""


class Between:
    """A broker with something happening right before or after one of its calls."""

    def __init__(self, broker: Any, call: str, what: Callable[[], None], *, after: bool = False) -> None:
        self._broker, self._call, self._what, self._after = broker, call, what, after

    def __getattr__(self, name: str) -> Any:
        own = getattr(self._broker, name)
        if name != self._call:
            return own

        def called(*given: Any) -> Any:
            if not self._after:
                self._what()
            answer = own(*given)
            if self._after:
                self._what()
            return answer

        return called
