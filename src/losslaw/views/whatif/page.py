"""The page itself: HTML around the pictures, filled in for a live tab or for one file.

Whatever a user gave (names of files and runs, sentences about them) goes into the page as text: by
a template that escapes it, or as JSON in which no tag can end.
"""

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from losslaw.curves.curve import in_full
from losslaw.errors import MissingExtra
from losslaw.exporting import TARGETS
from losslaw.files.json_text import plain
from losslaw.fitting import Fit
from losslaw.text import SCALES, shown
from losslaw.version import __version__
from losslaw.views.whatif.answers import BLOCKS, Along, ask, compare
from losslaw.views.whatif.presets import BESIDE, DESIGNED, PRESETS, preset
from losslaw.views.whatif.state import BY_HAND, SHAPES, Room, State

# Letters of a name of somebody's, and how many of them are shown.
LONGEST, MOST_RUNS = 60, 6
# Seconds without an answer after which a page says that its server is gone.
PATIENCE = 8.0
# Columns of what the pictures show.
SOURCES: dict[str, tuple[str, ...]] = {
    "losses": ("step", "loss", "lower", "upper"),
    "rates": ("step", "lr"),
    "points": ("x", "y"),
    **{f"{name} losses": ("step", "loss") for name in BESIDE},
    **{f"{name} rates": ("step", "lr") for name in BESIDE},
}


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a page is about.

    Attributes:
        fit: The fit.
        name: What it is called.
        level: Share of runs that intervals are meant to hold.
        model_size: Parameters of the model, where several sizes were fitted.
    """

    fit: Fit
    name: str
    level: float = 0.9
    model_size: float | None = None

    def along(self, state: State) -> Along:
        """What the fit says along a schedule."""
        return ask(self.fit, state, self.level, self.model_size)

    def told(self, state: State, along: Along) -> dict[str, object]:
        """What the page is told of a state."""
        return {
            "state": state.address,
            "points": state.handles(along.schedule),
            "numbers": along.numbers,
            "columns": along.columns,
            "peak": along.schedule.peak_lr,
            "spec": along.schedule.spec or state.schedule.spec,
        }

    def beside(self, state: State) -> dict[str, object]:
        """Columns of the pictures for the usual schedules at the numbers of a state."""
        made = {name: self.along(preset(name, state)).columns for name in BESIDE}
        return {f"{name} {kind}": made[name][kind] for name in BESIDE for kind in made[name]}

    def compared(self, state: State, designed: State | None) -> list[dict[str, object]]:
        """How a schedule compares with usual ones, and with the designed one if that is known."""
        others = {name: preset(name, state) for name in BESIDE}
        if designed is not None:
            others[DESIGNED] = designed
        return compare(self.fit, state, others, self.level, self.model_size)

    @property
    def words(self) -> dict[str, object]:
        """What the page says of the fit, as it was given."""
        labels = [shown(curve.label, LONGEST) for curve in self.fit.curves]
        more = len(labels) - MOST_RUNS
        return {
            "name": shown(self.name, LONGEST),
            "law": self.fit.law.title,
            "unit": in_full(self.fit.unit),
            "mixture": self.fit.mixture is not None,
            "runs": labels[:MOST_RUNS] + ([f"and {more} more"] if more > 0 else []),
            "doubts": [shown(text, 400) for text in self.fit.status.sentences],
            "level": f"{100 * self.level:g} %",
            "size": None if self.model_size is None else f"{self.model_size:g}",
        }


def check_installed() -> None:
    """Say what the page needs, where it is missing.

    Raises:
        MissingExtra: Bokeh is not installed.
    """
    try:
        import bokeh.server.server  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ImportError:
        raise MissingExtra("the page", "bokeh", "page") from None


def template() -> Any:
    """The template of the page, which escapes what it is given."""
    from jinja2 import Environment

    folder = files("losslaw.views.whatif")
    text = folder.joinpath("page.html").read_text(encoding="utf-8")
    return Environment(autoescape=True).from_string(text)


def variables(
    subject: Subject, room: Room, *, live: bool, patience: float = PATIENCE
) -> dict[str, object]:
    """What the template is filled with."""
    folder = files("losslaw.views.whatif")
    return {
        "live": live,
        "fit": subject.words,
        "css": folder.joinpath("page.css").read_text(encoding="utf-8"),
        "js": folder.joinpath("page.js").read_text(encoding="utf-8"),
        "presets": [*PRESETS, DESIGNED],
        "shapes": {name: shape.title for name, shape in SHAPES.items()} | {BY_HAND: "by hand"},
        "targets": {name: target.title for name, target in TARGETS.items()},
        "batch": room.batch is not None,
        "blocks": BLOCKS,
        "version": __version__,
        "settings": in_script(
            {
                "live": live,
                "room": {"peak": room.peak, "horizon": room.horizon, "batch": room.batch},
                "cooldown": [name for name, shape in SHAPES.items() if shape.cooldown],
                "falls": [name for name, shape in SHAPES.items() if shape.falls],
                "byHand": BY_HAND,
                "sources": list(SOURCES),
                "designed": DESIGNED,
                "mixture": subject.fit.mixture is not None,
                "scales": SCALES,
                "lost": round(1000 * patience),
            }
        ),
    }


def in_script(value: object) -> str:
    """JSON that can stand in a script of a page: no tag can begin in it.

    >>> print(in_script("</script>"))
    "\\u003c/script\\u003e"
    """
    text = json.dumps(plain(value))
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text
