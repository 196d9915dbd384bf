"""A chart over HTTP: what the engines give, described field by field."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx

from engines.chart import chart_data
from engines.domain.clock import SystemClock
from engines.market.demo import DemoMarket


def test_a_chart_is_what_the_engines_give(local: httpx.Client) -> None:
    query = {"symbol": "BTC/USDT", "timeframe": "4h", "limit": "120", "as_of": "2026-03-02T12:00:00Z"}
    answer = local.get("/v1/chart", params=query)
    answer.raise_for_status()
    market = DemoMarket(SystemClock())
    known = datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert answer.json() == chart_data(market, "BTC/USDT", "4h", as_of=known, count=120)


def test_every_part_of_a_chart_is_described(local: httpx.Client) -> None:
    described = local.get("/openapi.json").json()
    schemas = described["components"]["schemas"]
    answer = described["paths"]["/v1/chart"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer == {"$ref": "#/components/schemas/ChartData"}
    chart = local.get("/v1/chart", params={"symbol": "BTC/USDT", "timeframe": "1h"}).json()
    for name, part in (
        ("ChartData", chart),
        ("ChartPanel", chart["cipher"]),
        ("ChartProfile", chart["volume_profile"]),
    ):
        assert set(schemas[name]["properties"]) == set(part), name
    assert set(schemas["ChartRow"]["properties"]) == set(chart["volume_profile"]["rows"][0])
