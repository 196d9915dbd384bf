"""`quantum-trader keys`: who may use the desk from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from api.keys import KeyStore

app = typer.Typer(no_args_is_help=True, help="Create, list and revoke API keys.")

Home = Annotated[Path | None, typer.Option(help="Folder that holds everything a run writes.")]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    scope: Annotated[
        list[str] | None, typer.Option(help="read, trade, approve or admin; repeat it for several.")
    ] = None,
    owner: Annotated[str, typer.Option(help="Whose account it uses; keys of one owner share it.")] = "local",
    home: Home = None,
) -> None:
    """Create a key and print it once; only its hash is kept."""
    store = _store(home)
    first = not store.any_issued()
    issued = store.create(name=name, scopes=scope or ["read"], owner=owner)
    typer.echo(issued.token)
    typer.echo(f"Key {issued.key.id} ({', '.join(sorted(issued.key.scopes))}). It is not shown again.", err=True)
    if first:
        typer.echo("From now on this desk asks everybody for a key, you on this machine too.", err=True)
        typer.echo("Terminal: QTP_API_KEY=... quantum-trader chat. Browser: sign in with the key.", err=True)


@app.command("list")
def list_keys(home: Home = None) -> None:
    """List keys, without their secrets."""
    table = Table("id", "name", "owner", "scopes", "created", "state")
    for key in _store(home).list():
        state = "revoked" if key.revoked_at else "active"
        table.add_row(
            key.id, key.name, key.owner, " ".join(sorted(key.scopes)), f"{key.created_at:%Y-%m-%d %H:%M}", state
        )
    Console().print(table)


@app.command()
def revoke(key_id: str, home: Home = None) -> None:
    """Revoke a key; calls with it fail from now on."""
    _store(home).revoke(key_id)
    typer.echo(f"Key {key_id} is revoked.")


def _store(home: Path | None) -> KeyStore:
    from agents.settings import load_settings
    from api.keys import KeyStore
    from engines.domain.clock import SystemClock
    from engines.storage.database import open_database

    settings = load_settings(**({"home": home} if home else {}))
    return KeyStore(open_database("desk", home=settings.home, url=settings.database_url), SystemClock())
