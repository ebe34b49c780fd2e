"""The page in one file: whole, without a network, and no name in it can break it."""

import json
import re

import pytest

pytest.importorskip("bokeh", reason="the live page needs bokeh (extra: page)")

from dataclasses import replace

from helpers import answers
from helpers.live_page import HOSTILE, subject

from losslaw.cli.main import run
from losslaw.views.whatif.page import in_script
from losslaw.views.whatif.state import State
from losslaw.views.whatif.static_page import static_page


def test_one_file_holds_all_presets(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    answers.fit().save("fit.json")
    assert run(["whatif", "fit.json", "--start", "?horizon=2000", "-o", "page.html"]) == 0
    assert capsys.readouterr().out == "\nsaved to page.html\n"
    text = (tmp_path / "page.html").read_text()
    assert len(text) < 2_000_000
    found = re.search(r'id="answers">(.*?)</script>', text)
    shown = json.loads(found[1])["answers"]
    assert [*shown] == ["asked for", "constant", "cosine", "WSD linear", "WSD 1-sqrt",
                        "linear to zero", "designed"]  # fmt: skip
    ends = {name: answer["numbers"]["loss"] for name, answer in shown.items()}
    assert ends["designed"] == min(ends.values())
    assert "horizon=2000" in shown["cosine"]["state"]


def test_it_asks_no_network():
    text = static_page(subject(), State.usual(answers.fit()))
    page = re.sub(r"<script>.*?</script>", "", text, flags=re.S)
    assert "src=" not in page
    assert "href=" not in page.replace('href="data:,"', "")
    assert "default-src 'none'" in text


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_names_are_text(hostile):
    fit = answers.fit()
    curves = tuple(replace(curve, label=hostile) for curve in fit.curves)
    about = subject(name=hostile, fit=replace(fit, curves=curves))
    text = static_page(about, State.usual(fit))
    plain, hostile_text = static_page(subject(), State.usual(fit)), text
    assert hostile_text.count("<script") == plain.count("<script")
    assert hostile_text.count("<img") == plain.count("<img")


def test_json_in_a_script_ends_no_script():
    hostile = "</script><!--<script>&\u2028"
    text = in_script(hostile)
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == hostile
