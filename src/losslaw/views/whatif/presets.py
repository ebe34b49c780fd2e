"""Usual schedules at the numbers of a page, and the designed one, which takes some seconds."""

import threading
from collections.abc import Callable
from dataclasses import replace

from losslaw.designing import design
from losslaw.errors import FitError, InputError
from losslaw.fitting import Fit
from losslaw.text import shown
from losslaw.views.whatif.state import BY_HAND, State, drawn

DESIGNED = "designed"
# By the name on the page: the shape, and what else it is.
PRESETS: dict[str, dict[str, object]] = {
    "constant": {"shape": "constant"},
    "cosine": {"shape": "cosine", "floor": 0.0},
    "WSD linear": {"shape": "wsd", "cooldown": 0.2, "floor": 0.0},
    "WSD 1-sqrt": {"shape": "wsd-1-sqrt", "cooldown": 0.2, "floor": 0.0},
    "linear to zero": {"shape": "linear", "floor": 0.0},
}
# Those whose losses stand beside that of the page.
BESIDE = ("cosine", "WSD linear")


def preset(name: str, state: State) -> State:
    """A usual schedule with the peak, warm-up, horizon and batch of a state."""
    warmup = state.warmup
    if state.shape == BY_HAND:
        # The rise that it begins with.
        warmup = min(state.schedule.warmup, state.horizon - 1)
    return replace(state, points=(), warmup=warmup, **PRESETS[name])  # pyright: ignore


class Designer:
    """Designs in the background, one at a time, and remembers what it found.

    Args:
        fit: Whose law says what is best.
        model_size: Parameters of the model, where several sizes were fitted.
    """

    def __init__(self, fit: Fit, model_size: float | None = None):
        self._fit = fit
        self._size = model_size
        self._found: dict[State, State | str] = {}
        self._lock = threading.Lock()

    @staticmethod
    def task(state: State) -> State:
        """What a design depends on: peak, horizon, warm-up, floor and batch."""
        base = preset("constant", state)
        return replace(base, cooldown=0.2)

    def known(self, state: State) -> State | None:
        """The designed state for the numbers of this one, if it has been found."""
        found = self._found.get(self.task(state))
        return found if isinstance(found, State) else None

    def begin(
        self, state: State, say: Callable[[str], None], done: Callable[[State | str], None]
    ) -> None:
        """Design for the numbers of a state, in a thread.

        Args:
            state: The numbers.
            say: Called, in that thread, with words while it searches.
            done: Called, in that thread, with what was found, or why nothing was.
        """
        # A thread that ends with the program, whatever it is at.
        threading.Thread(target=self._work, args=(state, say, done), daemon=True).start()

    def find(self, state: State, say: Callable[[str], None] = lambda words: None) -> State | str:
        """The designed state for the numbers of this one, or why there is none."""
        task = self.task(state)
        with self._lock:
            if task not in self._found:
                self._found[task] = self._designed(task, say)
            return self._found[task]

    def _work(
        self, state: State, say: Callable[[str], None], done: Callable[[State | str], None]
    ) -> None:
        done(self.find(state, say))

    def _designed(self, task: State, say: Callable[[str], None]) -> State | str:
        try:
            best = design(
                self._fit,
                task.horizon,
                peak=task.peak,
                warmup=float(task.warmup),
                floor=task.floor * task.peak,
                batch=task.batch,
                model_size=self._size,
                progress=say,
            )
        except (InputError, FitError) as error:
            return shown(str(error), 300)
        return drawn(best.schedule, task)
