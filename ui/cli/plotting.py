"""`quantum-trader analyze --plot FILE`: the chart of an analysis as a picture or as a page of its own."""

from __future__ import annotations

import contextlib
import json
import os
import struct
import tempfile
import zlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from engines.domain.timeframe import parse_timeframe
from engines.errors import ConfigurationError, InvalidRequest
from ui.charts import LAYERS, drawing

if TYPE_CHECKING:
    from engines.market.data import MarketData

Theme = Literal["dark", "light"]

USUAL_PRESET: Final = "vumanchu_b"
WIDTH: Final = 1400
HEIGHT: Final = 900
_MAKER: Final = "Quantum Trader Pro"
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_HEADER_CHUNK: Final = 25
# Chromium looks its maker's servers up at every start. Behind a proxy that nobody runs, nothing leaves the machine.
_NOWHERE: Final = "127.0.0.1:9"
_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Plot:
    """A chart that is to be written to a file.

    Attributes:
        file: ends in .html or .png.
        candles: how many are shown.
        shown: layers to show although they are usually hidden.
        preset: settings of the Cipher panel, or of Cipher A.

    Raises:
        InvalidRequest: the file ends otherwise, lies in no folder, or is there and was not made by this command; or
            there is no such layer, or no such preset that never repaints.
    """

    file: Path
    theme: Theme = "dark"
    candles: int = 200
    shown: frozenset[str] = frozenset()
    preset: str = USUAL_PRESET

    def __post_init__(self) -> None:
        if self.preset != USUAL_PRESET:
            from engines.cipher.presets import closed_preset

            closed_preset(self.preset)
        unknown = sorted(self.shown.difference(LAYERS))
        if unknown:
            raise InvalidRequest(f"A chart has no layer {unknown[0]!r}.", remedy=f"It may have {', '.join(LAYERS)}.")
        if self.file.suffix.lower() not in (".html", ".png"):
            raise InvalidRequest(
                f"{str(self.file)!r} ends in {self.file.suffix or 'nothing'!r}.",
                remedy="Name a file that ends in .html (a page that works offline) or .png (a picture).",
            )
        if not self.file.parent.is_dir():
            raise InvalidRequest(f"There is no folder {str(self.file.parent)!r}.", remedy="Make it, or name another.")
        if _exists(self.file) and not _is_ours(self.file):
            raise InvalidRequest(
                f"{str(self.file)!r} is there already and is no chart of this command.",
                remedy="Name another file; only a chart is replaced by a newer one.",
            )

    def write(self, market: MarketData, symbol: str, timeframe: str, *, as_of: datetime | None = None) -> None:
        """Draw what was known at `as_of` (the market's now when None) and put it in place in one step.

        Raises:
            InvalidRequest: the symbol or timeframe does not exist there.
            InsufficientData: there is no candle.
            VenueUnavailable: the market did not answer.
            ConfigurationError: no Chromium draws the picture, or the file cannot be written.
        """
        from engines.chart import chart_data
        from engines.volume_profile import DESK_LOOKBACK

        # The profile is of as many candles as that of the analysis in words, however many the picture shows.
        wanted = parse_timeframe(timeframe)
        chart = chart_data(
            market, symbol, wanted, as_of=as_of, count=self.candles, lookback=DESK_LOOKBACK, preset=self.preset
        )
        content = self._picture(chart) if self.file.suffix.lower() == ".png" else self._page(chart)
        _put(self.file, content)

    def _page(self, chart: dict[str, Any]) -> bytes:
        from ui.charts.page import page

        return page(chart, dark=self.theme == "dark", height=HEIGHT, shown=self.shown).encode()

    def _picture(self, chart: dict[str, Any]) -> bytes:
        from ui.chart_words import facts, plain_title

        drawn = drawing(chart, dark=self.theme == "dark", height=HEIGHT, shown=self.shown)
        words = {"Software": _MAKER, "Title": plain_title(chart), "Description": " ".join(facts(chart))}
        return _with_words(_photograph(drawn), words)


def _photograph(drawn: dict[str, Any]) -> bytes:
    """The drawing as PNG, two pixels a point, by the machine's own Chromium."""
    import kaleido
    from choreographer.errors import BrowserDepsError, BrowserFailedError, ChromeNotFoundError

    from ui.charts.page import plotly_script

    offline = {"mathjax": False, "plotlyjs": plotly_script(), "proxy_server": _NOWHERE, "timeout": _SECONDS}
    size = {"format": "png", "width": WIDTH, "height": HEIGHT, "scale": 2}
    # Kaleido reads numbers and text only: what JSON cannot say must not come this far.
    figure = json.loads(json.dumps(drawn, allow_nan=False))
    try:
        picture: bytes = kaleido.calc_fig_sync(figure, size, kopts=offline)
    except ChromeNotFoundError as error:
        raise ConfigurationError(
            "A PNG is drawn by Chromium or Chrome, and none was found on this machine.",
            remedy="Install one (Debian: apt-get install chromium) or name its program in BROWSER_PATH; "
            "a FILE.html needs none.",
        ) from error
    except (BrowserFailedError, BrowserDepsError, TimeoutError) as error:
        raise ConfigurationError(
            f"Chromium did not draw the picture: {_reason(error)}",
            remedy="Check that it starts on this machine, or name another in BROWSER_PATH; a FILE.html needs none.",
        ) from error
    return picture


def _reason(error: Exception) -> str:
    # The library's errors hold several paragraphs of advice, the first of which says what happened.
    if isinstance(error, TimeoutError):
        return f"it took longer than {_SECONDS} s."
    return str(error.args[0]) if error.args else f"{type(error).__name__}."


def _with_words(picture: bytes, words: dict[str, str]) -> bytes:
    """A PNG that says who made it and, for whoever cannot see it, what it shows."""
    after = len(_PNG) + _HEADER_CHUNK
    chunks = b"".join(_text_chunk(keyword, text) for keyword, text in words.items())
    return picture[:after] + chunks + picture[after:]


def _text_chunk(keyword: str, text: str) -> bytes:
    # iTXt of PNG: keyword, not compressed, no language, no translated keyword, UTF-8.
    body = b"iTXt" + keyword.encode("latin-1") + b"\0\0\0\0\0" + text.encode()
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))


def _exists(file: Path) -> bool:
    """Whether something is there already.

    Raises:
        InvalidRequest: nothing can be: its name is too long, or its links go round in a circle.
    """
    try:
        return file.resolve().exists()
    except (OSError, RuntimeError) as error:
        raise InvalidRequest(
            f"There can be no file {str(file)!r}: its name is too long or it is a link to itself.",
            remedy="Name another file.",
        ) from error


def _is_ours(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return _MAKER.encode() in stream.read(1024)
    except OSError:
        return False


def _put(file: Path, content: bytes) -> None:
    """Whole or not at all: whoever reads the file meanwhile sees the old one. A link stays one."""
    try:
        file = file.resolve()
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
                os.fchmod(stream.fileno(), 0o666 & ~_umask())
            Path(name).replace(file)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise ConfigurationError(
            f"{str(file)!r} cannot be written: {error.strerror}.", remedy="Name a file in a folder you may write to."
        ) from error


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
