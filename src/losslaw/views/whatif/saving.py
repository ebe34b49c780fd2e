"""Files that the page gives: its schedule as a table, and for a trainer."""

from collections.abc import Callable

from tornado.web import RequestHandler

from losslaw.errors import InputError

Saved = Callable[[str, str], tuple[str, bytes]]


class Saving(RequestHandler):
    """``/save?to=torch&shape=...``: the file, to be kept and not shown."""

    def initialize(self, saved: Saved) -> None:
        """Keep what makes the name and the bytes of a file, of a state and a target."""
        self._saved = saved

    def get(self) -> None:
        """The file; or why there is none, in one line."""
        target, _, state = self.request.query.partition("&")
        try:
            name, data = self._saved(state, target.removeprefix("to="))
        except InputError as error:
            self.set_status(400)
            self.set_header("Content-Type", "text/plain; charset=utf-8")
            self.finish(f"losslaw: {error}\n")
            return
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("Content-Disposition", f'attachment; filename="{name}"')
        self.finish(data)
