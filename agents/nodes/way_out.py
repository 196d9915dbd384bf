"""The words that ask for the largest order that passes, in place of one that was refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from agents.reading.numbers import plain
from engines.domain.orders import TimeInForce
from engines.errors import QuantumTraderError, RiskDenied
from tools.good_till import SPAN

_FORCES: Final[Mapping[TimeInForce, str]] = {
    "IOC": "immediate or cancel",
    "FOK": "fill or kill",
    "DAY": "for today only",
    "GTC": "good till cancelled",
}


def way_out(error: QuantumTraderError, tool: str, args: Mapping[str, Any]) -> tuple[str, ...]:
    """The refused order with the quantity that passes; nothing of it is left out, its stop-loss least of all.

    Args:
        error: why it was refused.
        tool: the tool that was called; only a new order can be asked for again in words.
        args: of the call.
    """
    if tool != "propose_order" or not isinstance(error, RiskDenied) or error.largest is None:
        return ()
    base = str(args.get("symbol", "")).partition("/")[0]
    stop = f" stop {args['stop_price']}," if args.get("stop_price") else ""
    order = f"{str(args.get('side', 'buy')).capitalize()}{stop} {plain(error.largest)} {base}"
    return (", ".join([f"{order} at {args['limit_price']}" if args.get("limit_price") else order, *_terms(args)]),)


def _terms(args: Mapping[str, Any]) -> list[str]:
    terms = []
    if args.get("stop_loss"):
        terms.append(f"stop loss {args['stop_loss']}")
    elif args.get("stop_atr"):
        terms.append(f"stop {args['stop_atr']} atr")
    if args.get("take_profit"):
        terms.append(f"target {args['take_profit']}")
    if args.get("good_till"):
        until = str(args["good_till"])
        terms.append(f"good {'for' if SPAN.fullmatch(until) else 'till'} {until}")
    elif args.get("time_in_force") in _FORCES:
        terms.append(_FORCES[args["time_in_force"]])
    return terms
