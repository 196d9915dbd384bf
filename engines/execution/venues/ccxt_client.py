"""One venue behind ccxt, with keys: a request goes out once, one at a time, and what came back is told exactly."""

from __future__ import annotations

import decimal
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from threading import RLock
from typing import Any, Final

from engines.errors import ConfigurationError, NotFound, OrderRejected, VenueUnavailable
from engines.execution.venues.budget import RequestBudget, Use
from engines.execution.venues.dialect import Market
from engines.execution.venues.documents import plain
from engines.execution.venues.failures import CallFailed

TIMEOUT_MS: Final = 5_000
RECEIVE_WINDOW_MS: Final = 5_000
_DEFAULT_PAUSE: Final = 5.0
_OPTIONS: Final = {
    "defaultType": "spot",
    "fetchMarkets": {"types": ["spot"]},
    "fetchCurrencies": False,
    "fetchMargins": False,
    "recvWindow": RECEIVE_WINDOW_MS,
    "maxRetriesOnFailure": 0,
}
_TELL_TALES: Final = ("ccxt", "urllib3")
_RETRIES: Final = ("maxRetriesOnFailure", "defaultMaxRetriesOnFailure")
_LIMITED: Final = frozenset({"DDoSProtection", "RateLimitExceeded"})
# What ccxt raises on an answer of another shape than the venue documents.
_SHAPE: Final = (TypeError, KeyError, IndexError, AttributeError, ValueError, ArithmeticError)


@dataclass(frozen=True, slots=True)
class Credentials:
    """A venue's key and secret; they show up in no text made of this.

    Attributes:
        passphrase: what OKX asks for besides; empty elsewhere.

    Raises:
        ConfigurationError: one of them is empty.
    """

    key: str = field(repr=False)
    secret: str = field(repr=False)
    passphrase: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if not self.key.strip() or not self.secret.strip():
            raise ConfigurationError("A venue's key and secret are both needed.", remedy="Set both, or trade on paper.")


def connect(
    venue: str,
    credentials: Credentials,
    budget: RequestBudget,
    *,
    configure: Callable[[Any], None] | None = None,
    timeout_ms: int = TIMEOUT_MS,
) -> VenueClient:
    """A client of one venue; nothing is sent before its first use.

    Args:
        configure: receives the ccxt exchange first, to point it at another address.
    """
    import ccxt

    # These take something of other meaning under `fetchMarkets`.
    foreign = venue in {"kraken", "coinbase"}
    options = {name: value for name, value in _OPTIONS.items() if not foreign or name != "fetchMarkets"}
    settings = {"apiKey": credentials.key, "secret": credentials.secret, "timeout": timeout_ms, "options": options}
    if credentials.passphrase:
        settings["password"] = credentials.passphrase
    exchange = getattr(ccxt, venue)(settings | {"enableRateLimit": False})
    # Currencies would cost a request with keys each time the markets are read.
    exchange.has["fetchCurrencies"] = False
    if configure is not None:
        configure(exchange)
    return VenueClient(exchange, budget)


class VenueClient:
    """Sends single requests through a ccxt exchange.

    ccxt's own throttle is off: it would let a cancel wait behind reads, which `RequestBudget` does not.

    Args:
        exchange: a blocking ccxt exchange with keys.

    Raises:
        ConfigurationError: it has no keys.
    """

    def __init__(self, exchange: Any, budget: RequestBudget) -> None:
        if not exchange.apiKey or not exchange.secret:
            raise ConfigurationError(f"The client of {exchange.id} has no keys.", remedy="Trade on paper without them.")
        if exchange.requiredCredentials.get("password") and not exchange.password:
            raise ConfigurationError(f"The keys of {exchange.id} come with a passphrase.", remedy="Set it, too.")
        self.id: Final = str(exchange.id)
        self._lock: Final = RLock()
        self._exchange = exchange
        self._budget = budget
        self._status: int | None = None
        self._symbols: dict[str, str] = {}
        for name in _TELL_TALES:
            # At DEBUG they write down whole requests, keys and signatures among them.
            logging.getLogger(name).setLevel(logging.INFO)
        # A redirect would send a request, an order among them, a second time.
        exchange.session.max_redirects = 0
        exchange.session.hooks["response"].append(self._note)

    @property
    def title(self) -> str:
        """The venue's own name."""
        return str(self._exchange.name)

    def now_ms(self) -> int:
        """This machine's time as it is signed into requests."""
        return int(self._exchange.milliseconds())

    def call(self, method: str, params: Mapping[str, Any], use: Use, weight: float = 1.0) -> Any:
        """Send one request and return the JSON document that answers it.

        Raises:
            VenueUnavailable: the request limit is used up; nothing was sent.
            CallFailed: anything else; something may have been sent.
        """
        return self._in_turn(use, weight, lambda: self._send(method, params))

    def check_no_retries(self) -> None:
        """Refuse to work with retries: ccxt would send a market order again, and it would be booked again.

        Raises:
            ConfigurationError: a retry option is set.
        """
        options = self._exchange.options
        nested = (value for value in options.values() if isinstance(value, dict))
        for place in (options, *nested):
            if any(place.get(name) for name in _RETRIES):
                raise ConfigurationError(
                    f"ccxt's maxRetriesOnFailure is set for {self.id}: it would place orders twice.",
                    remedy="Set it to 0.",
                )

    def markets(self) -> Mapping[str, Any]:
        """The venue's markets by symbol, in ccxt's form; read once.

        Raises:
            VenueUnavailable: the list could not be read.
        """
        if not self._exchange.markets:
            try:
                self._in_turn("read", 1, self._load)
            except CallFailed as failure:
                raise VenueUnavailable(f"{self.title} does not list its markets ({failure.told}).") from failure
        markets: Mapping[str, Any] = self._exchange.markets or {}
        return markets

    def market(self, symbol: str) -> Market:
        """The rules of one market; the list is read once.

        Raises:
            NotFound: the venue does not list it.
            VenueUnavailable: the list could not be read.
        """
        listed = self.markets().get(symbol)
        if listed is None or not listed.get("spot"):
            raise NotFound(f"{self.title} does not trade {symbol!r}.")
        fees = [Decimal(str(listed[side])) for side in ("maker", "taker") if listed.get(side) is not None]
        info = listed.get("info") or {}
        return Market(
            symbol=symbol,
            id=listed["id"],
            alias=str(info.get("altname") or listed["id"]),
            base=listed["base"],
            quote=listed["quote"],
            is_trading=listed.get("active") is not False,
            lot_size=Decimal(str(listed["precision"]["amount"])),
            taker_fee=max([Decimal("0.001"), *fees]),
            order_types=frozenset(info.get("orderTypes") or ()),
        )

    def symbol_of(self, market_id: str) -> str:
        """The symbol of a market by one of the venue's names for it; that name where it is not a listed spot market.

        Raises:
            VenueUnavailable: the list could not be read.
        """
        markets = self.markets()
        if not self._symbols:
            spot = {symbol: listed for symbol, listed in markets.items() if listed.get("spot")}
            for symbol, listed in spot.items():
                info = listed.get("info") or {}
                for name in (listed["id"], info.get("altname")):
                    if name:
                        self._symbols[str(name)] = symbol
        return self._symbols.get(market_id, market_id)

    def currency_of(self, currency_id: str) -> str:
        """The common code of a currency by the venue's name for it: `BTC` for `XXBT`."""
        return str(self._exchange.safe_currency_code(currency_id))

    def quantity_text(self, symbol: str, quantity: Decimal) -> str:
        """A quantity as it is sent.

        Raises:
            OrderRejected: the market has a coarser step; nothing was sent.
        """
        return self._exact(self._exchange.amount_to_precision, symbol, quantity, "quantity")

    def price_text(self, symbol: str, price: Decimal) -> str:
        """A price as it is sent.

        Raises:
            OrderRejected: the market has a coarser step; nothing was sent.
        """
        return self._exact(self._exchange.price_to_precision, symbol, price, "price")

    def _exact(self, rounding: Callable[[str, str], str], symbol: str, value: Decimal, what: str) -> str:
        import ccxt

        text = plain(value)
        # ccxt's rounding changes the decimal context of whoever calls it.
        with decimal.localcontext():
            try:
                rounded = rounding(symbol, text)
            except ccxt.BaseError as error:
                raise OrderRejected(f"{self.title} has no {what} {text} of {symbol}. Nothing was sent.") from error
        if Decimal(rounded) != value:
            raise OrderRejected(
                f"{self.title} would make {what} {text} of {symbol} into {rounded}. Nothing was sent.",
                remedy="Ask again with a value on the market's step.",
            )
        return text

    def _in_turn(self, use: Use, weight: float, send: Callable[[], Any]) -> Any:
        """Send when the budget allows; while it does not, a cancel may go first."""
        while True:
            with self._lock:
                wait = self._budget.take(use, weight)
                if wait == 0.0:
                    return send()
            self._budget.pause(wait)

    def _send(self, method: str, params: Mapping[str, Any]) -> Any:
        self.check_no_retries()
        answer = self._asked(lambda: getattr(self._exchange, method)(dict(params)))
        if not isinstance(answer, dict | list):
            raise CallFailed("NotJson", f"{self.title} answered with no JSON document", status=self._status)
        return answer

    def _load(self) -> None:
        if not self._exchange.markets:
            self._asked(self._exchange.load_markets)

    def _asked(self, ask: Callable[[], Any]) -> Any:
        import ccxt

        self._status, self._exchange.last_http_response = None, None
        self._exchange.last_response_headers = None
        try:
            return ask()
        except (ccxt.BaseError, *_SHAPE, OSError) as error:
            raise self._failed(error) from error

    def _note(self, response: Any, *_: Any, **__: Any) -> None:
        self._status = response.status_code

    def _failed(self, error: Exception) -> CallFailed:
        kind = type(error).__name__
        if self._status in {418, 429} or kind in _LIMITED:
            self._budget.close(self._pause())
        body = self._exchange.parse_json(self._exchange.last_http_response or "")
        return CallFailed(kind, str(error), status=self._status, code=_code(body))

    def _pause(self) -> float:
        """Seconds to ask nothing, as the venue's headers tell them."""
        headers = self._exchange.last_response_headers or {}
        after, reset = headers.get("Retry-After", ""), headers.get("X-Bapi-Limit-Reset-Timestamp", "")
        if after.isdigit():
            return float(after)
        if reset.isdigit() and headers.get("X-Bapi-Limit-Status") == "0":
            return max((int(reset) - self.now_ms()) / 1000, 0.0)
        return _DEFAULT_PAUSE


def _code(body: Any) -> str:
    """The error code in a venue's document, wherever the venue writes it.

    Binance's and OKX's `code`, OKX's `sCode` of the one order where there is one, Bybit's `retCode`, Kraken's one
    `error`, Coinbase's words.
    """
    if not isinstance(body, dict):
        return ""
    data = body.get("data")
    if isinstance(data, list) and data and isinstance(data[0], dict) and data[0].get("sCode"):
        return str(data[0]["sCode"])
    for name in ("code", "retCode"):
        if name in body:
            return str(body[name])
    if isinstance(body.get("error_response"), dict):
        told = body["error_response"]
        return str(
            told.get("preview_failure_reason") or told.get("new_order_failure_reason") or told.get("error") or ""
        )
    errors = body.get("error")
    if isinstance(errors, str):
        return errors
    return str(errors[0]) if isinstance(errors, list) and len(errors) == 1 else ""
