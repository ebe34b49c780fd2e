"""The page in a real browser: moved, dragged, saved, shared, left alone by its server."""

import re
import socket
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest
from helpers import answers
from helpers.browser import easy_to_use, opened
from helpers.live_page import HOSTILE, mixture, served, subject

import losslaw as ll
from losslaw.views.whatif.presets import Designer
from losslaw.views.whatif.state import State
from losslaw.views.whatif.static_page import static_page

pytest.importorskip("bokeh", reason="the live page needs bokeh (extra: page)")
# Milliseconds of a move at 72,000 updates, in the middle; on processors that do other things too.
MOVE = 50
SLOW_MACHINE = 20


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("profile")) as context:
        yield context


@pytest.fixture(scope="module")
def live():
    with served(subject(fit=mixture())) as running:
        yield running


@contextmanager
def tab(browser, address, *, quiet=True):
    """A tab that is ready; it may not have had an error."""
    page = browser.new_page()
    page.set_default_timeout(30_000)
    said = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("requestfailed", lambda request: said.append(f"{request.url} failed"))
    page.goto(address)
    page.wait_for_selector("body[data-ready=yes]")
    until(page, "document.getElementById('loss').textContent.length > 3")
    yield page
    page.close()
    assert not quiet or said == []


def until(page, script, seconds=30):
    """Wait; the policy of the page lets no text be run as a script inside it."""
    end = time.monotonic() + seconds
    while not page.evaluate(script):
        assert time.monotonic() < end, script
        page.wait_for_timeout(10)


def rested(page):
    """Wait until the comparisons are those of the schedule that is shown."""
    until(page, "document.querySelectorAll('#rows tr').length > 2"
                " && !document.querySelector('#rows tr.old')")  # fmt: skip


def moved(page, act):
    """Do something, and wait until it is on the screen."""
    count = page.evaluate("(window.losslawMoves || []).length")
    act()
    until(page, f"(window.losslawMoves || []).length > {count}")


def at_point(page, i):
    """Where the i-th point of the schedule is on the screen."""
    return page.evaluate(
        """(i) => {
          const view = [...Bokeh.index.roots].find((each) => each.model.name === "rates_figure");
          const {x, y} = Bokeh.documents[0].get_model_by_name("points").data;
          const box = view.canvas.el.getBoundingClientRect();
          const {x_scale, y_scale} = view.frame;
          return [box.x + x_scale.compute(x[i]), box.y + y_scale.compute(y[i])];
        }""",
        i,
    )


def loss(page):
    return float(page.inner_text("#loss"))


def test_the_page_shows_what_the_fit_says(browser, live):
    with tab(browser, live.address) as page:
        rested(page)
        said = mixture().predict("wsd:peak=3e-3,horizon=4000,warmup=100,batch=16")
        assert abs(loss(page) - said.final) < 1e-4
        assert page.inner_text("#trust") == said.trust.sentence
        rows = page.inner_text("#rows").splitlines()
        assert [row.split("\t")[0] for row in rows] == ["this one", "cosine", "WSD linear"]
        cosine = mixture().predict("cosine:peak=3e-3,horizon=4000,warmup=100,batch=16").final
        assert abs(float(rows[1].split("\t")[1]) - cosine) < 2e-4


def test_what_is_not_confirmed_does_not_look_confirmed(browser, live):
    edge = "getComputedStyle(document.getElementById('doubts')).borderLeftColor"
    missing = replace(mixture().mixture, missed="misses its curves")
    about = subject(fit=replace(mixture(), mixture=missing))
    with served(about) as running, tab(browser, running.address) as page:
        assert page.inner_text("#trust").startswith("not confirmed")
        missed = page.evaluate(edge)
    with tab(browser, live.address) as page:
        assert page.inner_text("#trust").startswith("confirmed")
        assert page.evaluate(edge) != missed


def test_a_slider_moves_loss_band_and_address(browser, live):
    with tab(browser, live.address) as page:
        before, band = loss(page), page.inner_text("#band")
        slider = page.locator("#cooldown-slide")
        moved(page, lambda: slider.fill("500"))
        assert loss(page) != before
        assert page.inner_text("#band") != band
        assert "cooldown=0.5" in page.url
        moved(page, lambda: page.select_option("#shape", "constant"))
        assert page.locator("#cooldown").is_disabled()
        assert loss(page) > before


def test_a_number_that_cannot_be_is_said_and_changes_nothing(browser, live):
    with tab(browser, live.address) as page:
        before, address = loss(page), page.url
        page.fill("#peak", "1e300")
        page.press("#peak", "Enter")
        until(page, "!document.getElementById('peak-said').hidden")
        assert "peak is 1e+300, expected" in page.inner_text("#peak-said")
        assert (loss(page), page.url) == (before, address)


def test_a_refused_box_keeps_nothing_else_back(browser, live):
    def written(name, text):
        page.fill(f"#{name}", text)
        page.press(f"#{name}", "Enter")

    with tab(browser, live.address) as page:
        moved(page, lambda: written("horizon", "72k"))
        written("cooldown", "1.5")
        until(page, "!document.getElementById('cooldown-said').hidden")
        moved(page, lambda: written("horizon", "4000"))
        moved(page, lambda: page.locator("#peak-slide").fill("450"))
        assert "horizon=4000" in page.url
        assert "horizon=4000" in page.inner_text("#spec")
        # Each has its own message, and the value that was refused stays to be mended.
        written("floor", "x")
        until(page, "!document.getElementById('floor-said').hidden")
        assert page.inner_text("#cooldown-said") == "cooldown is 1.5, expected 0 .. 1"
        assert page.inner_text("#floor-said") == "floor is 'x', expected a number"
        assert (page.input_value("#cooldown"), page.input_value("#floor")) == ("1.5", "x")
        moved(page, lambda: written("floor", "10%"))
        assert page.locator("#floor-said").is_hidden()
        page.click("#csv")
        assert "Nothing is saved while a box is refused: cooldown." in page.inner_text("#unsaved")
        moved(page, lambda: page.click("button:text-is('WSD linear')"))
        assert page.input_value("#cooldown") == "0.2"
        assert page.locator("#cooldown-said").is_hidden()
        assert page.locator("#unsaved").is_hidden()
        # What was just written is saved, not what was there before.
        page.fill("#horizon", "600")
        with page.expect_download() as kept:
            page.click("#csv")
        assert ll.read_schedule(kept.value.path()).horizon == 600


def test_a_warm_up_that_a_longer_run_allows_is_taken_with_it(browser, live):
    with tab(browser, live.address) as page:
        page.fill("#warmup", "5000")
        page.press("#warmup", "Enter")
        until(page, "!document.getElementById('warmup-said').hidden")
        page.fill("#horizon", "12k")
        page.press("#horizon", "Enter")
        until(page, "document.getElementById('warmup-said').hidden")
        until(page, "location.search.includes('warmup=5000')")


def test_a_point_is_dragged_added_and_removed(browser, live):
    with tab(browser, live.address) as page:
        rested(page)
        before = loss(page)
        x, y = at_point(page, 2)
        page.mouse.move(x, y)
        page.mouse.down()
        moved(page, lambda: page.mouse.move(x - 120, y + 30, steps=4))
        page.mouse.up()
        rested(page)
        assert page.input_value("#shape") == "points"
        assert loss(page) != before
        assert "shape=points" in page.url
        count = page.evaluate("Bokeh.documents[0].get_model_by_name('points').data.x.length")
        moved(page, lambda: page.mouse.click(x - 300, y + 70))
        points = f"Bokeh.documents[0].get_model_by_name('points').data.x.length === {count}"
        until(page, points.replace(str(count), str(count + 1)))
        rested(page)
        # The point that was just added is the one that is removed, whatever its place in the order.
        before = page.input_value("#points")
        moved(page, lambda: page.keyboard.press("Backspace"))
        until(page, points)
        assert page.input_value("#points") != before
        moved(page, lambda: page.mouse.click(x - 300, y + 70))
        rested(page)
        assert page.input_value("#points") == before


def test_points_are_written_too(browser, live):
    with tab(browser, live.address) as page:
        page.fill("#points", "100=0.002, 3k=2e-3, 4000=0")
        moved(page, lambda: page.press("#points", "Tab"))
        said = mixture().predict("knots:100=2e-3,3000=2e-3,4000=0,batch=16")
        assert abs(loss(page) - said.final) < 1e-4


def test_the_designed_schedule_comes_after_a_while_and_stands_beside(browser, live):
    with tab(browser, live.address) as page:
        before = loss(page)
        page.click("button:text-is('designed')")
        until(page, "document.getElementById('shape').value === 'points'", 120)
        rested(page)
        assert loss(page) < before
        moved(page, lambda: page.click("button:text-is('cosine')"))
        until(page, "document.querySelectorAll('#rows tr').length > 3")
        assert page.inner_text("#rows").splitlines()[3].startswith("designed\t")
        assert page.get_attribute("button:text-is('cosine')", "aria-pressed") == "true"


def test_a_schedule_is_saved_as_it_is_shown(browser, live, tmp_path):
    with tab(browser, f"{live.address}?shape=cosine&horizon=600&warmup=30&floor=0.1") as page:
        with page.expect_download() as kept:
            page.click("#csv")
        kept.value.save_as(tmp_path / "schedule.csv")
        saved = ll.read_schedule(tmp_path / "schedule.csv")
        same = ll.cosine(peak=3e-3, horizon=600, warmup=30, final=3e-4)
        assert saved.lr.tolist() == same.lr.tolist()
        page.select_option("#target", "hf")
        with page.expect_download() as kept:
            page.click("#export")
        assert kept.value.suggested_filename == "schedule.py"


def test_an_address_opened_again_shows_the_same(browser, live):
    with tab(browser, live.address) as page:
        moved(page, lambda: page.locator("#floor-slide").fill("300"))
        moved(page, lambda: page.locator("#peak-slide").fill("450"))
        shown, address = loss(page), page.url
        page.reload()
        page.wait_for_selector("body[data-ready=yes]")
        until(page, "document.getElementById('loss').textContent.length > 3")
        assert (loss(page), page.url) == (shown, address)
        with tab(browser, address) as other:
            assert loss(other) == shown
            # Two tabs know nothing of each other.
            moved(other, lambda: other.select_option("#shape", "constant"))
            assert loss(other) != shown
            moved(page, lambda: page.locator("#floor-slide").fill("300"))
            assert loss(page) == shown


def test_a_hostile_address_is_refused_politely(browser, live):
    for query in ("peak=1e300", "shape=<script>document.title='taken'</script>", "points=1:2",
                  "horizon=1e12", "x=" + "y" * 3000, "peak=%00", "%ff=%ff"):  # fmt: skip
        with tab(browser, f"{live.address}?{query}") as page:
            until(page, "!document.getElementById('said').hidden")
            assert page.inner_text("#said").startswith("The address was refused (")
            assert loss(page) > 0
            assert page.title() == "What if? fit.json"


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_names_are_text(hostile, browser, tmp_path):
    fit = answers.fit()
    curves = tuple(replace(curve, label=hostile) for curve in fit.curves)
    about = subject(name=hostile, fit=replace(fit, curves=curves))
    (tmp_path / "page.html").write_text(static_page(about, State.usual(fit)))
    with served(about) as running:
        for address in (running.address, (tmp_path / "page.html").as_uri()):
            with tab(browser, address) as page:
                page.wait_for_timeout(100)
                assert page.title().startswith("What if?")
                assert page.locator("header img, header script, header b").count() == 0
                wide = page.evaluate("document.documentElement.scrollWidth")
                assert wide <= 1280


def test_a_dead_server_is_said(browser):
    with (
        served(patience=0.5) as running,
        tab(browser, running.address, quiet=False) as page,
    ):
        shown = loss(page)
        running.stop()
        until(page, "!document.getElementById('gone').hidden")
        assert page.inner_text("#gone").startswith("The server is gone, or does not answer")
        assert page.evaluate("document.getElementById('controls').inert")
        assert loss(page) == shown


def test_the_page_in_a_file_works_without_a_server(browser, tmp_path):
    (tmp_path / "page.html").write_text(static_page(subject(), State.usual(answers.fit())))
    with tab(browser, (tmp_path / "page.html").as_uri()) as page:
        shown = {}
        for name in page.locator(".preset").all_inner_texts():
            page.click(f"button:text-is('{name}')")
            shown[name] = loss(page)
        assert min(shown, key=shown.get) == "designed"
        assert max(shown, key=shown.get) == "constant"
        assert page.locator("#rows tr").count() == 4


def test_a_design_that_ends_above_a_usual_schedule_says_so(browser, tmp_path, monkeypatch):
    worse = State.usual(mixture(), "constant")
    monkeypatch.setattr(Designer, "find", lambda *_: worse)
    about = subject(fit=mixture())
    (tmp_path / "page.html").write_text(static_page(about, State.usual(mixture())))
    with tab(browser, (tmp_path / "page.html").as_uri()) as page:
        page.click("button:text-is('designed')")
        said = (
            r"The designed schedule ends 0\.\d{4} above .*, and they are told apart: it is the best"
        )
        assert re.match(said, page.inner_text("#above"))
        page.click("button:text-is('cosine')")
        assert page.locator("#above").is_hidden()


@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("kind", ["live", "file"])
def test_the_page_can_be_used_by_everybody(kind, width, browser, live, tmp_path):
    address = f"{live.address}?horizon=72000"
    if kind == "file":
        (tmp_path / "page.html").write_text(static_page(subject(), State.usual(answers.fit())))
        address = (tmp_path / "page.html").as_uri()
    with tab(browser, address) as page:
        rested(page)
        easy_to_use(page, width)


def test_a_move_at_72000_updates_is_on_the_screen_at_once(browser, live):
    """From the input to the frame that shows its answer, in the browser; see `MOVE`."""
    with tab(browser, f"{live.address}?horizon=72000") as page:
        rested(page)
        page.evaluate("window.losslawMoves = []")
        for i in range(20):
            moved(page, lambda i=i: page.locator("#peak-slide").fill(str(500 - 4 * i)))
        # No message waits until the one before it has arrived, 40 ms now and then.
        for client in live._server._tornado._clients:
            stream = client._socket.ws_connection.stream
            assert stream.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        took = sorted(page.evaluate("window.losslawMoves"))
        print(f"moves: median {took[10]:.0f} ms, slowest {took[-1]:.0f} ms")
        assert took[10] < MOVE * SLOW_MACHINE
        assert re.fullmatch(r"The last move took \d+ ms\.", page.inner_text("#took"))
