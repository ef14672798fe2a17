"""Lifespan: the service runs while the application does."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from litestar import Litestar

from order_service.service import Service


def lifespan_of(service: Service) -> Callable[[Litestar], AbstractAsyncContextManager[None]]:
    """Make the lifespan that opens the service before the first request and closes it after."""

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        try:
            await service.open()
            yield
        finally:
            await service.close()

    return lifespan
