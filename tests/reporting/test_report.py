"""A report says what the answers say, whatever runs are called, and never half of it."""

import importlib
import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from helpers import answers
from helpers.browser import easy_to_use, opened

import losslaw as ll
from losslaw.cli.main import run
from losslaw.files.pictures import svg
from losslaw.reporting.page import Whole, cut
from losslaw.views import plot_loss_curve

BUNDLED = Path(ll.__file__).parent / "curves" / "bundled"
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></title><b>",
    "a'b\"c&amp;<!--",
    "two\nlines\r\tand \x00 NUL",
    "שלום \u202e evil \u2066",
    "{{ 7 * 7 }}{% raw %}",
    "x" * 5000,
    "$\\frac{a}{b}$ --> ]]>",
)


class Tags(HTMLParser):
    """What a page is made of."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.words, self.images = Counter(), set(), [], []
        self.open = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        self.attributes |= {name for name, _ in attrs}
        if tag == "img":
            self.images.append(dict(attrs))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def named(labels):
    runs = answers.curves()
    return [runs[i % 3].with_(label=label) for i, label in enumerate(labels)]


@pytest.fixture(scope="module")
def plain():
    return ll.report(answers.curves(), law="effective", again=["losslaw report 'a b'.csv"])


def test_doubts_come_first_and_no_section_is_empty(plain):
    assert [each.name for each in plain.sections] == [
        "doubts", "read", "fit", "held-out", "curves", "split", "decay", "design", "open", "again"
    ]  # fmt: skip
    assert all(each.parts for each in plain.sections)
    page = Tags(plain.html)
    assert not page.open
    assert page.tags["h1"] == 1
    assert page.tags["h2"] == len(plain.sections)
    assert "losslaw report 'a b'.csv" in page.words


def test_the_page_needs_nothing_and_runs_nothing(plain):
    page = Tags(plain.html)
    assert not page.tags.keys() & {"script", "link", "iframe", "object", "form"}
    assert not [name for name in page.attributes if name.startswith("on")]
    assert all(each["src"].startswith("data:image/") for each in page.images)
    assert "default-src 'none'" in plain.html
    assert not re.search(r"url\(|@import|https?://", re.sub(r"data:image[^\"]*", "", plain.html))
    assert len(plain.html.encode()) < 500_000


def test_every_picture_has_words_and_every_table_its_headers(plain):
    page = Tags(plain.html)
    assert len(page.images) >= 6
    assert all(len(each["alt"]) > 40 for each in page.images)
    assert page.tags["table"] == page.tags["caption"] == page.tags["thead"]
    assert plain.html.count("<th ") == len(re.findall(r'<th scope="(?:col|row)"', plain.html))


def test_the_numbers_are_those_of_the_answers(plain):
    fit = ll.fit(answers.curves(), "effective")
    words = " ".join(Tags(plain.html).words)
    for curve in fit.curves:
        assert f"{fit.predict(curve.schedule).final:.4f}" in words
        assert f"{curve.rmse:.4f}" in words
    told = ll.annealed(answers.curves(), fit=fit).runs[0]
    assert f"{told.loss:.4f}" in words
    best = ll.design(fit, 4000)
    assert f"{best.loss:.4f}" in words
    assert f"{best.baselines['wsd'].interval.upper:+.4f}" in words


def test_it_is_the_same_each_time(plain):
    assert ll.report(
        answers.curves(), law="effective", again=["losslaw report 'a b'.csv"]
    ).html == (plain.html)


def test_whatever_runs_are_called_the_page_is_made_of_the_same_parts(plain):
    runs = named(HOSTILE[:3])
    usual = named(["a", "b", "c"])
    page, harmless = (
        Tags(ll.report(each, law="effective", title="t").html) for each in (runs, usual)
    )
    assert page.tags == harmless.tags
    assert page.attributes == harmless.attributes
    assert not page.open
    words = "".join(page.words)
    assert all(label in words for label in HOSTILE[:3])


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_text_wherever_it_stands(text, plain):
    from dataclasses import replace

    from losslaw.reporting.page import Commands, Listed, Picture, Section, Words, table

    picture = Picture(address=Whole("data:,"), alt=text, caption=text, width=1, height=1)
    parts = (
        Words(text=text),
        Listed(words=text, sentences=(text,)),
        table(text, (text, text), [(text, text)]),
        picture,
        Commands(lines=(Whole(text),)),
    )
    section = Section(name="read", title=text, parts=parts)
    made = replace(plain, title=text, sections=(section,))
    harmless = replace(made, title="a", sections=(replace(section, title="a"),)).html
    page = Tags(made.html)
    assert not page.open
    assert page.tags == Tags(harmless).tags
    assert not page.tags.keys() & {"script", "b"}
    assert page.tags["img"] == 1
    assert "49" not in page.words
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202a-\u202e\u2066-\u2069]", made.html)
    assert len(made.html) < 100_000


@pytest.mark.parametrize("label", HOSTILE)
def test_no_text_is_in_a_picture(label):
    curve = answers.curves()[0].with_(label=label)
    text = svg(plot_loss_curve(curve).figure).decode()
    assert "<text" not in text
    assert "<!--" not in text
    assert "script" not in text
    assert "onerror" not in text


def test_a_name_is_cut_in_its_middle():
    assert cut("a" * 100 + "b" * 100) == "a" * 60 + "…" + "b" * 59


def test_long_names_are_cut_in_sentences_and_what_the_fit_lacks_is_said_of_no_run():
    from dataclasses import replace

    from losslaw.fitting.status import Note
    from losslaw.reporting.answers import Answers
    from losslaw.reporting.sections import doubts

    fit, told = answers.fit(), answers.MAKERS["Forecast"]()
    lacks, far = "no fitted run decays, so nothing is known", "the schedule goes far"
    long = "a" * 300
    curve = answers.curves()[0].with_(label=long, warnings=("taken as logged",))
    warned = (lacks, far, "taken as logged")
    made = Answers(
        fit=fit, curves=(curve,), read=False, held_out=None, annealed=None,
        forecasts=tuple((label, replace(told, warnings=warned)) for label in (long, "b")),
        design="none", level=0.9, model_size=None,
    )  # fmt: skip
    found = doubts(made)
    assert [each for each in found if lacks in each] == [lacks]
    assert [each for each in found if far in each] == [f"{cut(long, 60)}: {far}", f"b: {far}"]
    assert [each for each in found if "as logged" in each] == ["taken as logged"]
    guess = Note(text="a weight decay of 0.1 is assumed: say what it was")
    guessed = replace(made, fit=replace(fit, notes=(guess, Note(text="points left out"))))
    assert str(guess) in doubts(guessed)
    assert "points left out" not in doubts(guessed)


def test_the_page_can_be_used_by_everybody(plain, tmp_path):
    plain.save(tmp_path / "report.html")
    with opened(tmp_path / "profile") as browser:
        page = browser.new_page()
        page.goto((tmp_path / "report.html").as_uri())
        for width in (400, 1280):
            easy_to_use(page, width)


def test_runs_beside_a_fit_are_held_out_and_foretold():
    fit = answers.fit()
    other = next(each for each in ll.bundled_curves() if each.label == "step_peak3e-3_T4000")
    made = ll.report(fit, [*answers.curves(), other], horizon=6000)
    words = " ".join(Tags(made.html).words)
    score = ll.score(fit, other, unseen=True).curves[0]
    assert f"{score.rmse:.4f}" in words
    assert "For 6,000 updates" in words


def test_a_fit_alone_says_what_its_logs_would_add():
    made = ll.report(answers.fit())
    words = " ".join(Tags(made.html).words)
    assert "give them beside the fit" in words
    assert "A saved fit was read, and no logs" in words


@pytest.fixture(scope="module")
def of_sizes():
    return ll.fit(answers.ladder(), "effective")


def test_every_run_is_told_of_the_model_size_it_has(of_sizes, tmp_path, capsys):
    fit, runs = of_sizes, answers.ladder()
    for made in (ll.report(fit, runs[:2]), ll.report(runs, law="effective")):
        (split,) = [each for each in made.sections if each.name == "split"]
        rows = {row[0]: row for row in split.parts[-1].rows}
        for each in runs[: len(rows)]:
            predicted = fit.predict(each.schedule, model_size=each.model_size).final
            assert float(rows[each.label][-1]) == pytest.approx(predicted, abs=2e-4)
        words = " ".join(Tags(made.html).words)
        assert "For 2,000 updates of the model of 400M at a peak" in words
        assert "Parameters of the effective-rate law of the model of 400M" in words
    asked = ll.report(fit, model_size=1e8)
    assert "For 2,000 updates of the model of 100M" in " ".join(Tags(asked.html).words)
    fit.save(tmp_path / "sizes.json")
    command = ["report", str(tmp_path / "sizes.json"), "--horizon", "3000"]
    for more, size in (([], "400000000"), (["--model-size", "1e8"], "100000000")):
        assert run([*command, *more, "-o", str(tmp_path / "r.html")]) == 0
        words = " ".join(Tags((tmp_path / "r.html").read_text()).words)
        assert f"--horizon 3000 --model-size {size} -o schedule.csv" in words


def test_a_run_whose_model_size_is_not_known_is_refused(of_sizes):
    with pytest.raises(ll.InputError, match="say which to predict"):
        ll.report(of_sizes, answers.ladder()[0].with_(model_size=None))


def test_a_part_without_an_answer_is_a_sentence():
    early = [curve.until(600) for curve in answers.curves()]
    made = ll.report(early, law="effective", horizon=50)
    assert made.doubts[0].startswith("one law answers alone")
    assert "No schedule is designed" in " ".join(Tags(made.html).words)


def test_what_cannot_be_reported():
    with pytest.raises(ll.InputError, match="beside a fit"):
        ll.report(answers.curves(), answers.curves())
    with pytest.raises(ll.InputError, match="level"):
        ll.report(answers.fit(), level=2)
    with pytest.raises(ll.InputError, match=r"ends in \.html"):
        ll.report(answers.fit()).save("report.pdf")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in answers.FITTED:
        Path(f"{name}.csv").write_bytes((BUNDLED / f"{name}.csv").read_bytes())
    return tmp_path


def test_the_command_writes_one_file_and_says_how_to_do_it_again(here, capsys):
    logs = [f"{name}.csv" for name in answers.FITTED]
    options = ["--warmup", "100", "--law", "effective", "-o", "r.html", "--json"]
    assert run(["report", *logs, *options]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["report"] == "r.html"
    assert answer["sections"][0]["name"] == "doubts"
    assert {*Path().iterdir()} == {Path("r.html"), *map(Path, logs)}
    words = Tags(Path("r.html").read_text()).words
    (again,) = [each for each in words if each.startswith("losslaw report")]
    before = Path("r.html").read_bytes()
    assert run(again.split()[1:]) == 0
    assert Path("r.html").read_bytes() == before
    assert "saved to r.html" in capsys.readouterr().out


def test_ctrl_c_leaves_nothing_behind(here, monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    module = importlib.import_module("losslaw.reporting.report")
    monkeypatch.setattr(module, "design", interrupted)
    Path("r.html").write_text("before")
    logs = [f"{name}.csv" for name in answers.FITTED]
    assert run(["report", *logs, "--law", "effective", "-o", "r.html"]) == 130
    assert Path("r.html").read_text() == "before"
    assert not [*Path().glob(".losslaw*")]


def test_what_is_wrong_is_one_line(here, capsys):
    log = f"{answers.FITTED[0]}.csv"
    for arguments, words in (
        ([log, "-o", "r.pdf"], "ends in .html"),
        ([log, "wsd:peak=1e-3,horizon=10"], "is a schedule, expected logs"),
        (["none.csv"], "none.csv"),
        ([log, "--horizon", "0"], "horizon is 0"),
        ([log, "--horizon", "-5"], "horizon is -5"),
        ([log, "--horizon", "1000000000000"], "horizon is 1e+12"),
    ):
        assert run(["report", *arguments]) == 2
        said = capsys.readouterr()
        assert said.err.count("\n") == 1
        assert words in said.err
    assert not Path("losslaw-report.html").exists()


def words_of(made, name):
    (section,) = [each for each in made.sections if each.name == name]
    return " ".join(str(part) for part in section.parts)


def test_a_run_under_way_comes_first_with_its_end_and_is_designed_for_whole():
    runs = answers.curves()
    begun, longer = (
        runs[i].until(last).with_(schedule=runs[i].schedule.prefix(last), **more)
        for i, last, more in (
            (1, 2500, {"label": "begun"}),
            (0, 3000, {"label": "held", "planned": 5000}),
        )
    )
    made = ll.report(answers.fit(), [*runs, begun, longer])
    decays = words_of(made, "decay")
    assert "held on its plan of 5,000 updates" in decays
    places = [decays.index(f"{name} at update") for name in ("held", "begun", runs[0].label)]
    assert places == sorted(places)
    assert "For 5,000 updates" in words_of(made, "design")
    asked = words_of(ll.report(answers.fit(), [begun], horizon=4000), "decay")
    told = ll.forecast(begun, 4000, fit=answers.fit())
    assert f"begun on its plan of 4,000 updates ({told.plan.sentence}): {told.final:.4f}" in asked


def test_what_the_fit_assumes_is_said_once_and_of_no_other_run():
    runs = [
        each.with_(schedule=each.schedule.with_(weight_decay=None)) for each in answers.curves()
    ]
    made = ll.report(runs, law="oneclock")
    assert len([each for each in made.doubts if "weight decay 0.1 is assumed for" in each]) == 1
    assert "is assumed" not in words_of(made, "design")


def test_a_design_of_which_nothing_is_known_is_a_sentence(monkeypatch):
    from dataclasses import replace

    module = importlib.import_module("losslaw.reporting.report")
    fit = ll.fit(answers.curves())
    plain = ll.design(fit, 4000, family="wsd")
    refused = replace(plain, trust=replace(plain.trust, refused=True))
    monkeypatch.setattr(module, "design", lambda *_, **__: refused)
    words = words_of(ll.report(fit), "design")
    assert "No schedule is designed" in words
    assert "too wide to choose by" in words
    assert "gain" not in words
