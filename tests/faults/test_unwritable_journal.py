"""Rule 40 on a server's database: before an order is sent, and after its accept, the server's disk is full."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from engines.errors import VenueUnavailable

from .siege.desk import Desk, MovableClock, exchange_of, open_account, open_desk
from .siege.link import VENUES, Link, control
from .siege.shelf import Shelf
from .siege.site import SETTLING, Site

# What PostgreSQL itself says when it cannot extend a file.
FULL = "CREATE FUNCTION full_disk() RETURNS trigger AS $$ BEGIN RAISE disk_full; END $$ LANGUAGE plpgsql"
ON = "CREATE TRIGGER full_disk BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION full_disk()"


@pytest.fixture(params=VENUES)
def served(request: pytest.FixtureRequest, link: Link, tmp_path: Path, postgres_database: str) -> Iterator[Site]:
    """A desk whose ledger is on a server."""
    clock, exchange = MovableClock(SETTLING), exchange_of(link, request.param)
    with control(link, request.param) as door:
        door.clear()
        door.reset(money={"USDT": "100000"})
        engine = Shelf(postgres_database, tmp_path).open()
        with open_desk(tmp_path, request.param, exchange, clock=clock, engine=engine) as desk:
            open_account(desk)
            yield Site(desk, door, clock, tmp_path)
    exchange.session.close()


def _fill_disk(desk: Desk, table: str) -> None:
    with desk.engine.begin() as connection:
        connection.execute(text(FULL))
        connection.execute(text(ON.format(table=table)))


def _empty_disk(desk: Desk) -> None:
    with desk.engine.begin() as connection:
        connection.execute(text("DROP FUNCTION full_disk CASCADE"))


@pytest.mark.parametrize("table", ["orders", "audit"])
def test_rule_40_on_a_server_nothing_is_sent_when_the_journal_cannot_be_written(served: Site, table: str) -> None:
    ticket_id = served.approved()
    _fill_disk(served.desk, table)
    with pytest.raises(DatabaseError, match="disk_full"):
        served.desk.submit(ticket_id)
    assert (served.accepts(), served.sent()) == ([], 0)
    _empty_disk(served.desk)
    assert served.submit(ticket_id).status == "filled"
    served.assert_equal()


def test_rule_40_on_a_server_after_an_accept_that_cannot_be_written_down_nothing_more_is_sent(served: Site) -> None:
    first, second = served.approved(), served.approved()
    _fill_disk(served.desk, "fills")
    with pytest.raises(DatabaseError, match="disk_full"):
        served.desk.submit(first)
    with pytest.raises(VenueUnavailable, match=r"could not be written down\. Nothing was sent"):
        served.desk.submit(second)
    assert (served.accepts(), served.sent()) == ([1], 1)
    _empty_disk(served.desk)
    assert [served.submit(each).status for each in (first, second)] == ["filled", "filled"]
    assert (served.accepts(), served.sent()) == ([1, 1], 2)
    served.assert_equal()
