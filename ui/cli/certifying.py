"""`quantum-trader certify`: a progress bar, a table of checks per output, and what differed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from engines.certificate import Certificate, Compute, certify
from engines.certificate.verdicts import CHECKS, Check, Verdict
from engines.domain.clock import SystemClock
from engines.domain.timeframe import Timeframe, duration_ms, from_ms, parse_timeframe
from engines.market.factory import open_market

if TYPE_CHECKING:
    from agents.settings import Settings

_DAY_MS: Final = 86_400_000
_HEADINGS: Final[dict[Check, str]] = {"cut": "cut off", "poison": "poisoned", "dates": "moved", "start": "shortened"}
_LEGEND: Final = (
    "In how many histories each output stayed the same, bit for bit: those that end at a random candle (cut off), go "
    "on with extreme candles from there (poisoned), lie whole weeks later (moved), or begin later (shortened, to 1e-9 "
    "once it has settled). - : says nothing of it, or needs more candles."
)
# Outputs that belong to another one share its row while all of them pass.
_PARTS: Final = ("_pivot_index", "_prev_pivot_index", "_rests_on", "_sigma", "_upper", "_lower")


@dataclass(frozen=True, slots=True)
class Proof:
    """What to prove: one preset of the Cipher panels, or with none every engine; on how many candles and cuts."""

    preset: str
    candles: int
    cuts: int
    seed: int


@dataclass(frozen=True, slots=True)
class _Subject:
    """An engine, by the name its table has."""

    name: str
    compute: Compute
    settles: Mapping[str, int] = field(default_factory=dict)


def run_certificate(symbol: str, timeframe: str, proof: Proof, settings: Settings) -> int:
    """Certify the engines on this desk's candles, print what was found, and return the exit code: 1 on a difference.

    Raises:
        InvalidRequest: the symbol, timeframe or preset does not exist, or a candle cannot be.
        InsufficientData: too few candles.
        VenueUnavailable: the market did not answer.
    """
    wanted = parse_timeframe(timeframe)
    subjects = _subjects(proof.preset, wanted)
    market = open_market(settings.market, home=settings.home, clock=SystemClock(), database_url=settings.database_url)
    candles = market.closed_candles(symbol.strip().upper(), wanted, count=proof.candles)
    console = Console(highlight=False)
    found = []
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        for subject in subjects:
            task = progress.add_task(subject.name, total=None)
            certificate = certify(
                subject.compute,
                candles,
                cuts=proof.cuts,
                seed=proof.seed,
                settles=subject.settles,
                progress=_Bar(progress, task),
            )
            found.append((subject, certificate))
    for subject, certificate in found:
        console.print(_table(subject.name, certificate))
        console.print()
    console.print(_LEGEND, style="dim")
    return _conclude(console, [certificate for _, certificate in found], simulated=candles.simulated)


@dataclass(frozen=True, slots=True)
class _Bar:
    """One line of the progress shown."""

    progress: Progress
    task: TaskID

    def __call__(self, done: int, total: int) -> None:
        self.progress.update(self.task, completed=done, total=total)


def _subjects(preset: str, timeframe: Timeframe) -> list[_Subject]:
    from engines.certificate.outputs import cipher_outputs, cipher_settling, profile_outputs, session_outputs
    from engines.cipher.presets import preset as preset_of

    panels = [preset_of(name) for name in ([preset] if preset else ["vumanchu_b", "vumanchu_a"])]
    subjects = [
        _Subject(f"Cipher panel, preset {params.name}", cipher_outputs(params), cipher_settling(params, timeframe))
        for params in panels
    ]
    if preset:
        return subjects
    subjects.append(_Subject("Volume profile and averages by volume", profile_outputs()))
    if duration_ms(timeframe) <= _DAY_MS:
        subjects.append(_Subject("Levels of completed days", session_outputs()))
    return subjects


def _table(name: str, certificate: Certificate) -> Table:
    table = Table(title=name, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for heading in ("output", *_HEADINGS.values()):
        table.add_column(heading, no_wrap=True)
    for output, parts in _rows(certificate):
        verdicts = [[certificate.verdict(part, check) for part in (output, *parts)] for check in CHECKS]
        label = f"{output} + {len(parts)}" if parts else output
        table.add_row(Text(label), *(_cell(of_check) for of_check in verdicts))
    return table


def _rows(certificate: Certificate) -> list[tuple[str, list[str]]]:
    """Outputs, each with those that share its row."""
    failed = {failure.output for failure in certificate.failures}
    rows: dict[str, list[str]] = {}
    for output in certificate.outputs:
        owner = next((output.removesuffix(part) for part in reversed(_PARTS) if output.endswith(part)), output)
        owner = owner.removesuffix("_prev")
        if owner != output and owner in certificate.outputs and not failed & {owner, output}:
            rows.setdefault(owner, []).append(output)
        else:
            rows.setdefault(output, [])
    return list(rows.items())


def _cell(verdicts: list[Verdict]) -> Text:
    """What a check says of an output and of those that share its row."""
    differing = next((verdict for verdict in verdicts if verdict.failed), None)
    if differing is not None:
        return Text(f"{differing.failed} of {differing.runs} CHANGED", style="bold red")
    runs = max(verdict.runs for verdict in verdicts)
    return Text(f"{runs}", style="green") if runs else Text("-", style="dim")


def _conclude(console: Console, certificates: list[Certificate], *, simulated: bool) -> int:
    first = certificates[0]
    outputs = sum(len(certificate.outputs) for certificate in certificates)
    failed = [verdict for each in certificates for verdict in each.verdicts if verdict.failure is not None]
    where = (
        f"{first.symbol} {first.timeframe} on {first.market}{' (simulated)' if simulated else ''}, {first.candles:,} "
        f"candles from {from_ms(first.opened):%Y-%m-%d %H:%M} to {from_ms(first.closed):%Y-%m-%d %H:%M} UTC, "
        f"{min(certificate.cuts for certificate in certificates)} random cuts, seed {first.seed}"
    )
    for verdict in failed:
        reach = f"; up to {verdict.reach} candles back" if verdict.check in {"cut", "poison"} else ""
        console.print(f"- {verdict.failure}{reach}.", markup=False, soft_wrap=True)
    if failed:
        names = len({verdict.output for verdict in failed})
        console.print(
            f"FAILED: {names} of {outputs} outputs changed after their candle had closed. {where}.", soft_wrap=True
        )
        return 1
    console.print(f"Passed: none of {outputs} outputs changed after its candle had closed. {where}.", soft_wrap=True)
    return 0
