"""`quantum-trader`: one command for serving, asking, importing and looking after the desk."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from engines.errors import QuantumTraderError
from ui.cli import auditing, keys

# As in `ui.cli.plotting`, which a command imports only when it runs.
Theme = Literal["dark", "light"]

app = typer.Typer(
    invoke_without_command=False, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
app.add_typer(keys.app, name="keys")
app.add_typer(auditing.app, name="audit")


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("quantum-trader-pro"))
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True)] = False,
) -> None:
    """A trading desk you talk to."""


Home = Annotated[Path | None, typer.Option(help="Folder that holds everything a run writes.")]
Market = Annotated[str | None, typer.Option(help="`demo`, `files`, or a ccxt id such as `kraken`.")]
Model = Annotated[
    str | None, typer.Option(help="`offline`, or PROVIDER:NAME such as `google_genai:gemini-3.5-flash-lite`.")
]


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; any but loopback needs API keys.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535)] = None,
    home: Home = None,
    market: Market = None,
    model: Model = None,
) -> None:
    """Serve chat, API and docs."""
    from ui.cli.serving import run_server

    run_server(_settings(host=host, port=port, home=home, market=market, model=model))


@app.command()
def chat(
    url: Annotated[str, typer.Option(help="A desk that is already running; without it one is found or started.")] = "",
    key: Annotated[str, typer.Option(envvar="QTP_API_KEY", help="API key, once the desk has keys.")] = "",
    thread: Annotated[str, typer.Option(help="Continue this conversation.")] = "",
    home: Home = None,
    market: Market = None,
    model: Model = None,
) -> None:
    """Talk to the desk in this terminal."""
    from ui.cli.serving import reachable_desk
    from ui.cli.terminal import Terminal

    with reachable_desk(url, _settings(home=home, market=market, model=model)) as base_url:
        Terminal(base_url, key=key, thread_id=thread or None).run()


@app.command()
def analyze(
    symbol: Annotated[str, typer.Argument(help='Such as "BTC/USDT".')],
    timeframe: Annotated[str, typer.Argument(help="Such as 4h.")] = "1h",
    plot: Annotated[
        Path | None,
        typer.Option(help="Write the chart too: FILE.html (works offline) or FILE.png (drawn by Chromium)."),
    ] = None,
    theme: Annotated[Theme, typer.Option(help="Colours of that chart.")] = "dark",
    candles: Annotated[int, typer.Option(min=20, max=1000, help="How many candles it shows.")] = 200,
    show: Annotated[
        list[str] | None, typer.Option(help='A layer it usually hides, such as "Hidden divergences"; may be repeated.')
    ] = None,
    preset: Annotated[
        str, typer.Option(help="Panel that it shows, such as `vumanchu_a` for the ribbon of Cipher A.")
    ] = "vumanchu_b",
    home: Home = None,
    market: Market = None,
) -> None:
    """Print one analysis of SYMBOL on TIMEFRAME, with the source of every figure, and write its chart."""
    from ui.cli.analysis import run_analysis
    from ui.cli.plotting import Plot

    wanted = None if plot is None else Plot(plot, theme, candles=candles, shown=frozenset(show or ()), preset=preset)
    run_analysis(symbol, timeframe, _settings(home=home, market=market), plot=wanted)


@app.command()
def profile(
    file: Annotated[Path, typer.Argument(help="CSV or gzipped CSV of trades: time, side, price, quantity.")],
    symbol: Annotated[str, typer.Option(help="What is traded in it, for the heading.")] = "",
    rows: Annotated[int, typer.Option(min=1, max=10_000, help="How many rows.")] = 24,
    row_height: Annotated[float | None, typer.Option(help="Height of a row instead, in quote units.")] = None,
    value_area: Annotated[float, typer.Option(help="Share of the volume inside the value area.")] = 0.7,
) -> None:
    """Print the volume profile of single trades in FILE: levels, buyers against sellers, every row."""
    from ui.cli.trade_profile import Rows, run_trade_profile

    run_trade_profile(file, symbol=symbol, rows=Rows(rows, row_height, value_area))


@app.command()
def certify(
    symbol: Annotated[str, typer.Argument(help='Such as "BTC/USDT".')],
    timeframe: Annotated[str, typer.Argument(help="Such as 4h.")] = "1h",
    preset: Annotated[str, typer.Option(help="Only this preset of the Cipher panels, such as `vumanchu_b`.")] = "",
    candles: Annotated[int, typer.Option(min=100, max=20_000, help="Newest closed candles it is proven on.")] = 1_500,
    cuts: Annotated[int, typer.Option(min=1, max=5_000, help="Random instants the future is taken away at.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Of the random instants; the same one gives the same answer.")] = 0,
    home: Home = None,
    market: Market = None,
) -> None:
    """Prove on the candles of SYMBOL and TIMEFRAME that no engine output repaints or looks ahead."""
    from ui.cli.certifying import Proof, run_certificate

    proof = Proof(preset=preset, candles=candles, cuts=cuts, seed=seed)
    raise typer.Exit(run_certificate(symbol, timeframe, proof, _settings(home=home, market=market)))


@app.command("import-candles")
def import_candles(
    file: Annotated[Path, typer.Argument(help="CSV, gzipped CSV or Parquet with one row a candle.")],
    symbol: Annotated[str, typer.Option(help='Such as "BTC/USD".')],
    timeframe: Annotated[str, typer.Option(help="Such as 1h.")],
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave bad rows out instead of refusing the file.")
    ] = False,
    home: Home = None,
) -> None:
    """Bring candles from FILE into the `files` market."""
    from ui.cli.importing import run_import

    run_import(file, symbol=symbol, timeframe=timeframe, skip_bad=skip_bad, settings=_settings(home=home))


@app.command()
def doctor(home: Home = None, market: Market = None, model: Model = None) -> None:
    """Look for what is misconfigured and say how to mend it."""
    from ui.cli.doctor import examine

    given: dict[str, Any] = {"home": home, "market": market, "model": model}
    raise typer.Exit(examine({name: value for name, value in given.items() if value is not None}))


@app.command()
def halt(
    reason: Annotated[str, typer.Argument(help="Why; told with every order that is denied.")] = "No reason was given.",
    cancel_all: Annotated[bool, typer.Option("--cancel-all", help="Cancel every open order too.")] = False,
    home: Home = None,
    market: Market = None,
) -> None:
    """Deny everything but cancels from now on; works with no desk running and without its database."""
    from ui.cli.switching import run_halt

    raise typer.Exit(
        run_halt(
            reason.strip() or "No reason was given.", _settings(home=home, market=market), cancel_orders=cancel_all
        )
    )


@app.command()
def resume(reason: Annotated[str, typer.Argument(help="Why it is safe to go on.")], home: Home = None) -> None:
    """Lift every restriction: the halt file's, the desk's and each account's."""
    from ui.cli.switching import run_resume

    raise typer.Exit(run_resume(reason, _settings(home=home)))


Url = Annotated[str, typer.Option(help="A desk that runs elsewhere; without it the one on this home.")]
Key = Annotated[str, typer.Option(envvar="QTP_API_KEY", help="API key with the scope `admin`, once the desk has keys.")]


@app.command()
def arm(
    minutes: Annotated[int, typer.Option(min=1, max=720, help="How long approved orders may reach the venue.")] = 60,
    url: Url = "",
    key: Key = "",
    home: Home = None,
) -> None:
    """Let a live desk's approved orders pass for a while; a restart ends it."""
    from ui.cli.arming import run_arm

    raise typer.Exit(run_arm(minutes, _settings(home=home), url=url, key=key))


@app.command()
def disarm(url: Url = "", key: Key = "", home: Home = None) -> None:
    """Let no order of a live desk pass any more; cancels still do."""
    from ui.cli.arming import run_disarm

    raise typer.Exit(run_disarm(_settings(home=home), url=url, key=key))


@app.command()
def reconcile(
    accept: Annotated[str, typer.Option(help="Why they differ: book what was found as moved by you.")] = "",
    url: Url = "",
    key: Key = "",
    home: Home = None,
) -> None:
    """Compare a live desk's ledger with its venue now; the exit code is 1 where they differ."""
    from ui.cli.arming import run_reconcile

    raise typer.Exit(run_reconcile(_settings(home=home), url=url, key=key, accept=accept))


@app.command()
def warm() -> None:
    """Compile the engines' kernels into their cache."""
    from engines.kernels import fill_cache

    def tell(done: int, count: int) -> None:
        # One line that counts up where somebody watches, a line each in a log.
        end = "\r" if sys.stdout.isatty() and done < count else "\n"
        print(f"Compiling the engines, once: {done} of {count}", end=end, flush=True)

    fill_cache(tell)


def _settings(**given: Any) -> Any:
    from agents.settings import load_settings

    return load_settings(**{name: value for name, value in given.items() if value is not None})


def main() -> None:
    """Entry point; an error raised on purpose is one clear line, not a traceback."""
    from ui.client import DeskError

    try:
        app()
    except (QuantumTraderError, DeskError) as error:
        typer.secho(error.message, fg=typer.colors.RED, err=True)
        if error.remedy:
            typer.secho(error.remedy, err=True)
        sys.exit(2)
