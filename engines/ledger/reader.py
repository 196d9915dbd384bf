"""Reading the ledger."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Literal

from sqlalchemy import ColumnElement, Connection, Engine, RowMapping, bindparam, select, true

from engines.domain.activity import Activity
from engines.domain.clock import Clock
from engines.domain.orders import OPEN_ORDER_STATUSES, Account, Fill, Order, OrderTicket, TicketStatus
from engines.domain.review import Review
from engines.domain.trading_state import Standing
from engines.errors import NotFound
from engines.ledger import orders, tickets
from engines.ledger.activity import Pasts, read_activity
from engines.ledger.adjustments import Adjustment, add_to_balances, read_adjustments, with_adjustments
from engines.ledger.audit_reader import AuditReader
from engines.ledger.book import Book, fold, positions
from engines.ledger.externals import ExternalOrder, counting_externals, read_externals
from engines.ledger.guarding import EXHAUSTED, EXITS, is_noted, stays_at_desk
from engines.ledger.halt_file import HaltFile
from engines.ledger.left_to_guard import entries_to_guard, left_of, unprotected_entries
from engines.ledger.orders import OpenEntries
from engines.ledger.portfolio import Portfolio, value_account
from engines.ledger.profit import LotBook, Profit, fold_lots, profit_of
from engines.ledger.reconciliation import RecordedReconciliation, read_newest_reconciliation
from engines.ledger.review import review_tickets
from engines.ledger.sealed import ticket_of
from engines.ledger.standing import read_standing, read_standings
from engines.ledger.taken_back import was_taken_back
from engines.market.data import MarketData
from engines.storage import ledger as tables

_ACCOUNT: Final = select(tables.accounts).where(tables.accounts.c.id == bindparam("id"))


class LedgerReader(AuditReader):
    """Everything the ledger can be asked; nothing here changes it."""

    def __init__(self, engine: Engine, clock: Clock, *, halt_file: HaltFile | None = None) -> None:
        super().__init__(engine)
        self._clock = clock
        self._halt_file = halt_file
        # Books folded so far, by account; fills are append-only, so a book only ever grows.
        self._books: dict[str, Book] = {}
        self._lots: dict[str, LotBook] = {}
        self._pasts = Pasts()

    def account(self, account_id: str, owner: str | None = None) -> Account:
        """Balances, reservations and positions, from the opening cash and the fills.

        Raises:
            NotFound: there is none, or it is somebody else's.
        """
        return self.standing(account_id, owner)[0]

    def standing(self, account_id: str, owner: str | None = None, *, without: str = "") -> tuple[Account, OpenEntries]:
        """The account together with its open entries but `without`, as of one instant; errors as `account`."""
        with self._engine.connect() as connection:
            account, book, entries = self._account(connection, account_id, owner, without=without)
        self._books[account_id] = book
        return account, entries

    def standing_state(self, account: str | None) -> Standing:
        """Whether an account may trade: the strictest of its own state, the desk's and the halt file's.

        `None` asks for the desk alone.
        """
        with self._engine.connect() as connection:
            return read_standing(connection, account, self._halt_file)

    def restrictions(self) -> tuple[Standing, ...]:
        """Every state other than active in the ledger, the desk's first; the halt file is not among them."""
        with self._engine.connect() as connection:
            return read_standings(connection)

    def activity(self, account_id: str, *, window: timedelta = timedelta(minutes=1)) -> Activity:
        """What an account did lately: orders of the last `window` (a minute at least), losses, marks of its equity."""
        with self._engine.connect() as connection:
            return read_activity(connection, account_id, self._pasts, now=self._clock.now(), window=window)

    def adjustments(self, account_id: str) -> tuple[Adjustment, ...]:
        """What moved on an account without a fill, oldest first."""
        with self._engine.connect() as connection:
            return read_adjustments(connection, account_id)

    def external_orders(self, account_id: str) -> tuple[ExternalOrder, ...]:
        """Open orders of the venue account that are none of ours, as of the last reconciliation."""
        with self._engine.connect() as connection:
            return read_externals(connection, account_id)

    def reconciliation(self, account_id: str, *, matching: bool = False) -> RecordedReconciliation | None:
        """The last comparison of an account with its venue, or the last that matched; None before the first."""
        with self._engine.connect() as connection:
            return read_newest_reconciliation(connection, account_id, matching=matching)

    def accounts_within(self, prefix: str) -> tuple[str, ...]:
        """Ids of all owners' accounts that begin so, such as `paper-demo-`."""
        query = select(tables.accounts.c.id).order_by(tables.accounts.c.id)
        with self._engine.connect() as connection:
            return tuple(found for found in connection.execute(query).scalars() if found.startswith(prefix))

    def portfolio(self, account_id: str, market: MarketData, owner: str | None = None) -> Portfolio:
        """The account valued at the market's last prices; errors as `value_account`."""
        with self._engine.connect() as connection:
            account, book, _ = self._account(connection, account_id, owner)
            profit = self._profit(connection, account_id, book)
            opened_with = self._require_account(connection, account_id, owner)["starting_cash"]
        return value_account(account, market, starting_cash=opened_with, profit=profit)

    def profit(self, account_id: str, owner: str | None = None) -> Profit:
        """Profit of every symbol by both methods of costing; errors as `account`."""
        with self._engine.connect() as connection:
            _, book, _ = self._account(connection, account_id, owner)
            return self._profit(connection, account_id, book)

    def review(
        self, account_id: str, market: MarketData, owner: str | None = None, *, symbol: str | None = None, limit: int
    ) -> Review:
        """What the newest `limit` decisions of an account cost or saved; errors as `account` and `review_tickets`."""
        with self._engine.connect() as connection:
            currency: str = self._require_account(connection, account_id, owner)["currency"]
            decided = tickets.read_decided(connection, account_id, symbol=symbol, limit=limit)
        return review_tickets(decided, market, account=account_id, currency=currency, symbol=symbol)

    def ticket(self, ticket_id: str, owner: str | None = None) -> OrderTicket:
        """One ticket.

        Raises:
            NotFound: there is none, or it is somebody else's.
        """
        with self._engine.connect() as connection:
            return ticket_of(tickets.require(connection, ticket_id, owner))

    def tickets(
        self,
        owner: str,
        *,
        status: TicketStatus | tuple[TicketStatus, ...] | None = None,
        thread_id: str | None = None,
        limit: int = 200,
        before: tuple[datetime, str] | None = None,
    ) -> tuple[OrderTicket, ...]:
        """An owner's tickets, newest first; `before` goes on behind the ticket of this creation time and id."""
        statuses = (status,) if isinstance(status, str) else status
        with self._engine.connect() as connection:
            return tickets.list_tickets(
                connection, owner=owner, statuses=statuses, thread_id=thread_id, limit=limit, before=before
            )

    def ticket_ids(self, statuses: tuple[TicketStatus, ...], *, within: str = "") -> tuple[str, ...]:
        """Tickets of all owners in these statuses, oldest first; of the accounts whose ids begin so."""
        columns = tables.tickets.c
        query = select(columns.id).where(columns.status.in_(statuses), _begins(columns.account, within))
        query = query.order_by(columns.created_at, columns.id)
        with self._engine.connect() as connection:
            return tuple(connection.execute(query).scalars())

    def require_decidable(self, ticket_id: str, ticket_hash: str, owner: str | None) -> None:
        """Refuse early what `decide` and `seal` would refuse.

        Raises:
            NotFound, Conflict, Expired: as `decide`.
        """
        with self._engine.connect() as connection:
            refused = tickets.refusal(tickets.require(connection, ticket_id, owner), ticket_hash, self._clock.now())
        if refused is not None:
            raise refused

    def order(self, order_id: str, owner: str | None = None) -> Order:
        """One order with its fills.

        Raises:
            NotFound: there is none, or it is somebody else's.
        """
        with self._engine.connect() as connection:
            order = self._order(connection, order_id)
            if owner is not None:
                self._require_account(connection, order.account, owner)
            return order

    def order_of(self, ticket_id: str) -> Order | None:
        """The entry order of a ticket, None when nothing was journalled."""
        with self._engine.connect() as connection:
            found = orders.read_orders(connection, orders.ENTRY_OF_TICKET, ticket_id=ticket_id)
        return found[0] if found else None

    def orders(
        self,
        account_id: str | None = None,
        *,
        status: Literal["open", "all"] = "all",
        symbol: str | None = None,
        limit: int = 200,
        before: tuple[datetime, str] | None = None,
        within: str = "",
    ) -> tuple[Order, ...]:
        """Orders of an account (of all accounts when None), protective ones included, newest first.

        `before` goes on behind the order of this creation time and id; `within` is how the account's id begins.
        """
        columns = tables.orders.c
        query = select(tables.orders).where(_begins(columns.account, within))
        query = query.order_by(columns.created_at.desc(), columns.id).limit(limit)
        if account_id is not None:
            query = query.where(columns.account == account_id)
        if status == "open":
            query = query.where(columns.status.in_(OPEN_ORDER_STATUSES))
        if symbol is not None:
            query = query.where(columns.symbol == symbol)
        if before is not None:
            query = query.where(tickets.is_behind(columns.created_at, columns.id, before))
        with self._engine.connect() as connection:
            return orders.read_orders(connection, query)

    def known_orders(self, order_ids: Collection[str]) -> frozenset[str]:
        """Those of these ids that are orders of ours."""
        columns = tables.orders.c
        with self._engine.connect() as connection:
            return frozenset(connection.execute(select(columns.id).where(columns.id.in_(order_ids))).scalars())

    def traded_symbols(self, account_id: str) -> tuple[str, ...]:
        """Every symbol that an account ever had an order on, by name."""
        columns = tables.orders.c
        query = select(columns.symbol).where(columns.account == account_id).distinct().order_by(columns.symbol)
        with self._engine.connect() as connection:
            return tuple(connection.execute(query).scalars())

    def unprotected_entries(self, *, within: str = "") -> tuple[Order, ...]:
        """Buys that filled, or a part of them, whose exits are nowhere yet, or not known to be at the venue or here."""
        with self._engine.connect() as connection:
            return unprotected_entries(connection, _begins(tables.orders.c.account, within))

    def exits_of(self, entry_id: str) -> tuple[Order, ...]:
        """The stop-loss and take-profit of an entry, whoever holds them."""
        with self._engine.connect() as connection:
            return orders.read_orders(connection, EXITS, parent_id=entry_id)

    def entries_to_guard(self, *, within: str = "") -> tuple[Order, ...]:
        """Entries with exits of which something may still be held, oldest first."""
        with self._engine.connect() as connection:
            return entries_to_guard(connection, _begins(tables.orders.c.account, within))

    def stays_at_desk(self, entry: Order) -> bool:
        """True once it is decided that no venue will hold the exits of an entry."""
        with self._engine.connect() as connection:
            return stays_at_desk(connection, entry)

    def was_taken_back(self, leg: Order) -> bool:
        """True for an exit that a person has cancelled, here or at its venue."""
        with self._engine.connect() as connection:
            return was_taken_back(connection, leg)

    def is_exhausted(self, leg: Order) -> bool:
        """True for an exit that ended after every id there is was used."""
        with self._engine.connect() as connection:
            return is_noted(connection, leg, EXHAUSTED)

    def left_to_guard(self, entry: Order) -> Decimal:
        """What of an entry is still held and guarded by nothing else, base units."""
        with self._engine.connect() as connection:
            return self._left(connection, entry)

    def fills(
        self, account_id: str, *, symbol: str | None = None, limit: int = 1000, before: str | None = None
    ) -> tuple[Fill, ...]:
        """Fills of an account, newest first; `before` goes on behind the fill with this id."""
        columns = tables.fills.c
        newest = select(columns.seq).where(columns.account == account_id)
        if symbol is not None:
            newest = newest.where(columns.symbol == symbol)
        if before is not None:
            behind = tables.fills.alias("behind").c
            last = select(behind.seq).where(behind.account == account_id, behind.trade_id == before)
            newest = newest.where(columns.seq < last.scalar_subquery())
        newest = newest.order_by(columns.seq.desc()).limit(limit)
        with self._engine.connect() as connection:
            query = select(tables.fills).where(columns.seq.in_(newest)).order_by(columns.seq)
            found = orders.read_fills(connection, query)
        return tuple(fill for _, fill in reversed(found))

    def ticket_ids_labelled(self, label: str) -> tuple[str, ...]:
        """Tickets of this label, one an account, oldest first."""
        columns = tables.tickets.c
        query = select(columns.id).where(columns.label == label).order_by(columns.created_at, columns.id)
        with self._engine.connect() as connection:
            return tuple(connection.execute(query).scalars())

    def _left(self, connection: Connection, entry: Order) -> Decimal:
        account, _, _ = self._account(connection, entry.account, None)
        return left_of(connection, entry, held=account.balances.get(entry.symbol.partition("/")[0], Decimal(0)))

    def _account(
        self, connection: Connection, account_id: str, owner: str | None, *, without: str = ""
    ) -> tuple[Account, Book, OpenEntries]:
        row = self._require_account(connection, account_id, owner)
        moved = read_adjustments(connection, account_id) if row["mode"] == "live" else ()
        book = self._book(connection, row, moved)
        entries = orders.open_entries(connection, account_id, without=without)
        if row["mode"] == "live":
            entries = counting_externals(entries, read_externals(connection, account_id), row["currency"])
        balances = dict(book.movements)
        add_to_balances(balances, moved, currency=row["currency"])
        balances[row["currency"]] = row["starting_cash"] + balances.get(row["currency"], Decimal(0))
        account = Account(
            id=account_id,
            owner=row["owner"],
            mode=row["mode"],
            currency=row["currency"],
            balances=balances,
            reserved=entries.reserved,
            positions=positions(book),
            movements=len(moved),
        )
        return account, book, entries

    def _book(self, connection: Connection, account: RowMapping, moved: tuple[Adjustment, ...]) -> Book:
        """What fills and movements without one have made of an account, grown from what was folded before."""
        known = self._books.get(account["id"])
        if known is not None and known.adjustments == len(moved):
            new = orders.read_fills(connection, orders.NEW_FILLS, account=account["id"], last_seq=known.last_seq)
            return fold(known, new)
        every = orders.read_fills(connection, orders.NEW_FILLS, account=account["id"], last_seq=0)
        return fold(Book(adjustments=len(moved)), with_adjustments(every, moved, account))

    def _profit(self, connection: Connection, account_id: str, book: Book) -> Profit:
        """The lots of the same fills that the book is made of, grown from those folded before."""
        lots = self._lots.get(account_id)
        moved: tuple[Adjustment, ...] = ()
        if lots is None or lots.last_seq > book.last_seq or lots.adjustments != book.adjustments:
            lots = LotBook(adjustments=book.adjustments)
            moved = read_adjustments(connection, account_id)[: book.adjustments]
        new = orders.read_fills(connection, orders.NEW_FILLS, account=account_id, last_seq=lots.last_seq)
        if moved:
            new = with_adjustments(new, moved, self._require_account(connection, account_id, None))
        lots = fold_lots(lots, [(seq, fill) for seq, fill in new if seq <= book.last_seq])
        self._lots[account_id] = lots
        return profit_of(book, lots)

    def _require_account(self, connection: Connection, account_id: str, owner: str | None) -> RowMapping:
        row = connection.execute(_ACCOUNT, {"id": account_id}).mappings().first()
        if row is None or (owner is not None and row["owner"] != owner):
            raise NotFound(f"There is no account {account_id!r}.")
        return row

    def _order(self, connection: Connection, order_id: str) -> Order:
        found = orders.read_orders(connection, orders.ORDER, id=order_id)
        if not found:
            raise NotFound(f"There is no order {order_id!r}.", remedy="GET /v1/orders lists those there are.")
        return found[0]


def _begins(account: ColumnElement[str], within: str) -> ColumnElement[bool]:
    return account.startswith(within, autoescape=True) if within else true()
