"""Names of assets, and the symbol each means on the market at hand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_NICKNAMES: Final = {
    "BTC": "btc bitcoin bitcoins btcs xbt bitcon bitcion bticoin bicoin bitocin",
    "ETH": "eth ether ethereum ethers eths etherium etherum etheruem ethereuem",
    "SOL": "sol solana sols",
    "XRP": "xrp ripple",
    "ADA": "ada cardano",
    "DOGE": "doge dogecoin dogecoins doges",
    "LINK": "link chainlink",
    "AVAX": "avax avalanche",
    "DOT": "dot polkadot",
    "LTC": "ltc litecoin litecoins",
    "BCH": "bch",
    "BNB": "bnb",
    "MATIC": "matic polygon",
    "UNI": "uni uniswap",
    "ATOM": "atom cosmos",
    "NEAR": "near",
    "TRX": "trx tron",
    "SHIB": "shib",
    "PEPE": "pepe",
    "TON": "ton toncoin",
    "XLM": "xlm stellar",
    "ETC": "etc",
    "APT": "apt aptos",
    "ARB": "arb arbitrum",
    "OP": "op optimism",
    "FIL": "fil filecoin",
    "SUI": "sui",
    "AAVE": "aave",
    "ALGO": "algo algorand",
    "XMR": "xmr monero",
    "ZEC": "zec zcash",
    "HBAR": "hbar hedera",
    "ICP": "icp",
    "INJ": "inj injective",
}
NICKNAMES: Final = {nickname: asset for asset, names in _NICKNAMES.items() for nickname in names.split()}
TWO_WORD_NAMES: Final = {
    ("bitcoin", "cash"): "BCH",
    ("ethereum", "classic"): "ETC",
    ("ether", "classic"): "ETC",
    ("shiba", "inu"): "SHIB",
    ("binance", "coin"): "BNB",
}
# Known only where the market lists them.
LISTED_NICKNAMES: Final = {
    "cable": "GBP/USD",
    "fiber": "EUR/USD",
    "aussie": "AUD/USD",
    "loonie": "USD/CAD",
    "gold": "XAU/USD",
}

QUOTE_CURRENCIES: Final = frozenset(
    {"USDT", "USDC", "USD", "EUR", "GBP", "JPY", "CHF", "AUD", "CAD", "TRY", "BRL", "BUSD", "FDUSD", "DAI", "TUSD"}
)
_DOLLARS: Final = ("USDT", "USD", "USDC", "FDUSD", "BUSD")
_JOINED: Final = re.compile(r"([A-Z0-9]{2,12}?)(USDT|USDC|BUSD|FDUSD|USD|EUR)")


@dataclass(frozen=True)
class Listing:
    """The symbols of a market, by their assets."""

    symbols: frozenset[str]
    bases: dict[str, tuple[str, ...]]
    quote_currency: str

    def of_asset(self, asset: str) -> str:
        """The symbol a bare asset means: in the desk's quote currency, else in dollars, else as it would be written."""
        preferred = f"{asset}/{self.quote_currency}"
        listed = self.bases.get(asset, ())
        if preferred in listed or not listed:
            return preferred
        for currency in _DOLLARS:
            if f"{asset}/{currency}" in listed:
                return f"{asset}/{currency}"
        return listed[0]

    def of_pair(self, base: str, quote: str) -> str:
        """The symbol of a pair as it was written, under its listed name; an unlisted one stays as asked for."""
        base = NICKNAMES.get(base.lower(), base.upper())
        return f"{base}/{quote.upper()}"

    def of_name(self, word: str) -> str | None:
        """The symbol of a nickname, a listed asset or a joined pair such as `btcusdt`; None for anything else."""
        if word in NICKNAMES:
            return self.of_asset(NICKNAMES[word])
        listed = LISTED_NICKNAMES.get(word)
        if listed in self.symbols:
            return listed
        upper = word.upper()
        if upper in self.bases:
            return self.of_asset(upper)
        joined = _JOINED.fullmatch(upper)
        if joined and (joined[1].lower() in NICKNAMES or joined[1] in self.bases or len(joined[1]) >= 3):
            return self.of_pair(joined[1], joined[2])
        return None


@lru_cache(maxsize=16)
def listing(symbols: tuple[str, ...], quote_currency: str) -> Listing:
    """The listing of a market, made once."""
    bases: dict[str, list[str]] = {}
    for symbol in sorted(symbols):
        bases.setdefault(symbol.partition("/")[0], []).append(symbol)
    return Listing(frozenset(symbols), {base: tuple(names) for base, names in bases.items()}, quote_currency)
