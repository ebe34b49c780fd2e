"""Who may ask: pages of this computer that know the token, under one of its own two names.

A page elsewhere can make a browser send requests to this computer, and a name elsewhere can be
made to mean this computer (DNS rebinding). So the host that a request names has to be loopback, an
origin that it names has to be the page itself, and every address, that of the websocket too, begins
with a token that only who started the server was told.
"""

import hmac
from typing import Any

from bokeh.server.tornado import BokehTornado
from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import OutputTransform, RequestHandler

# Nothing is loaded from elsewhere, nothing is sent there, and no other page may frame this one.
# Bokeh writes a script into the page.
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def names(port: int) -> frozenset[str]:
    """What this computer may be called in a request."""
    return frozenset({f"127.0.0.1:{port}", f"localhost:{port}"})


def refused(path: str, headers: HTTPHeaders, token: str, hosts: frozenset[str]) -> str | None:
    """Why a request is refused; ``None``: it is not.

    >>> hosts = names(5006)
    >>> refused("/secret/", HTTPHeaders({"Host": "127.0.0.1:5006"}), "secret", hosts)
    >>> refused("/secret/", HTTPHeaders({"Host": "evil.example:5006"}), "secret", hosts)
    'this host is not served'
    """
    asked = headers.get_list("Host")
    if len(asked) != 1 or asked[0].lower() not in hosts:
        return "this host is not served"
    origins = {f"http://{host}" for host in hosts}
    given = [*headers.get_list("Origin"), *headers.get_list("Sec-WebSocket-Origin")]
    if any(origin.lower() not in origins for origin in given):
        return "this origin is not served"
    first = path.lstrip("/").partition("/")[0]
    if not hmac.compare_digest(first.encode(), token.encode()):
        return "the token is missing: open the address that losslaw whatif printed"
    return None


class Refused(RequestHandler):
    """The answer to whoever may not ask."""

    def initialize(self, why: str) -> None:
        """Keep why."""
        self._why = why

    def prepare(self) -> None:
        """Say why, whatever was asked."""
        self.set_status(403)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"losslaw: {self._why}\n")


class SafeHeaders(OutputTransform):
    """`HEADERS` in every answer."""

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        """Add them; a new server is no business of anybody's either."""
        headers.update(HEADERS)
        headers["Server"] = "losslaw"
        return status_code, headers, chunk


def _silent(handler: RequestHandler) -> None:
    pass


class Guarded(BokehTornado):
    """The server's rooms, behind a door.

    Args:
        applications: As for Bokeh.
        token: What every address begins with.
        port: Where it listens.
        more: As for Bokeh.
    """

    def __init__(self, applications: Any, *, token: str, port: int, **more: Any):
        self._token = token
        self._hosts = names(port)
        super().__init__(
            applications,
            prefix=token,
            extra_websocket_origins=sorted(self._hosts),
            # Headers of requests would be written into the page.
            include_headers=[],
            include_cookies=[],
            transforms=[SafeHeaders],
            # What strangers ask for is not written into the terminal.
            log_function=_silent,
            **more,
        )

    def new_connection(
        self, protocol: Any, socket: Any, application_context: Any, session: Any
    ) -> Any:
        """A websocket: what is sent there is sent at once.

        An answer is three small messages; Tornado has the second wait (40 ms and more) until the
        browser says that the first has arrived.
        """
        socket.set_nodelay(True)
        return super().new_connection(protocol, socket, application_context, session)

    def find_handler(self, request: HTTPServerRequest, **more: Any) -> Any:
        """Whoever answers a request: the door, where it may not be asked."""
        why = refused(request.path, request.headers, self._token, self._hosts)
        if why is not None:
            return self.get_handler_delegate(request, Refused, {"why": why})
        return super().find_handler(request, **more)
