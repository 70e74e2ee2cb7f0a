"""The thin shell around the flow: HTTP, clock and limits; it makes proofs and decides nothing."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import TYPE_CHECKING, Final, TypeVar

import httpx

from oneact.agent.errors import Refused
from oneact.agent.flow import Answer, Call, Lost, Wait
from oneact.errors import Refusal
from oneact.protocol import client_assertion, dpop, metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from oneact.agent.flow import Event, Step
    from oneact.protocol.jwk import SigningKey

_T = TypeVar("_T")
_MAX_OCTETS: Final = 8 * 1024 * 1024
_TIMEOUT: Final = httpx.Timeout(65.0, connect=10.0)  # a poll waits up to 50 seconds
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def check_url(url: str) -> str:
    """Give the URL if it is https, or on this machine; else raise `Refused`."""
    try:
        httpx.URL(url)  # what it cannot read, it could not call
        parts = metadata.split(url)
    except (Refusal, httpx.InvalidURL) as error:
        raise Refused("address_forbidden", f"{url} is no address") from error
    if parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL)):
        return url
    raise Refused("address_forbidden", f"{url} is neither https nor on this machine")


class Shell:
    """Runs flows over HTTP with one key; `issuer` is the audience of its assertions."""

    def __init__(self, key: SigningKey, issuer: str, now: Callable[[], int] = lambda: int(time.time())) -> None:
        self.key = key
        self.issuer = check_url(issuer)
        self.client_id = ""
        self.now = now
        self._http = httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=False)
        self._within: dict[str, httpx.AsyncClient] = {}
        self._nonces: dict[str, str] = {}

    def attach(self, origin: str, transport: httpx.AsyncBaseTransport) -> None:
        """Have a service of this very process called without a connection."""
        self._within[origin] = httpx.AsyncClient(transport=transport, follow_redirects=False)

    async def close(self) -> None:
        """Close the connections."""
        for client in (self._http, *self._within.values()):
            await client.aclose()

    async def run(self, flow: Generator[Step, Event, _T]) -> _T:
        """Make each step of a flow and give its end."""
        event: Event = None
        while True:
            try:
                step = flow.send(event)
            except StopIteration as stop:
                end: _T = stop.value
                return end
            if isinstance(step, Wait):
                await asyncio.sleep(step.seconds)
                event = None
            else:
                event = await self.call(step)

    async def call(self, call: Call) -> Answer | Lost:
        """Make one request; where the other side asks for its nonce in the proof, once more with it."""
        check_url(call.url)
        answer = await self._send(call)
        wants_nonce = isinstance(answer, Answer) and answer.member("error") == "use_dpop_nonce"
        return await self._send(call) if wants_nonce else answer

    async def _send(self, call: Call) -> Answer | Lost:
        try:
            client = self._within.get(metadata.origin(call.url), self._http)
            request = client.build_request(
                call.method, call.url, headers=self._headers(call), data=self._form(call), content=call.body
            )
            response = await client.send(request, stream=True)
            try:
                return await self._answer(call, response)
            finally:
                await response.aclose()
        except httpx.HTTPError:
            return Lost(self.now())

    async def _answer(self, call: Call, response: httpx.Response) -> Answer | Lost:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > _MAX_OCTETS:
                return Lost(self.now())
        if "dpop-nonce" in response.headers:
            self._nonces[metadata.origin(call.url)] = response.headers["dpop-nonce"]
        return Answer(response.status_code, dict(response.headers), bytes(body), self.now())

    def _headers(self, call: Call) -> dict[str, str]:
        headers = dict(call.headers)
        if call.token is not None:
            headers["Authorization"] = f"DPoP {call.token}"
        if call.token is not None or call.authenticated or call.proved:
            nonce, jti = self._nonces.get(metadata.origin(call.url)), secrets.token_urlsafe(16)
            headers["DPoP"] = dpop.build(
                self.key, call.method, call.url, self.now(), jti, token=call.token, nonce=nonce
            )
        return headers

    def _form(self, call: Call) -> Mapping[str, str] | None:
        if not call.authenticated:
            return call.form
        jti = secrets.token_urlsafe(16)
        assertion = client_assertion.build(self.key, self.client_id, self.issuer, self.now(), jti)
        return {
            "client_assertion_type": client_assertion.ASSERTION_TYPE,
            "client_assertion": assertion,
            **(call.form or {}),
        }
