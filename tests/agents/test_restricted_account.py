"""What the account's answer says while trading is restricted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from agents.runtime import Desk

pytestmark = pytest.mark.anyio

OpenDesk = Callable[..., AbstractAsyncContextManager[Desk]]


async def test_the_reason_of_a_restriction_is_told_with_a_receipt_for_each_of_its_figures(desk_on: OpenDesk) -> None:
    async with desk_on() as desk:
        account = desk.services.account("ada")
        desk.ledger.change_state("reducing", reason="A daily loss of 5.2 % {was} met.", by="desk", account=account)
        result = await desk.ask(None, "status", "ada")

    assert "REDUCING" in result.reply
    assert "A daily loss of 5.2 %" in result.reply
    assert "*unsourced*" not in result.reply
    assert "5.2 %" in [receipt["text"] for receipt in result.receipts]
