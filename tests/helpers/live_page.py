"""A live page that a thread of this process serves, and fits to show on it."""

import threading
from contextlib import contextmanager
from functools import cache

import losslaw as ll
from helpers import answers
from losslaw.views.whatif.page import Subject
from losslaw.views.whatif.state import State

HOSTILE = (
    "<script>document.title='taken'</script>",
    "\"'><img src=x onerror=\"document.title='taken'\">",
    "</script><b>{{ 7 * 7 }}${7 * 7}",
    "\u202egnp.exe",
    "nul\0tab\tline\nend",
    "long" * 2000,
)


@cache
def mixture():
    """A fit in which several laws answer."""
    return ll.fit(answers.curves(), "auto")


def subject(name="fit.json", fit=None):
    return Subject(fit=fit or answers.fit(), name=name)


@contextmanager
def served(about=None, **options):
    """A server that runs until the block ends: `Running`."""
    import asyncio

    from losslaw.views.whatif.server import Page, Running

    about = about or subject()
    ready, made = threading.Event(), []

    def work():
        asyncio.set_event_loop(asyncio.new_event_loop())
        running = Running(Page(about, State.usual(about.fit), **options))
        made.append(running)
        ready.set()
        running.run()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert ready.wait(30)
    try:
        yield made[0]
    finally:
        made[0].stop()
        thread.join(10)
        assert not thread.is_alive()
