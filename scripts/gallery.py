"""Gallery and examples, made again: ``python scripts/gallery.py [NAME...]`` draws, writes pages.

Each picture is what a script in ``examples/gallery`` draws, in few colours, so that its file is
small. The page has the scripts and the pictures; the tests run what it shows. The programs in
``examples`` have a page with what they print and draw.
"""

import contextlib
import io
import runpy
import sys
import tempfile
from pathlib import Path

from PIL import Image

from losslaw.files import write_bytes, write_text
from losslaw.files.pictures import png

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS, IMAGES = ROOT / "examples" / "gallery", ROOT / "docs" / "images" / "gallery"
PAGE = ROOT / "docs" / "gallery.md"

# In the order of the page, with what each is called there.
TITLES = {
    "runs": "Runs",
    "schedules": "Schedules",
    "fit": "A fit",
    "residuals": "Its errors by phase",
    "terms": "What a loss is made of",
    "prediction": "A prediction and the truth",
    "forecast": "A forecast",
    "annealed": "Annealed losses along runs",
    "design": "A design",
    "gains": "What it gains",
    "profile": "What is known of a parameter",
    "advice": "Which run to make next",
    "errors": "Laws compared",
    "ways": "Ways to go on",
    "merge": "Averages of checkpoints",
    "fleet": "A fleet of runs",
    "ladder": "A ladder of sizes",
    "kernel": "The kernel world",
}
HEAD = """# Gallery

Every answer has a picture: `answer.plot()` draws it on new axes, `answer.plot(ax)` on yours, and
`losslaw.views` has the functions for what is more than one answer. A picture is as wide as a
column of a paper (3.4 inches); its lines are told apart by colour, lightness and dashes, in grey
and by colour-blind readers too. The command takes whatever there is and recognises it:

```console
$ losslaw plot runs/*.csv --rates -o runs.png

saved to runs.png
$ losslaw plot fit.json runs/*.csv --terms -o fit.pdf

saved to fit.pdf
$ losslaw plot fit.json wsd:peak=3e-3,horizon=4000,warmup=100,cooldown=0.2

saved to losslaw-plot.png
```

Logs lie over each other; beside a saved fit they have its predictions and their errors; schedules
have their predicted losses; a forecast lies over its log; whatever commands wrote with `--json` or
`-o` has its own picture. Below, each picture with the script that makes it, from the runs that
come with the package (`examples/gallery`).
"""


def page() -> str:
    """The page of the gallery."""
    parts = [HEAD]
    for name, title in TITLES.items():
        script = (SCRIPTS / f"{name}.py").read_text(encoding="utf-8")
        words, _, code = script.removeprefix('"""').partition('"""')
        parts.append(
            f"## {title}\n\n{words}\n\n```python\n{code.strip()}\n```\n\n"
            f"![{words.rstrip('.')}](images/gallery/{name}.png)\n"
        )
    return "\n".join(parts)


# The programs, in the order of their page, with what they are called there.
PROGRAMS = {
    "fit_and_predict": "Fit and predict",
    "forecast_a_run": "Forecast a run",
    "design_and_export": "Design and export",
    "kernel_world": "The kernel world",
}
EXAMPLES = ROOT / "docs" / "examples.md"
EXAMPLES_HEAD = """# Examples

Four short programs on the curves that come with the package: `python examples/NAME.py`. Below each
is what it prints and draws.
"""


def example(name: str, printed: str) -> str:
    """The part of a program on the page of the examples."""
    script = (ROOT / "examples" / f"{name}.py").read_text(encoding="utf-8")
    words, _, code = script.removeprefix('"""').partition('"""')
    return (
        f"## {PROGRAMS[name]}\n\n{words.strip()}\n\n```py\n{code.strip()}\n```\n\n"
        f"```text\n{printed.rstrip()}\n```\n\n"
        f"![{words.partition('.')[0]}](images/examples/{name}.png)\n"
    )


def write_examples() -> None:
    """Run the programs; write their page and pictures."""
    images = EXAMPLES.parent / "images" / "examples"
    images.mkdir(parents=True, exist_ok=True)
    parts = [EXAMPLES_HEAD]
    for name in PROGRAMS:
        printed = io.StringIO()
        with tempfile.TemporaryDirectory() as place, contextlib.redirect_stdout(printed):
            runpy.run_path(str(ROOT / "examples" / f"{name}.py"))["main"](Path(place))
            picture = Image.open(Path(place) / f"{name}.png").convert("RGB")
        picture.quantize(64, dither=Image.Dither.NONE).save(images / f"{name}.png", optimize=True)
        parts.append(example(name, printed.getvalue()))
        print(name, flush=True)
    write_text(EXAMPLES, "\n".join(parts))


def main(names: list[str]) -> None:
    """Draw the named pictures, or all, and write the page; ``examples`` makes the other one."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    if not names or "examples" in names:
        write_examples()
    for name in [each for each in names if each != "examples"] or (() if names else TITLES):
        with tempfile.TemporaryDirectory() as place, contextlib.chdir(place):
            drawn = runpy.run_path(str(SCRIPTS / f"{name}.py"))
        write_bytes(IMAGES / f"{name}.png", png(drawn["ax"].figure, dpi=200))
        print(name, flush=True)
    write_text(PAGE, page())


if __name__ == "__main__":
    main(sys.argv[1:])
