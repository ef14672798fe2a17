"""Books of the stub: what it filled, as the REST questions of a sweep want it."""

import json
import time
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from benchmarks.pipeline.place import PRICE, SYMBOLS

Row = dict[str, Any]
PAGE = 100
_NOTHING: Row = {"list": [], "nextPageCursor": ""}


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Books:
    """Positions and executions of one account, everything filled at once at one price."""

    def __init__(self) -> None:
        self.sizes: dict[str, Decimal] = {}
        self.executions: list[Row] = []

    def fill(self, execution: Row) -> None:
        """Book an execution."""
        self.executions.append(execution)
        sign = 1 if execution["side"] == "Buy" else -1
        size = self.sizes.get(execution["symbol"], Decimal(0))
        self.sizes[execution["symbol"]] = size + sign * Decimal(execution["execQty"])

    def answer(self, target: str) -> bytes:
        """Answer a GET."""
        parts = urlsplit(target)
        asked = dict(parse_qsl(parts.query))
        result = _ROUTES.get(parts.path, lambda *_: _NOTHING)(self, asked)
        reply = {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": now_ms()}
        return json.dumps(reply).encode()

    def time(self, _: Row) -> Row:
        now = time.time_ns()
        return {"timeSecond": str(now // 10**9), "timeNano": str(now)}

    def key(self, _: Row) -> Row:
        return {
            "userID": 1,
            "readOnly": 0,
            "permissions": {"ContractTrade": ["Order", "Position"]},
            "ips": ["*"],
        }

    def info(self, _: Row) -> Row:
        return {"unifiedMarginStatus": 6, "marginMode": "REGULAR_MARGIN"}

    def wallet(self, _: Row) -> Row:
        coin = {"coin": "USDT", "walletBalance": "100000000", "equity": "100000000"}
        return {"list": [{"accountType": "UNIFIED", "coin": [coin]}]}

    def positions(self, asked: Row) -> Row:
        symbols = [asked["symbol"]] if "symbol" in asked else list(self.sizes)
        return {
            "category": "linear",
            "list": [
                self._position(each)
                for each in symbols
                if self.sizes.get(each) or asked.get("symbol")
            ],
            "nextPageCursor": "",
        }

    def _position(self, symbol: str) -> Row:
        size = self.sizes.get(symbol, Decimal(0))
        return {
            "symbol": symbol,
            "positionIdx": 0,
            "side": "" if not size else "Buy" if size > 0 else "Sell",
            "size": str(abs(size)),
            "avgPrice": PRICE,
            "leverage": "10",
            "updatedTime": str(now_ms()),
        }

    def traded(self, asked: Row) -> Row:
        """Newest first, a page at a time; the cursor is how many are newer."""
        begin = int(asked.get("cursor") or len(self.executions))
        since, limit = int(asked.get("startTime", 0)), int(asked.get("limit", PAGE))
        page = self.executions[max(0, begin - limit) : begin][::-1]
        fresh = [each for each in page if int(each["execTime"]) >= since]
        more = len(fresh) == limit and begin > limit
        cursor = str(begin - limit) if more else ""
        return {"category": "linear", "list": fresh, "nextPageCursor": cursor}

    def rates(self, _: Row) -> Row:
        rate = {"takerFeeRate": "0.00055", "makerFeeRate": "0.0002"}
        return {"list": [rate | {"symbol": each} for each in SYMBOLS]}

    def instruments(self, _: Row) -> Row:
        return {"category": "linear", "list": [_instrument(each) for each in SYMBOLS]}


def _instrument(symbol: str) -> Row:
    return {
        "symbol": symbol,
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "baseCoin": symbol.removesuffix("USDT"),
        "quoteCoin": "USDT",
        "settleCoin": "USDT",
        "priceFilter": {"minPrice": "0.1", "maxPrice": "100000", "tickSize": "0.1"},
        "lotSizeFilter": {
            "maxOrderQty": "1000000",
            "minOrderQty": "0.001",
            "qtyStep": "0.001",
            "maxMktOrderQty": "1000000",
            "minNotionalValue": "5",
        },
    }


_ROUTES = {
    "/v5/market/time": Books.time,
    "/v5/user/query-api": Books.key,
    "/v5/account/info": Books.info,
    "/v5/account/wallet-balance": Books.wallet,
    "/v5/account/fee-rate": Books.rates,
    "/v5/position/list": Books.positions,
    "/v5/execution/list": Books.traded,
    "/v5/market/instruments-info": Books.instruments,
}
