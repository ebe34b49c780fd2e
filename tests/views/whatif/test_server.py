"""The page is served to who knows its token, under a name of this computer, and to nobody else."""

import http.client
import json
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip("bokeh", reason="the live page needs bokeh (extra: page)")

from helpers import answers
from helpers.live_page import HOSTILE, served, subject

import losslaw as ll
from losslaw.cli.main import run
from losslaw.errors import InputError
from losslaw.exporting import TARGETS
from losslaw.views.whatif.server import Page, Running
from losslaw.views.whatif.state import State


@pytest.fixture(scope="module")
def live():
    with served(subject(name=HOSTILE[0])) as running:
        yield running


def asked(live, path="", headers=None, method="GET"):
    """Status, headers and text of one request; the path is below the token."""
    host = {"Host": f"127.0.0.1:{live.port}"}
    connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=60)
    whole = path if path.startswith("//") else f"/{live.token}/{path}"
    connection.putrequest(method, whole.replace("//", "/", 1), skip_host=True)
    for name, value in {**host, **(headers or {})}.items():
        for each in value if isinstance(value, list) else [value]:
            connection.putheader(name, each)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read().decode("utf-8", "replace")
    connection.close()
    return answer.status, dict(answer.getheaders()), body


UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}


def test_whoever_knows_the_token_gets_the_page(live):
    status, headers, body = asked(live)
    assert status == 200
    assert "What if?" in body
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "DENY"
    assert "http://" not in body.replace("http://www.w3.org", "")
    assert "https://" not in body


@pytest.mark.parametrize(
    "path", ["//", "//ws", "//static/js/bokeh.min.js", "//wrong/", "//save?to=csv", "//favicon.ico",
             "//autoload.js", "//metadata", "//../etc/passwd"],
)  # fmt: skip
def test_without_the_token_nothing_is_there(path, live):
    status, headers, body = asked(live, path)
    assert status == 403
    assert "token" in body
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["", "ws", "static/js/bokeh.min.js", "save?to=csv"])
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1.evil.example:{port}",
             "0.0.0.0:{port}", "localhost:1", ""],
)  # fmt: skip
def test_another_host_is_refused_with_the_token_too(path, host, live):
    status, _, body = asked(live, path, {"Host": host.format(port=live.port), **UPGRADE})
    assert (status, body) == (403, "losslaw: this host is not served\n")


def test_two_hosts_are_refused(live):
    hosts = [f"127.0.0.1:{live.port}", "evil.example"]
    assert asked(live, "", {"Host": hosts})[0] in (400, 403)


@pytest.mark.parametrize("path", ["", "ws", "save?to=csv"])
@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1:{port}", "http://127.0.0.1:1",
               "http://127.0.0.1:{port}.evil.example", "file://"],
)  # fmt: skip
def test_another_origin_is_refused_with_the_token_too(path, origin, live):
    status, _, body = asked(live, path, {"Origin": origin.format(port=live.port), **UPGRADE})
    assert (status, body) == (403, "losslaw: this origin is not served\n")


def test_the_page_itself_may_open_a_websocket_and_localhost_is_this_computer(live):
    for name in ("127.0.0.1", "localhost"):
        here = f"{name}:{live.port}"
        assert asked(live, headers={"Host": here, "Origin": f"http://{here}"})[0] == 200
        # Without a session of Bokeh's it is refused there, but not at the door.
        status, _, body = asked(live, "ws", {"Host": here, "Origin": f"http://{here}", **UPGRADE})
        assert status != 403 or "losslaw" not in body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_posted(method, live):
    assert asked(live, "save?to=csv", method=method)[0] in (403, 405)


@pytest.mark.parametrize("target", TARGETS)
def test_a_schedule_is_saved_for_each_trainer(target, live):
    status, headers, body = asked(live, f"save?to={target}&shape=cosine&horizon=300&warmup=20")
    assert status == 200, body
    assert headers["Content-Disposition"].startswith('attachment; filename="schedule.')
    assert headers["Content-Type"] == "application/octet-stream"


def test_the_saved_table_is_the_schedule(live, tmp_path):
    query = "shape=wsd-1-sqrt&peak=0.002&horizon=500&warmup=25&cooldown=0.3&floor=0.05"
    body = asked(live, f"save?to=csv&{query}")[2]
    (tmp_path / "schedule.csv").write_text(body)
    page = Page(subject(), State.usual(answers.fit()))
    saved = ll.read_schedule(tmp_path / "schedule.csv")
    assert saved.lr.tolist() == page.read(query).schedule.lr.tolist()


@pytest.mark.parametrize(
    "query", ["to=evil", "to=csv&peak=1e300", "to=csv&shape=file:/etc/passwd", "", "to=../x",
              "to=csv&horizon=1e9", "to=torch&shape=%3Cscript%3E"],
)  # fmt: skip
def test_what_cannot_be_saved_is_one_line(query, live):
    status, headers, body = asked(live, f"save?{query}")
    assert status == 400
    assert body.startswith("losslaw: ")
    assert body.count("\n") == 1
    assert headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_names_of_files_and_runs_stand_in_the_page_as_text(hostile):
    from dataclasses import replace

    fit = answers.fit()
    curves = tuple(replace(curve, label=hostile) for curve in fit.curves)
    with served(subject(name=hostile, fit=replace(fit, curves=curves))) as live:
        _, _, body = asked(live)
    assert "<script>document" not in body
    assert "<img" not in body
    assert "</script><b>" not in body
    assert "49" not in body.partition("<body>")[2].partition("</header>")[0]
    assert "\u202e" not in body
    assert len(body) < 60_000


def test_the_saved_file_says_nothing_of_the_address(live):
    assert live.token not in asked(live, "save?to=torch&horizon=300&warmup=20")[2]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", "[" * 5000, "{" * 30_000, "1e999", '{"id": 1e999, "kind": "state"}',
     '{"kind": "evil"}', '{"kind": "preset", "name": "<b>"}',
     '{"kind": "state", "state": "peak=x"}',
     '{"id": "x"}', '{"kind": "state", "state": 7}', '{"kind": ["state"]}', "\0"],
)  # fmt: skip
def test_what_a_tab_may_not_ask_is_answered_in_one_line(text):
    from bokeh.document import Document

    from losslaw.views.whatif.server import Tab

    tab = Tab(Page(subject(), State.usual(answers.fit())), Document())
    tab._heard("text", "", text)
    answer = json.loads(tab.answer.text)
    assert answer["error"]
    assert "\n" not in answer["error"]
    assert len(answer["error"]) < 400


def test_a_tab_is_answered_with_what_it_asks():
    from bokeh.document import Document

    from losslaw.views.whatif.server import Tab

    tab = Tab(Page(subject(), State.usual(answers.fit())), Document())
    tab._heard("text", "", json.dumps({"id": 3, "kind": "preset", "name": "cosine"}))
    answer = json.loads(tab.answer.text)
    assert (answer["id"], answer["kind"]) == (3, "state")
    assert answer["state"].startswith("shape=cosine&")
    tab._heard("text", "", json.dumps({"id": 4, "kind": "compare", "state": answer["state"]}))
    compared = json.loads(tab.answer.text)
    assert compared["rows"][0]["gain"] == 0
    assert {*compared["columns"]} == {f"{name} {kind}" for name in ("cosine", "WSD linear")
                                      for kind in ("losses", "rates")}  # fmt: skip


def test_a_port_that_is_taken_is_one_line(live):
    page = Page(subject(), State.usual(answers.fit()))
    with pytest.raises(InputError, match="--port 0"):
        Running(page, live.port)
    with pytest.raises(InputError, match="expected 0"):
        Running(page, 70_000)


def test_ctrl_c_ends_the_command_with_one_line(tmp_path):
    answers.fit().save(tmp_path / "fit.json")
    command = [sys.executable, "-m", "losslaw", "whatif", str(tmp_path / "fit.json")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as at:
        address = at.stdout.readline()
        assert address.startswith("http://127.0.0.1:")
        assert at.stderr.readline() == "losslaw: only this computer can open it; Ctrl-C ends it\n"
        time.sleep(0.2)
        at.send_signal(signal.SIGINT)
        out, err = at.communicate(timeout=30)
    assert (at.returncode, out, err) == (0, "", "losslaw: the page has ended\n")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--start", "peak=x"], "peak is 'x', expected a number"),
        (["--start", "shape=points"], "points"),
        (["--level", "2"], "level is 2"),
        (["-o", "nowhere/page.html"], "does not exist"),
    ],
)
def test_bad_input_is_one_line(more, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    answers.fit().save("fit.json")
    assert run(["whatif", "fit.json", *more]) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.err.count("\n") == 1


def test_a_file_that_is_no_fit_is_refused(tmp_path, capsys):
    (tmp_path / "fit.json").write_text(json.dumps({"law": "effective"}))
    assert run(["whatif", str(tmp_path / "fit.json")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
