"""The live page: one document a tab, the fit in between, on this computer alone.

A tab writes what it wants to know into one model (`asked`, JSON), and reads the answer from another
(`answer`), columns of the pictures included: one message each way. A tab asks one thing at a time,
so that no queue of moves builds up.
"""

import json
import secrets
import signal
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache, partial
from typing import Any
from urllib.parse import quote

from losslaw.errors import InputError
from losslaw.exporting import TARGETS, prepare
from losslaw.files.json_text import plain
from losslaw.text import shown
from losslaw.views.whatif.figure import pictures
from losslaw.views.whatif.page import PATIENCE, Subject, check_installed, template, variables
from losslaw.views.whatif.presets import DESIGNED, PRESETS, Designer, preset
from losslaw.views.whatif.state import Room, State

# Letters of what a tab may send, and of a message that it gets.
MOST_SENT, MOST_SAID = 20_000, 300
# Bytes of a message of Bokeh's.
MOST_RECEIVED = 1_000_000


class Page:
    """What all tabs share.

    Args:
        subject: The fit, and how it is asked.
        start: What a tab without an address shows.
        patience: Seconds without an answer after which a tab says that the server is gone.
    """

    def __init__(self, subject: Subject, start: State, patience: float = PATIENCE):
        self.subject = subject
        self.patience = patience
        self.start = start
        self.room = Room.of(subject.fit)
        self.designer = Designer(subject.fit, subject.model_size)

    def read(self, text: str) -> State:
        """The state of an address; see `State.read`."""
        return State.read(text, self.room, self.start)

    def document(self, doc: Any) -> None:
        """Fill the document of a new tab."""
        Tab(self, doc).begin()

    def saved(self, text: str, target: str) -> tuple[str, bytes]:
        """The name and the bytes of a file that a trainer can run.

        Raises:
            InputError: no such target, or no such schedule.
        """
        if target not in TARGETS:
            raise InputError(f"to {shown(target)!r}, expected one of: {', '.join(TARGETS)}")
        state = self.read(text)
        fit = self.subject.fit
        schedule = fit.completed(state.made(fit.usual_weight_decay))
        made = prepare(schedule, target, source="losslaw whatif")
        return f"schedule{TARGETS[target].suffix}", made.data


class Tab:
    """One tab of a browser.

    Args:
        page: What it shares with the others.
        doc: Its document.
    """

    def __init__(self, page: Page, doc: Any):
        self.page, self.doc = page, doc
        self.pictures = pictures(page.subject.fit.unit)
        line = line_model()
        self.asked, self.answer = line(name="asked"), line(name="answer")

    def begin(self) -> None:
        """Show what the address of the tab says, or say why that is not possible."""
        from bokeh.models import CustomJS

        request = self.doc.session_context.request
        pairs: dict[str, list[bytes]] = {} if request is None else request.arguments
        text = "&".join(
            f"{quote(name)}={quote(value)}" for name, values in pairs.items() for value in values
        )
        said, state = "", self.page.start
        try:
            state = self.page.read(text)
            numbers = self._show(state)
        except InputError as error:
            said = f"The address was refused ({error}); shown is what the page begins with."
            state = self.page.start
            numbers = self._show(state)
        self.asked.on_change("text", self._heard)
        self.doc.title = f"What if? {self.page.subject.words['name']}"
        self.doc.template = template()
        page = self.page
        filled = variables(page.subject, page.room, live=True, patience=page.patience)
        self.doc.template_variables.update(filled)
        self.doc.config.notify_connection_status = False  # the page says it itself
        for each in (self.pictures.losses, self.pictures.rates):
            self.doc.add_root(each)
        # Models that are not drawn belong to a document through one that is; the script never runs.
        lines = {"asked": self.asked, "answer": self.answer}
        self.pictures.losses.js_on_change("name", CustomJS(args=lines, code=""))
        self._say(0, "state", said=said and shown(said, MOST_SAID), **numbers)

    def _heard(self, attr: str, old: str, new: str) -> None:
        """Answer what the tab asks: ``{"id", "kind", "state", ...}``."""
        number, kind = 0, ""
        try:
            asked = _object(new)
            number, kind = int(asked.get("id", 0)), str(asked.get("kind", ""))
            what = self._kinds.get(kind)
            if what is None:
                raise InputError(f"nothing called {shown(kind)!r} can be asked")
            what(number, asked, self.page.read(str(asked.get("state", ""))))
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            self._say(number, kind, error=shown(str(error), MOST_SAID))

    @property
    def _kinds(self) -> dict[str, Callable[[int, dict[str, Any], State], None]]:
        return {"state": self._state, "preset": self._preset, "compare": self._compare}

    def _state(self, number: int, asked: dict[str, Any], state: State) -> None:
        self._say(number, "state", **self._show(state))

    def _preset(self, number: int, asked: dict[str, Any], state: State) -> None:
        name = str(asked.get("name", ""))
        if name in PRESETS:
            self._say(number, "state", **self._show(preset(name, state)))
        elif name == DESIGNED:
            self._designed(number, state)
        else:
            raise InputError(f"no preset {shown(name)!r}")

    def _designed(self, number: int, state: State) -> None:
        found = self.page.designer.known(state)
        if found is not None:
            self._say(number, "state", **self._show(found))
            return
        self._say(number, "designing", words="designing")

        def tell(words: str) -> None:
            self._later(partial(self._say, number, "designing", words=words))

        def done(found: State | str) -> None:
            self._later(partial(self._found, number, found))

        self.page.designer.begin(state, tell, done)

    def _found(self, number: int, found: State | str) -> None:
        if isinstance(found, str):
            self._say(number, "designed", error=found)
        else:
            self._say(number, "designed", state=found.address)

    def _later(self, what: Callable[[], None]) -> None:
        """Do something in the thread of the document, if its tab is still there."""
        if self.doc.session_context is not None and not self.doc.session_context.destroyed:
            self.doc.add_next_tick_callback(what)

    def _compare(self, number: int, asked: dict[str, Any], state: State) -> None:
        subject = self.page.subject
        rows = subject.compared(state, self.page.designer.known(state))
        self._say(number, "compared", rows=rows, columns=subject.beside(state))

    def _show(self, state: State) -> dict[str, object]:
        return self.page.subject.told(state, self.page.subject.along(state))

    def _say(self, number: int, kind: str, **more: Any) -> None:
        self.answer.text = json.dumps(plain({"id": number, "kind": kind, **more}))


@cache
def line_model() -> Any:
    """A model of Bokeh that holds one text; models are known by their name, so it is made once."""
    from bokeh.core.properties import String
    from bokeh.model import DataModel

    return type("WhatIfLine", (DataModel,), {"text": String("")})


def _object(text: str) -> dict[str, Any]:
    if len(text) > MOST_SENT:
        raise InputError("too long a question")
    value = json.loads(text)
    if not isinstance(value, dict):
        raise InputError("a question is an object")
    return value  # pyright: ignore[reportUnknownVariableType]


class Running:
    """A server that listens; `serve` has it run.

    Args:
        page: What it shows.
        port: Where; 0: any free one.

    Raises:
        InputError: the port is taken, or is none.
    """

    def __init__(self, page: Page, port: int = 0):
        from bokeh.application import Application
        from bokeh.application.handlers.function import FunctionHandler
        from bokeh.server.server import BaseServer
        from tornado.httpserver import HTTPServer
        from tornado.ioloop import IOLoop

        from losslaw.views.whatif.guard import Guarded
        from losslaw.views.whatif.saving import Saving

        if not 0 <= port < 65536:
            raise InputError(f"port is {port}, expected 0 .. 65535")
        try:
            listening = socket.create_server(("127.0.0.1", port), backlog=128)
        except OSError as error:
            why = error.strerror or error
            raise InputError(f"port {port}: {why}; --port 0 takes any free one") from None
        listening.setblocking(False)
        self.port: int = listening.getsockname()[1]
        self.token = secrets.token_urlsafe(24)
        room = Guarded(
            {"/": Application(FunctionHandler(page.document))},
            token=self.token,
            port=self.port,
            extra_patterns=[("/save", Saving, {"saved": page.saved})],
            stats_log_frequency_milliseconds=10**9,
            websocket_max_message_size_bytes=MOST_RECEIVED,
        )
        http = HTTPServer(room, max_body_size=10**6, max_header_size=32_768)
        http.add_socket(listening)
        self._loop = IOLoop.current()
        self._server = BaseServer(self._loop, room, http)

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.port}/{self.token}/"

    def run(self) -> None:
        """Serve until `stop`."""
        self._server.start()
        try:
            self._loop.start()
        finally:
            self._server.stop(wait=False)

    @contextmanager
    def interrupted(self) -> Generator[None]:
        """Have Ctrl-C end `run`; in the main thread."""

        def end(*_: object) -> None:
            self._loop.add_callback_from_signal(self._loop.stop)

        before = signal.signal(signal.SIGINT, end)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def stop(self) -> None:
        """End `run`, from any thread."""
        self._loop.add_callback(self._loop.stop)


def serve(subject: Subject, start: State, port: int, ready: Callable[[str], None]) -> None:
    """Show a fit until Ctrl-C.

    Args:
        subject: The fit, and how it is asked.
        start: What the page begins with.
        port: Where on this computer; 0: any free one.
        ready: Called with the address.

    Raises:
        InputError: Bokeh is missing, or the port is taken.
    """
    check_installed()
    running = Running(Page(subject, start), port)
    with running.interrupted():
        ready(running.address)
        running.run()
