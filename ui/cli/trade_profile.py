"""`quantum-trader profile`: where single trades were done, who came to whom, and the levels that leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from engines.domain.timeframe import from_ms
from engines.market.trades_file import ReadTrades, read_trades
from engines.volume_profile.params import ProfileParams

if TYPE_CHECKING:
    from engines.volume_profile.trades import TradeProfile

_BAR: Final = 14
_MOST_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Rows:
    """How a profile is cut into rows: so many, or so high each."""

    count: int = 24
    height: float | None = None
    value_area: float = 0.7

    def params(self) -> ProfileParams:
        """The engine's settings.

        Raises:
            InvalidRequest: one of them is out of its range.
        """
        return ProfileParams(
            rows=None if self.height is not None else self.count,
            row_height=self.height,
            value_area_fraction=self.value_area,
        )


def run_trade_profile(file: Path, *, symbol: str, rows: Rows) -> None:
    """Print the profile of the trades in FILE: levels, what buyers and sellers did, and every row.

    Raises:
        InvalidRequest: the file or a setting is not usable.
        InsufficientData: nothing was traded in it.
    """
    from engines.volume_profile.trades import compute_trade_profile

    params = rows.params()
    read = read_trades(file, symbol=symbol or file.name.partition(".")[0])
    profile = compute_trade_profile(read.trades, params)
    console = Console(highlight=False)
    console.print(_levels(profile, read, file), markup=False, soft_wrap=True)
    console.print(_table(profile, _priced(profile, read)))


def _priced(profile: TradeProfile, read: ReadTrades) -> Callable[[float], str]:
    """Prices with the file's decimals, and one more where rows are finer than those."""
    finer = read.decimals
    while finer < read.decimals + 4 and profile.row_height < 10.0**-finer:
        finer += 1
    return lambda price: f"{price:,.{finer}f}"


def _levels(profile: TradeProfile, read: ReadTrades, file: Path) -> str:
    trades, price = read.trades, _priced(profile, read)
    bought, sold = float(profile.up_by_row.sum()), float(profile.down_by_row.sum())
    first, last = (from_ms(int(trades.time_ms[row])) for row in (0, -1))
    inside = float(profile.volume_by_row[profile.val_row : profile.vah_row + 1].sum()) / profile.total_volume
    high, low = profile.nodes
    lines = [
        f"{trades.symbol}: point of control {price(profile.poc)}, value area {price(profile.val)} to "
        f"{price(profile.vah)} ({inside:.1%} of the volume); last trade at {price(float(trades.price[-1]))}.",
        f"Buyers took {bought:,.8g}, sellers gave {sold:,.8g}: delta {bought - sold:+,.8g} "
        f"({(bought - sold) / profile.total_volume:+.1%} of {profile.total_volume:,.8g}).",
        f"At the point of control: delta {profile.delta_by_row[profile.poc_row]:+,.8g}.",
        f"High volume nodes {', '.join(price(node.price) for node in high) or 'none'}; low volume nodes "
        f"{', '.join(price(node.price) for node in low) or 'none'}.",
        f"From {len(trades):,} trades in {file.name}, {first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S} UTC; "
        f"{len(profile.volume_by_row)} rows of {profile.row_height:.6g}, "
        f"value area {profile.params.value_area_fraction:.0%}.",
        *(["The times carry no offset and were read as UTC."] if read.naive else []),
    ]
    return "\n".join(lines) + "\n"


def _table(profile: TradeProfile, price: Callable[[float], str]) -> Table:
    """Every row, highest first; of very many those inside and around value."""
    table = Table(box=None, padding=(0, 1, 0, 0))
    for name in ("from", "to", "volume", "bought", "sold", "delta"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("", no_wrap=True)
    edges, most = profile.edges, float(profile.volume_by_row.max())
    count = len(profile.volume_by_row)
    shown = range(count) if count <= _MOST_SHOWN else range(profile.val_row, profile.vah_row + 1)
    for row in reversed(shown[:_MOST_SHOWN]):
        volume = float(profile.volume_by_row[row])
        inside = profile.val_row <= row <= profile.vah_row
        bar = ("█" if inside else "▒") * round(_BAR * volume / most)
        cells = (volume, float(profile.up_by_row[row]), float(profile.down_by_row[row]))
        table.add_row(
            price(float(edges[row])),
            price(float(edges[row + 1])),
            *(f"{cell:,.6g}" for cell in cells),
            f"{float(profile.delta_by_row[row]):+,.6g}",
            Text(bar),
            "POC" if row == profile.poc_row else "",
        )
    return table
