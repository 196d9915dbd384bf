"""From an intent to a fill: risk, seal, a person's decision, submission, brokers, recovery.

The path, each step a plain function; everything they need is handed over in one `OrderContext`:

    context = OrderContext(ledger, market, clock, limits, confluence=...)
    account = ledger.ensure_account(owner, mode="paper", market=market.name, currency="USDT", cash=Decimal(100_000))
    ticket = prepare_ticket(intent, context, owner=owner)          # intent.account = account.id
    ticket = ledger.decide(ticket.id, "approve", ticket.hash, by)  # or edit_ticket(...) for a replacement
    order = submit(ticket.id, context, broker)                     # None: nothing was sent, ticket.reason says why
    broker.match(market.now()); sync_fills(ledger, broker)         # resting orders, now and then

Where they live and what they raise:

    context.OrderContext(ledger, market, clock, limits, confluence, mode, ticket_seconds, price_band_percent)
    prepare.prepare_ticket(intent, context, *, owner) -> OrderTicket
        InvalidRequest (NotFound for an unknown symbol or order), RiskDenied (`largest`), VenueUnavailable
    prepare.edit_ticket(ticket_id, ticket_hash, edits: TicketEdits, context, *, by, owner) -> OrderTicket
        the replacement, which needs its own approval; as above, and Conflict, Expired
    submit.submit(ticket_id, context, broker) -> Order | None
        idempotent; calling it again is also how an interrupted or unknown submission is settled
    submit.unfinished(ledger) -> tuple[str, ...]
        ids of tickets that need `submit` again, at start and while an outcome is unknown
    sync.sync_fills(ledger, broker) -> tuple[Order, ...]
        orders that changed since the last time
    protection.bring_protective(entry, ledger=, broker=) -> tuple[Order, ...]
        the exits of what filled of an entry: at the venue where it can hold them, else waiting at the desk
    guard.guard_exits(context, broker, now) -> tuple[Order, ...]
        exits that wait at the desk: sent once when their price is reached, settled when their outcome is unclear
    cancel.cancel_order(order_id, *, ledger, broker, clock) -> Outcome
        cancels one order wherever it is; an exit that a person cancels gets no successor
    unprotected.unprotected(ledger, now, *, accounts, within) -> tuple[Gap, ...]
        positions whose stop-loss is not at work, and why: while halted, those that the desk guards are among them
    expiry.expire_orders(context, broker, now) -> tuple[Order, ...]
        orders that are open longer than they were good for, cancelled
    paper.PaperBroker(engine, market, clock, rules=PaperModel(...)); .match(now) -> int; .model says how it fills
    limits_file.load_limits(path) -> RiskLimits
"""
