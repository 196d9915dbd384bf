"""Every tool of the desk, and the node that runs each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from langchain_core.tools import BaseTool

from agents.accounts import LedgerAccount
from agents.services import Services
from tools.cipher import cipher_tools
from tools.explaining import explaining_tools
from tools.market_desk import market_desk_tools
from tools.orders import order_tools
from tools.review import review_tools
from tools.timeframes import timeframe_tools
from tools.volume_profile import volume_profile_tools


class Toolbox:
    """The tools by node; those that read an account are made anew for each owner."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._shared = {
            "cipher": [*cipher_tools(services.market), *timeframe_tools(services.market)],
            "volume_profile": volume_profile_tools(services.market),
            "order_desk": order_tools(),
        }
        by_node = {**self._shared, "market_desk": self._market_desk("")}
        self.tools: tuple[BaseTool, ...] = tuple(tool for tools in by_node.values() for tool in tools)
        self.node_of: dict[str, str] = {tool.name: node for node, tools in by_node.items() for tool in tools}

    def of(self, node: str) -> Callable[[str], Sequence[BaseTool]]:
        """The tools of a node, for an owner."""
        return self._market_desk if node == "market_desk" else lambda _: self._shared[node]

    def _market_desk(self, owner: str) -> list[BaseTool]:
        account, market = LedgerAccount(self._services, owner), self._services.market
        return [
            *market_desk_tools(market, account),
            *explaining_tools(market, account),
            *review_tools(market, account),
        ]
