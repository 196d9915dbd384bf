"""One exchange behind ccxt: imported late, asked patiently, its failures told in words."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from threading import RLock
from typing import Any, Final

from engines.errors import ConfigurationError, NotFound, VenueUnavailable

ATTEMPTS: Final = 3
TIMEOUT_MS: Final = 10_000
_FIRST_PAUSE: Final = 0.5
_ID: Final = re.compile(r"[a-z][a-z0-9_]*")
_REQUEST: Final = re.compile(r"\b(GET|POST) \S+")
# Spot markets only, and nothing that needs a key: unasked, Binance would also be asked for futures and margin.
PUBLIC_OPTIONS: Final = {
    "defaultType": "spot",
    "fetchMarkets": {"types": ["spot"]},
    "fetchCurrencies": False,
    "fetchMargins": False,
    "maxRetriesOnFailure": 0,
}


class CcxtVenue:
    """Calls an exchange's public endpoints, one at a time, trying again on network errors only.

    Args:
        configure: receives the ccxt exchange before its first use, to point it elsewhere.
        sleep, jitter: how to pause between tries, and where the randomness of the pause comes from.
    """

    def __init__(
        self,
        exchange_id: str,
        *,
        configure: Callable[[Any], None] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        _check_id(exchange_id)
        self.id = exchange_id
        self._configure = configure
        self._sleep = sleep
        self._jitter = jitter
        # A ccxt exchange keeps its rate limit and its connection without locks.
        self._lock = RLock()
        self._exchange: Any = None

    @property
    def exchange(self) -> Any:
        """The ccxt exchange, made without keys when it is first needed: ccxt takes seconds and 80 MB to import."""
        with self._lock:
            if self._exchange is None:
                import ccxt

                settings = {"enableRateLimit": True, "timeout": TIMEOUT_MS, "enableLastJsonResponse": True}
                exchange = getattr(ccxt, self.id)(settings | {"options": dict(PUBLIC_OPTIONS)})
                if self._configure is not None:
                    self._configure(exchange)
                self._exchange = exchange
            return self._exchange

    @property
    def title(self) -> str:
        """The exchange's own name."""
        return str(self.exchange.name)

    def call(self, method: str, *args: Any) -> Any:
        """Call a public ccxt method and return its answer.

        Raises:
            NotFound: the exchange does not know the symbol.
            VenueUnavailable: no usable answer; nothing was sent.
        """
        import ccxt

        started = time.monotonic()
        with self._lock:
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    return self._answer(method, *args)
                except ccxt.NetworkError as error:
                    if attempt == ATTEMPTS:
                        raise self._unavailable(error, attempt, time.monotonic() - started) from error
                    # Doubling pauses, spread out so that many desks do not come back at the same moment.
                    self._sleep(_FIRST_PAUSE * 2 ** (attempt - 1) * (0.5 + self._jitter()))
                except ccxt.BadSymbol as error:
                    raise NotFound(f"{self.title} does not know it: {error}") from error
                except ccxt.BaseError as error:
                    raise self._unusable(error) from error
                except (TypeError, KeyError, IndexError, AttributeError, ValueError) as error:
                    # What ccxt's parsers raise on an answer of another shape than the exchange documents.
                    raise self._unusable(error) from error
        raise AssertionError("the last attempt returns or raises")

    def _answer(self, method: str, *args: Any) -> Any:
        import ccxt

        answer = getattr(self.exchange, method)(*args)
        # A web page with status 200 is parsed into an empty answer, and an outage must never look like no data.
        if not isinstance(self.exchange.last_json_response, dict | list):
            raise ccxt.BadResponse(f"{self.id} answered with something that is not JSON")
        return answer

    def _unavailable(self, error: Exception, attempts: int, seconds: float) -> VenueUnavailable:
        import ccxt

        if isinstance(error, ccxt.RequestTimeout):
            what = "timed out"
        elif isinstance(error, ccxt.RateLimitExceeded | ccxt.DDoSProtection):
            what = "asks for fewer requests"
        else:
            what = _shortened(error, self.id)
        return VenueUnavailable(
            f"{self.title} does not answer ({what}, {attempts} tries in {seconds:.0f} s). Nothing was sent.",
            remedy="Try again in a minute.",
        )

    def _unusable(self, error: Exception) -> VenueUnavailable:
        return VenueUnavailable(
            f"{self.title} gave no usable answer ({type(error).__name__}: {_shortened(error, self.id)})."
            " Nothing was sent.",
            remedy="Try again in a minute.",
        )


def _check_id(exchange_id: str) -> None:
    """Refuse a name that is no exchange, without importing ccxt: each one is a module of the package."""
    spec = find_spec("ccxt")
    if spec is None or spec.origin is None:
        raise ConfigurationError("ccxt is not installed.", remedy="Run `make install`.")
    folder = Path(spec.origin).parent
    if _ID.fullmatch(exchange_id) and (folder / f"{exchange_id}.py").is_file():
        return
    known = sorted(path.stem for path in folder.glob("[a-z]*.py"))
    near = get_close_matches(exchange_id.lower(), known, n=3, cutoff=0.6)
    raise ConfigurationError(
        f"There is no market {exchange_id!r}.",
        remedy=f"Use demo, files or an exchange of ccxt such as {', '.join(near or ['kraken', 'binance'])}.",
    )


def _shortened(error: Exception, exchange_id: str) -> str:
    """The gist of ccxt's message, which starts with its own address and may quote a whole web page."""
    words = " ".join(_REQUEST.sub("HTTP ", str(error).removeprefix(exchange_id)).partition("<")[0].split())
    return words if len(words) <= 120 else f"{words[:117]}..."
