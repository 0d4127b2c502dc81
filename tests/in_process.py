"""The way of a browser to an application in the process of a test: no network, no thread."""

import asyncio
from collections.abc import AsyncIterator

import httpx
from fastapi import FastAPI


class InProcess(httpx.BaseTransport):
    """The way to an application in this process; a body without length comes in pieces."""

    def __init__(self, app: FastAPI, *, raise_app_exceptions: bool = True) -> None:
        self.way = httpx.ASGITransport(app, raise_app_exceptions=raise_app_exceptions)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run(self._handle(request, request.read()))

    async def _handle(self, request: httpx.Request, body: bytes) -> httpx.Response:
        streamed = "transfer-encoding" in request.headers
        content = _pieces(body) if streamed else body
        there = httpx.Request(request.method, request.url, headers=request.headers, content=content)
        answer = await self.way.handle_async_request(there)
        received = await answer.aread()
        return httpx.Response(answer.status_code, headers=answer.headers, content=received)


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 65536):
        yield body[start : start + 65536]
