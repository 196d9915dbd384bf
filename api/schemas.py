"""What goes over the wire, in and out. Money, prices and quantities are decimals in text; times are ISO 8601 in UTC."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.problems import Problem
from engines.domain.orders import OrderStatus, OrderType, Side, TicketKind, TicketStatus
from engines.domain.timeframe import Timeframe

MAX_MESSAGE: Final = 20_000

RunAnswerStatus = Literal["completed", "awaiting_approval", "failed"]
DecimalText = Annotated[str, Field(examples=["0.01"])]
TimeText = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
PositiveDecimal = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=40, pattern=r"^[0-9]+(\.[0-9]+)?$"),
    Field(examples=["0.02"]),
]


class Request(BaseModel):
    """A body that is read strictly: a field nobody knows is a mistake worth telling."""

    model_config = ConfigDict(extra="forbid")


class AgentRequest(Request):
    """A message to the desk."""

    message: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_MESSAGE)] = Field(
        description="What you want to know or do, in your own words.", examples=["How does BTC look on the 4h?"]
    )
    thread_id: UUID | None = Field(
        default=None, description="Goes on with a conversation; without it a new one begins. A new UUID begins one too."
    )


class DecisionRequest(Request):
    """A decision on one ticket. The fields after `resolve_differences` belong to `edit`."""

    decision: Literal["approve", "reject", "edit"]
    ticket_hash: str = Field(max_length=64, description="The ticket's `hash`, so that you decide on what you saw.")
    resolve_differences: Literal["yes", "no"] = Field(
        default="no", description="`yes`: I have read the ticket's `differences` and mean the ticket as it stands."
    )
    quantity: PositiveDecimal | None = Field(default=None, description="In base units.")
    limit_price: PositiveDecimal | None = None
    stop_price: PositiveDecimal | None = None
    stop_loss: PositiveDecimal | None = None
    take_profit: PositiveDecimal | None = None


class ReceiptSource(BaseModel):
    """Where a figure comes from."""

    model_config = ConfigDict(extra="allow")

    evidence: str
    field: str
    tool: str
    tool_call_id: str = ""
    arguments: dict[str, Any] = Field(default_factory=dict)
    symbol: str | None = None
    timeframe: str | None = None
    as_of: str = ""
    market: str = ""
    simulated: bool = False
    parameters: dict[str, Any] = Field(default_factory=dict)


class Receipt(BaseModel):
    """The proof of the figure that is marked `[n]` in a reply."""

    n: int
    text: str
    value: str | float | int | bool | None
    unit: str
    label: str
    source: ReceiptSource


class ToolCall(BaseModel):
    """One tool the model called."""

    id: str
    name: str
    args: dict[str, Any]


class Artifact(BaseModel):
    """Something to look at besides the text; `url` answers with its data."""

    model_config = ConfigDict(extra="allow")

    kind: str
    title: str
    url: str


class Fill(BaseModel):
    """One execution."""

    id: str
    order_id: str
    account: str
    symbol: str
    side: Side
    price: DecimalText
    quantity: DecimalText
    fee: DecimalText
    fee_currency: str
    time: TimeText


class Order(BaseModel):
    """A ticket that was submitted; `id` is the client order id."""

    id: str
    ticket_id: str
    account: str
    symbol: str
    side: Side
    order_type: OrderType
    quantity: DecimalText
    limit_price: DecimalText | None
    stop_price: DecimalText | None
    stop_loss: DecimalText | None
    take_profit: DecimalText | None
    status: OrderStatus
    filled: DecimalText
    average_price: DecimalText | None
    venue_order_id: str | None
    reason: str
    created_at: TimeText
    updated_at: TimeText
    fills: list[Fill]


class LimitCheck(BaseModel):
    """One limit: what it allows, what it was held against, and what it left of the quantity."""

    name: str
    limit: str
    value: str
    before: DecimalText
    after: DecimalText
    message: str = ""
    used: DecimalText | None = Field(default=None, description="How much of the limit is used, in percent.")


class RiskVerdict(BaseModel):
    """What the risk review said, check by check."""

    outcome: Literal["approved", "reduced", "denied"]
    quantity: DecimalText
    checks: list[LimitCheck]


class Argument(BaseModel):
    """A piece of evidence for (positive weight) or against the ticket's side."""

    text: str
    weight: float
    source: str


class Confluence(BaseModel):
    """What the engines say about the ticket's symbol."""

    score: float | None
    arguments: list[Argument]
    missing: list[str]


class Ticket(BaseModel):
    """An order that waits for a person, exactly as it would be executed; `hash` seals what is shown."""

    id: str
    label: str
    owner: str
    thread_id: str
    account: str
    mode: Literal["paper", "live"]
    market: str
    simulated: bool
    kind: TicketKind
    symbol: str
    side: Side
    order_type: OrderType
    quantity: DecimalText
    limit_price: DecimalText | None
    stop_price: DecimalText | None
    stop_loss: DecimalText | None
    take_profit: DecimalText | None
    reduce_only: bool
    cancels: list[str]
    time_in_force: str
    reference_price: DecimalText
    quote_time: TimeText
    price_band: list[DecimalText]
    notional: DecimalText
    estimated_fee: DecimalText
    fee_currency: str
    risk: RiskVerdict
    confluence: Confluence
    differences: list[str]
    user_words: str
    limits_version: str
    created_at: TimeText
    expires_at: TimeText
    client_order_id: str
    hash: str
    status: TicketStatus
    decided_by: str
    decided_at: TimeText | None
    superseded_by: str | None
    reason: str = Field(default="", description="Why it was denied, rejected by the venue or left unclear.")
    order: Order | None = None
    text: str = Field(default="", description="The ticket in one paragraph.")


class Usage(BaseModel):
    """What a turn cost."""

    model_config = ConfigDict(extra="allow")

    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    model_calls: int = 0
    steps: int = 0


class AgentAnswer(BaseModel):
    """The desk's answer to a message."""

    thread_id: str
    run_id: str
    status: RunAnswerStatus
    reply: str = Field(description="Light Markdown; each figure with a source is followed by its receipt's `[n]`.")
    tool_calls: list[ToolCall] = Field(default_factory=list)
    receipts: list[Receipt] = Field(default_factory=list)
    ticket: Ticket | None = Field(default=None, description="The first of `tickets`.")
    tickets: list[Ticket] = Field(default_factory=list)
    artifacts: list[Artifact] = Field(default_factory=list)
    next_steps: list[str] = Field(default_factory=list)
    usage: Usage = Field(default_factory=Usage)
    error: Problem | None = None


class DecisionOutcome(BaseModel):
    """What a decision led to."""

    ticket: Ticket
    replacement: Ticket | None = Field(
        default=None, description="The new ticket an edit made; it needs its own approval."
    )
    order: Order | None = None
    fills: list[Fill] = Field(default_factory=list)
    reply: str
    receipts: list[Receipt] = Field(default_factory=list)
    thread_id: str
    run_id: str
    status: RunAnswerStatus


class TicketPage(BaseModel):
    """Tickets, newest first."""

    tickets: list[Ticket]
    next_cursor: str | None = None


class OrderPage(BaseModel):
    """Orders, newest first."""

    orders: list[Order]
    next_cursor: str | None = None


class FillPage(BaseModel):
    """Fills, newest first."""

    fills: list[Fill]
    next_cursor: str | None = None


class Holding(BaseModel):
    """A position at the market's last price, in quote units; `average_price` is without fees, `realised` with them."""

    symbol: str
    quantity: DecimalText
    average_price: DecimalText
    mark: DecimalText
    value: DecimalText
    unrealised: DecimalText
    realised: DecimalText


class Portfolio(BaseModel):
    """An account: `equity` is `cash` plus the value of all positions."""

    account: str
    mode: Literal["paper", "live"]
    market: str
    simulated: bool
    as_of: TimeText
    currency: str
    equity: DecimalText
    cash: DecimalText
    reserved: DecimalText = Field(description="Cash that open orders have set aside.")
    unrealised: DecimalText
    realised: DecimalText = Field(description="Of closed positions too, every fee taken off.")
    fees: DecimalText
    positions: list[Holding]


class AuditEntry(BaseModel):
    """One record of what happened; `hash` covers it and the hash before it."""

    seq: int
    time: TimeText
    account: str
    ticket_id: str | None
    kind: str
    data: dict[str, Any]
    previous_hash: str
    hash: str


class AuditPage(BaseModel):
    """Audit records, oldest first."""

    records: list[AuditEntry]
    next_cursor: str | None = None


class ThreadSummary(BaseModel):
    """A conversation in a list."""

    id: str
    title: str
    created_at: TimeText
    updated_at: TimeText
    pending: int = Field(description="Tickets of it that wait for a decision.")


class ThreadPage(BaseModel):
    """Conversations, the last used first."""

    threads: list[ThreadSummary]
    next_cursor: str | None = None


class ThreadMessage(BaseModel):
    """One message of a conversation."""

    id: str
    role: Literal["user", "assistant"]
    text: str
    run_id: str
    created_at: TimeText
    receipts: list[Receipt] = Field(default_factory=list)
    artifacts: list[Artifact] = Field(default_factory=list)
    tickets: list[Ticket] = Field(default_factory=list)
    next_steps: list[str] = Field(default_factory=list)


class ThreadDetail(BaseModel):
    """A conversation: its newest messages, oldest of them first, and the tickets that wait in it."""

    id: str
    title: str
    created_at: TimeText
    updated_at: TimeText
    messages: list[ThreadMessage]
    pending: list[Ticket]
    next_cursor: str | None = Field(default=None, description="Leads to the messages before these.")


class Candle(BaseModel):
    """One closed candle; prices in quote units, volume in base units."""

    open_time: TimeText
    open: float
    high: float
    low: float
    close: float
    volume: float


class CandlePage(BaseModel):
    """Closed candles, oldest first; `next_end` is the `end` that leads to those before them."""

    symbol: str
    timeframe: Timeframe
    market: str
    simulated: bool
    as_of: TimeText
    candles: list[Candle]
    next_end: TimeText | None = None


class Instrument(BaseModel):
    """The trading rules of one symbol."""

    symbol: str
    base: str
    quote: str
    tick_size: DecimalText
    lot_size: DecimalText
    min_quantity: DecimalText
    min_notional: DecimalText
    maker_fee: DecimalText
    taker_fee: DecimalText


class Markets(BaseModel):
    """Everything this desk's market lists."""

    market: str
    simulated: bool
    timeframes: list[str]
    symbols: list[str]
    instruments: list[Instrument]


class Status(BaseModel):
    """What this desk is and where it stands."""

    version: str
    mode: Literal["paper", "live"]
    market: str
    simulated: bool
    model: str
    account: str
    owner: str
    now: TimeText
    market_time: TimeText | None = Field(description="Null while the market has nothing to say, such as no candles.")
    chat_ready: bool


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """What works: `ok`, or what is wrong."""

    status: Literal["ready", "not_ready"]
    checks: dict[str, str]
