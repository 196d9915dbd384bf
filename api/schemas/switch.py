"""The kill switch and where it stands."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints

from api.schemas.fields import DecimalText, Request, TimeText
from engines.domain.trading_state import Standing
from engines.execution.unprotected import Gap


def _yes_or_no(value: object) -> object:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value


Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class TradingStanding(BaseModel):
    """Whether orders may be sent: `active`, `reducing` (only what reduces a holding) or `halted` (only cancels)."""

    state: Literal["active", "reducing", "halted"]
    reason: str = Field(description="Empty while active and never set.")
    by: str = Field(description="Who or what set it.")
    since: TimeText | None
    account: str = Field(description="What it holds for; empty for the whole desk.")

    @classmethod
    def of(cls, standing: Standing) -> Self:
        """The domain's standing as clients get it."""
        since = standing.since.isoformat() if standing.since else None
        return cls(state=standing.state, reason=standing.reason, by=standing.by, since=since, account=standing.account)


class HaltRequest(Request):
    """Why, and whether open orders are cancelled too."""

    reason: Reason = Field(examples=["Prices look wrong."])
    cancel_all: Annotated[Literal["yes", "no"], BeforeValidator(_yes_or_no)] = Field(
        default="no", description="Cancel every open order as well, stop-loss and take-profit orders included."
    )


class ResumeRequest(Request):
    """Why it is safe to go on."""

    reason: Reason = Field(examples=["The feed is back and checked."])


class CancelResult(BaseModel):
    """What became of one order that was open."""

    order_id: str
    account: str
    symbol: str
    text: str = Field(examples=["buy 0.1 BTC/USDT, limit 60,000"])
    status: str = Field(description="Where the order stands now.")
    done: bool = Field(description="Nothing of it is open any more.")
    detail: str


class UnprotectedPosition(BaseModel):
    """A position whose stop-loss, approved with its entry, is not at work: a person has to see to it."""

    account: str
    symbol: str
    entry_id: str = Field(description="The order that opened it.")
    quantity: DecimalText = Field(description="Held and unprotected.")
    stop_loss: DecimalText | None
    cause: Literal["missing", "halted", "refused", "unknown"]
    text: str = Field(examples=["0.1 BTC/USDT is not protected (stop-loss 58,000): a person cancelled its stop-loss."])

    @classmethod
    def of(cls, gap: Gap) -> Self:
        """The engine's gap as clients get it."""
        stop = None if gap.stop_loss is None else format(gap.stop_loss.normalize(), "f")
        return cls.model_validate(
            {
                "account": gap.account,
                "symbol": gap.symbol,
                "entry_id": gap.entry_id,
                "quantity": format(gap.quantity.normalize(), "f"),
                "stop_loss": stop,
                "cause": gap.cause,
                "text": gap.told,
            }
        )


class SwitchOutcome(BaseModel):
    """Where the switch stands now, what became of each order that was to be cancelled, and what is unprotected now."""

    trading: TradingStanding
    orders: list[CancelResult]
    unprotected: list[UnprotectedPosition] | None = Field(
        default=None, description="Positions whose stop-loss is not at work; null where the ledger could not be read."
    )
