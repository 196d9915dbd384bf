"""The tests' own door: faults, prices, other people, time, and the truth. It asks for a token."""

from __future__ import annotations

import dataclasses
import hmac
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from aiohttp import web

from .candles import Candle
from .dialect import Dialect
from .exchanges import Json
from .fees import FeeSchedule
from .orders import NewOrder, Refusal, Trigger
from .server import VenueServer
from .truth import order_truth, truth_of
from .venues import open_venue

Order = dict[str, Any]


class Control:
    """Carries out the tests' instructions for one venue."""

    def __init__(self, server: VenueServer) -> None:
        self._server = server
        self._verbs: dict[str, Callable[[Order], Json]] = {
            name: getattr(self, name)
            for name in (
                *("truth", "log", "reset", "fault", "faults", "chaos", "clear", "price", "crowd", "withdraw"),
                *(
                    "external",
                    "clock",
                    "deposit",
                    "fees",
                    "instrument",
                    "candle",
                    "cut",
                    "silence",
                    "refuse",
                    "sockets",
                ),
                "cancel",
            )
        }

    @property
    def _dialect(self) -> Dialect:
        return self._server.dialect

    def obey(self, verb: str, order: Order) -> Json:
        """Carry out one instruction."""
        return self._verbs[verb](order)

    def knows(self, verb: str) -> bool:
        """Whether there is such an instruction."""
        return verb in self._verbs

    def truth(self, order: Order) -> Json:
        """Everything that happened."""
        del order
        return truth_of(self._dialect.venue)

    def log(self, order: Order) -> Json:
        """Requests from number `since` on, only of `route` if that is given."""
        since, route = int(order.get("since", 0)), order.get("route")
        return [dataclasses.asdict(each) for each in self._server.log[since:] if route in {None, each.route}]

    def reset(self, order: Order) -> Json:
        """Start over: `money` by asset, or the usual amounts. Connections are cut."""
        for socket in self._dialect.sockets:
            socket.cut()
        self._server.dialect = open_venue(self._dialect.venue.name, order.get("money"))
        self._server.log.clear()
        return {}

    def fault(self, order: Order) -> Json:
        """Put a fault in force: `kind`, `route` or `routes`, `count`, `skip`, `seconds`, `match` and details."""
        return {"number": self._dialect.faults.add(order).number}

    def faults(self, order: Order) -> Json:
        """The faults in force, and how often each was taken."""
        del order
        return [
            {"number": f.number, "kind": f.kind, "routes": sorted(f.routes), "left": f.count, "taken": f.taken}
            for f in self._dialect.faults.waiting
        ]

    def chaos(self, order: Order) -> Json:
        """Faults by chance: `seed`, `rate`, `routes`, `kinds`, `seconds`."""
        self._dialect.faults.roll(order)
        return {}

    def clear(self, order: Order) -> Json:
        """End all faults."""
        del order
        self._dialect.faults.clear()
        self._dialect.sockets.refused_until = 0.0
        return {}

    def price(self, order: Order) -> Json:
        """Move the market to `price`: crossed orders fill, stops fire, a new ladder stands around it."""
        self._dialect.crowd.set_price(
            order["symbol"],
            Decimal(order["price"]),
            depth=int(order.get("depth", 10)),
            quantity=Decimal(order.get("quantity", "5")),
            gap=Decimal(order["gap"]) if "gap" in order else None,
        )
        return {}

    def crowd(self, order: Order) -> Json:
        """An order of somebody else: `symbol`, `side`, `quantity`, and `price` for a limit order."""
        price = Decimal(order["price"]) if "price" in order else None
        placed = self._dialect.crowd.order(order["symbol"], order["side"], Decimal(order["quantity"]), price)
        return {"filled": str(placed.filled), "resting": placed.resting}

    def withdraw(self, order: Order) -> Json:
        """Take everybody else's orders off the book of `symbol`."""
        self._dialect.crowd.withdraw(order["symbol"])
        return {}

    def external(self, order: Order) -> Json:
        """An order on the client's account that came another way, such as the venue's web page."""
        venue = self._dialect.venue
        price, stop = order.get("price"), order.get("trigger")
        kind = ("STOP_LOSS_LIMIT" if stop else "LIMIT") if price else "MARKET"
        new = NewOrder(
            venue.instrument(order["symbol"]),
            order["side"],
            is_market=price is None,
            quantity=Decimal(order["quantity"]),
            price=Decimal(price) if price else None,
            client_id=order.get("client_id", ""),
            trigger=Trigger(Decimal(stop), "down" if order["side"] == "sell" else "up") if stop else None,
            external=True,
            details={"type": kind, "ordertype": kind.lower().replace("_", "-")},
        )
        return order_truth(self._dialect.engine.place(new))

    def cancel(self, order: Order) -> Json:
        """Cancel the client's order `id` from outside: on the venue's web page, or, with `by_venue`, by the venue."""
        found = self._dialect.venue.orders[order["id"]]
        self._dialect.engine.cancel(found, by_venue=order.get("by_venue") is True)
        return order_truth(found)

    def clock(self, order: Order) -> Json:
        """Time: `skew_ms` sets the difference to the machine's clock, `advance_ms` adds to it, `stopped` freezes."""
        clock = self._dialect.venue.clock
        if "stopped" in order:
            (clock.stop if order["stopped"] else clock.resume)()
        if "skew_ms" in order:
            clock.offset_ms = int(order["skew_ms"])
        clock.offset_ms += int(order.get("advance_ms", 0))
        self._dialect.engine.expire_due()
        self._dialect.engine.publish()
        return {"now_ms": clock.now_ms()}

    def deposit(self, order: Order) -> Json:
        """Money from outside: `asset`, `amount`; a negative amount is a withdrawal."""
        self._dialect.venue.deposit(order["asset"], Decimal(order["amount"]))
        return {}

    def fees(self, order: Order) -> Json:
        """`maker` and `taker` rates, `pay_in` (`received`, `quote`, `base`, `coin`) and the `coin`."""
        pay_in = order.get("pay_in", self._dialect.venue.fees.pay_in)
        rates = (Decimal(order["maker"]), Decimal(order["taker"]))
        self._dialect.venue.fees = FeeSchedule(*rates, pay_in, order.get("coin", ""))
        return {}

    def instrument(self, order: Order) -> Json:
        """Change a market: `symbol`, and any of its filters, or `trading`."""
        venue = self._dialect.venue
        known = venue.instrument(order["symbol"])
        changes: dict[str, Any] = {
            name: Decimal(value) for name, value in order.items() if name not in {"symbol", "trading"}
        }
        if "trading" in order:
            changes["trading"] = bool(order["trading"])
        venue.list_instrument(dataclasses.replace(known, **changes))
        return {}

    def candle(self, order: Order) -> Json:
        """Put a candle in place: `symbol`, `minutes`, `row` of opening time and OHLCV; `hole` takes it out."""
        row = order["row"]
        key = (order["symbol"], int(order["minutes"]) * 60_000, int(row[0]))
        open_, high, low, close, volume = (Decimal(str(value)) for value in row[1:6])
        whole = None if order.get("hole") else Candle(int(row[0]), open_, high, low, close, volume)
        self._dialect.candles.replaced[key] = whole
        return {}

    def cut(self, order: Order) -> Json:
        """Break the open connections; `private` says which, both kinds without it."""
        hit = [socket for socket in self._dialect.sockets if order.get("private") in {None, socket.private}]
        for socket in hit:
            socket.cut()
        return {"cut": len(hit)}

    def silence(self, order: Order) -> Json:
        """Send nothing on a `channel` (all without it) for `seconds`; the open connections stay up."""
        for socket in self._dialect.sockets:
            socket.silence(order.get("channel", "*"), float(order["seconds"]))
        return {}

    def refuse(self, order: Order) -> Json:
        """Let nobody connect a WebSocket for `seconds`."""
        self._dialect.sockets.refused_until = time.monotonic() + float(order["seconds"])
        return {}

    def sockets(self, order: Order) -> Json:
        """The open connections and what they subscribed to."""
        del order
        sockets = self._dialect.sockets
        listed = [{"path": s.path, "private": s.private, "subscriptions": list(s.subscriptions)} for s in sockets]
        return {"opened": sockets.opened, "open": listed}


def control_handler(controls: dict[str, Control], token: str) -> Callable[[web.Request], Any]:
    """HTTP front of the instructions: `POST /control/{venue}/{verb}` with a JSON document."""

    async def handle(request: web.Request) -> web.Response:
        if not hmac.compare_digest(request.headers.get("X-Control-Token", ""), token):
            return web.json_response({"error": "the control token is missing or wrong"}, status=403)
        control = controls.get(request.match_info["venue"])
        verb = request.match_info["verb"]
        if control is None or not control.knows(verb):
            return web.json_response({"error": f"no instruction {request.path!r}"}, status=404)
        order = await request.json() if request.can_read_body else {}
        try:
            return web.json_response(control.obey(verb, order))
        except (Refusal, ValueError, KeyError, TypeError, ArithmeticError) as wrong:
            return web.json_response({"error": f"{type(wrong).__name__}: {wrong}"}, status=422)

    return handle
