"""Other people's clients, unmodified, as their documents say; in an environment of their own."""

import asyncio
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from raw import a_body, sign
from timing import IN_FLIGHT, measure, place


async def with_aiohttp() -> None:
    import aiohttp  # noqa: PLC0415

    where = place()
    async with aiohttp.ClientSession() as session:

        async def send(name: str) -> None:
            body, stamp = a_body(name), str(int(time.time() * 1000))
            headers = {
                "Content-Type": "application/json",
                "X-BAPI-API-KEY": where["key"],
                "X-BAPI-TIMESTAMP": stamp,
                "X-BAPI-RECV-WINDOW": "5000",
                "X-BAPI-SIGN": sign(where["secret"], f"{stamp}{where['key']}5000{body}"),
            }
            url = f"{where['rest']}/v5/order/create"
            async with session.post(url, data=body, headers=headers) as answer:
                reply = json.loads(await answer.read())
            if reply["retCode"]:
                raise RuntimeError(f"not taken: {reply}")

        await measure(send)


async def with_ccxt() -> None:
    import ccxt.async_support  # noqa: PLC0415

    where = place()
    exchange = ccxt.async_support.bybit(
        {"apiKey": where["key"], "secret": where["secret"], "enableRateLimit": False}
    )
    api = exchange.urls["api"]
    for name in ("spot", "futures", "v2", "public", "private"):
        api[name] = where["rest"]
    exchange.options["defaultType"] = "swap"
    await exchange.load_markets()

    async def send(name: str) -> None:
        more = {"timeInForce": "IOC", "clientOrderId": name}
        await exchange.create_order("BTC/USDT:USDT", "limit", "buy", 0.02, 46000, more)

    await measure(send)
    await exchange.close()


async def with_pybit() -> None:
    from pybit.unified_trading import HTTP  # noqa: PLC0415

    where = place()
    session = HTTP(api_key=where["key"], api_secret=where["secret"])
    session.endpoint = where["rest"]
    pool = ThreadPoolExecutor(IN_FLIGHT)
    loop = asyncio.get_running_loop()

    def place_order(name: str) -> None:
        session.place_order(**json.loads(a_body(name)))

    async def send(name: str) -> None:
        await loop.run_in_executor(pool, place_order, name)

    await measure(send)
    pool.shutdown()


async def with_nautilus() -> None:
    from nautilus_trader.adapters.bybit.common import enums  # noqa: PLC0415
    from nautilus_trader.adapters.bybit.http.account import BybitAccountHttpAPI  # noqa: PLC0415
    from nautilus_trader.adapters.bybit.http.client import BybitHttpClient  # noqa: PLC0415
    from nautilus_trader.common.component import LiveClock  # noqa: PLC0415

    where, clock = place(), LiveClock()
    client = BybitHttpClient(clock, where["key"], where["secret"], where["rest"])
    api = BybitAccountHttpAPI(client, clock)

    async def send(name: str) -> None:
        await api.place_order(
            product_type=enums.BybitProductType.LINEAR,
            symbol="BTCUSDT",
            side=enums.BybitOrderSide.BUY,
            quantity="0.02",
            quote_quantity=False,
            order_type=enums.BybitOrderType.LIMIT,
            price="46000",
            time_in_force=enums.BybitTimeInForce.IOC,
            client_order_id=name,
        )

    await measure(send)


CLIENTS = {
    "aiohttp": with_aiohttp,
    "ccxt": with_ccxt,
    "pybit": with_pybit,
    "nautilus": with_nautilus,
}

if __name__ == "__main__":
    asyncio.run(CLIENTS[sys.argv[1]]())
