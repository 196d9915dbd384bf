"""`quantum-trader arm`, `disarm` and `reconcile`: what a person does with the live desk that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from engines.errors import ConfigurationError
from ui import requests
from ui.cli.serving import running_on
from ui.client import DeskClient

if TYPE_CHECKING:
    from agents.settings import Settings

    Json = dict[str, Any]


def run_arm(minutes: int, settings: Settings, *, url: str, key: str) -> int:
    """Arm the running desk."""
    with _desk(settings, url, key) as desk:
        _tell(desk.send(requests.arm(minutes)))
    return 0


def run_disarm(settings: Settings, *, url: str, key: str) -> int:
    """Disarm the running desk."""
    with _desk(settings, url, key) as desk:
        _tell(desk.send(requests.disarm()))
    return 0


def run_reconcile(settings: Settings, *, url: str, key: str, accept: str) -> int:
    """Compare ledger and venue now, and book the differences when a reason for them is given.

    Returns:
        The exit code: 0 when they are equal or the differences were booked, else 1.
    """
    with _desk(settings, url, key) as desk:
        found = desk.send(requests.reconcile())
        _show(found)
        if found["matches"] == "yes":
            return 0
        if not accept:
            typer.echo("Explain them with --accept REASON, then: quantum-trader resume REASON")
            return 1
        booked = desk.send(requests.accept_differences(found["number"], accept))["booked"]
    typer.echo("Booked: " + ", ".join(f"{currency} {amount}" for currency, amount in booked.items()))
    typer.echo("Go on with: quantum-trader resume REASON")
    return 0


def _desk(settings: Settings, url: str, key: str) -> DeskClient:
    address = url or running_on(settings.home)
    if not address:
        raise ConfigurationError(
            f"No desk runs on {str(settings.home)!r}.", remedy="Start it with `quantum-trader serve`, or give --url."
        )
    return DeskClient(address, key=key)


def _tell(standing: Json) -> None:
    if standing["armed_until"]:
        typer.secho(
            f"ARMED on {standing['venue']} until {standing['armed_until']} by {standing['armed_by']}: approved orders "
            "move REAL MONEY.",
            fg=typer.colors.RED,
        )
    else:
        typer.echo(f"Not armed: no order reaches {standing['venue']}.")
    if standing["in_the_way"] and standing["armed_until"]:
        typer.secho(f"Still in the way: {standing['in_the_way']}", fg=typer.colors.YELLOW)


def _show(found: Json) -> None:
    typer.echo(f"Comparison {found['number']} of {found['account']} with {found['venue']} at {found['time']}")
    for each in found["differences"]:
        mark = "tolerated" if each["tolerated"] == "yes" else "DIFFERS"
        typer.echo(f"  {mark:<10} {each['currency']}: {each['found']} there, {each['expected']} by the ledger")
    for order in found["external_orders"]:
        price = order["limit_price"] or order["stop_price"] or "the market"
        typer.echo(f"  EXTERNAL   {order['side']} {order['quantity']} {order['symbol']} at {price}")
    for name, told in (("orders_changed", "order changed"), ("unsettled", "outcome unknown")):
        for order_id in found[name]:
            typer.echo(f"  {told}: {order_id}")
    if found["fills_taken_over"]:
        typer.echo(f"  {len(found['fills_taken_over'])} missed fills taken over")
    if found["matches"] == "yes":
        typer.echo("  Ledger and venue are equal.")
    else:
        typer.secho("  HALTED until the difference is explained.", fg=typer.colors.RED)
