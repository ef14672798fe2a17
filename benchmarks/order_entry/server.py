"""The local Bybit of the bench, in its own process: prints its place, ends with its input."""

import asyncio
import json
import sys
from datetime import timedelta

from order_adapters.bybit_server import BybitServer, ServerConfig
from order_service.heap import look_for_cycles_rarely


async def serve() -> None:
    look_for_cycles_rarely()
    config = ServerConfig(latency=timedelta(0), uid_limits=False, ip_limit=None)
    async with BybitServer(config) as server:
        account = config.accounts[0]
        place = {"rest": server.rest_url, "ws": server.ws_url}
        print(json.dumps(place | {"key": account.api_key, "secret": account.secret}), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve())
