"""Routes: what every route below `/api` shares: how it is asked, and how it says no."""

from functools import partial
from typing import Final

from litestar import get, post
from litestar.openapi import ResponseSpec

from order_service.http.problems import MEDIA_TYPE, TITLES, Problem

PROBLEMS: Final = {
    status: ResponseSpec(Problem, description=title, media_type=MEDIA_TYPE, generate_examples=False)
    for status, (_, title) in TITLES.items()
    if status not in (405, 500)
}
"""What any route may answer instead, in one shape."""

read = partial(get, responses=PROBLEMS)
command = partial(post, responses=PROBLEMS)
