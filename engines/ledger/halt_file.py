"""The kill switch that needs neither a running desk nor a database: a file."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from engines.domain.trading_state import Standing
from engines.errors import ConfigurationError

_LONGEST = 500


@dataclass(frozen=True, slots=True)
class HaltFile:
    """A file whose presence halts every desk that looks for it, whatever is in it.

    Anybody who can write the folder can press it: `touch HALT`. Its first line, if there is one, is the reason.
    """

    path: Path

    @classmethod
    def of(cls, home: Path) -> HaltFile:
        """The one in a home folder."""
        return cls(home / "HALT")

    def standing(self) -> Standing | None:
        """Halted while the file is there or when that cannot be told; None when it is certainly absent."""
        try:
            found = os.lstat(self.path)
        except FileNotFoundError:
            return None
        except OSError as error:
            return Standing("halted", f"{self.path} cannot be looked for: {error.strerror}.", "the desk itself")
        since = datetime.fromtimestamp(found.st_mtime, tz=UTC)
        return Standing("halted", self._reason(found), f"the file {self.path}", since)

    def write(self, reason: str) -> None:
        """Halt, and be sure of it: the file is on the disk when this returns.

        Raises:
            ConfigurationError: the folder cannot be written; nothing was halted by this.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(f"{reason.splitlines()[0] if reason else ''}\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise ConfigurationError(
                f"{self.path} cannot be written: {error.strerror}.", remedy="Create it by hand: its presence halts."
            ) from error

    def remove(self) -> bool:
        """End the halt by file; True when there was one.

        Raises:
            ConfigurationError: it is there and cannot be removed.
        """
        try:
            self.path.unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise ConfigurationError(
                f"{self.path} cannot be removed: {error.strerror}.", remedy="Remove it by hand: its presence halts."
            ) from error
        return True

    def _reason(self, found: os.stat_result) -> str:
        told = ""
        # A pipe or a device would be waited for; its presence is all that counts.
        if stat.S_ISREG(found.st_mode):
            try:
                with self.path.open(encoding="utf-8", errors="replace") as file:
                    told = file.readline(_LONGEST).strip()
            except OSError:
                told = ""
        return told or "A halt file is in the home folder."
