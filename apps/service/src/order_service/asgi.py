"""ASGI: the application for a server of your own: `uvicorn --factory order_service.asgi:create`."""

import os
from pathlib import Path

from litestar.types import ASGIApp

from order_service.serving import build
from order_service.settings import Settings


def create() -> ASGIApp:
    """Make the application from the environment. One process only: the account has one owner."""
    app, _ = build(Settings.from_environment(os.environ, Path(".env")))
    return app
