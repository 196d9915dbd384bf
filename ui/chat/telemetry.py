"""Chainlit without the telemetry it would load."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Final, NoReturn

_PACKAGE: Final = "traceloop"


class _Unused:
    """Stands where the telemetry client would be, and refuses to be one."""

    def __init__(self, *_: object, **__: object) -> None:
        self.init()

    @staticmethod
    def init(*_: object, **__: object) -> NoReturn:
        raise RuntimeError("This desk reports to nobody: telemetry is left out.")


def leave_out_telemetry() -> None:
    """Keep Chainlit from loading a telemetry client that the desk never uses; call it before Chainlit is imported.

    The client comes in through Chainlit's package for a hosted service and brings pandas, PyArrow and gRPC with it:
    100 MB and a second of start for nothing. A process that has loaded the real one keeps it.
    """
    if _PACKAGE in sys.modules:
        return
    package, sdk = ModuleType(_PACKAGE), ModuleType(f"{_PACKAGE}.sdk")
    sdk.__dict__["Traceloop"] = _Unused
    package.__dict__.update(sdk=sdk, __path__=[])
    sys.modules.update({package.__name__: package, sdk.__name__: sdk})
