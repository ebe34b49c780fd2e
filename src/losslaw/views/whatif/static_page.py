"""The page as one file that can be sent: presets worked out beforehand, no server, no network."""

from typing import Any

from losslaw.views.whatif.figure import pictures
from losslaw.views.whatif.page import Subject, check_installed, in_script, template, variables
from losslaw.views.whatif.presets import DESIGNED, PRESETS, Designer, preset
from losslaw.views.whatif.state import Room, State


def static_page(subject: Subject, start: State) -> str:
    """The HTML of a page of usual schedules and the designed one, at the numbers of a state.

    Raises:
        InputError: Bokeh is missing, or the fit cannot say what the page needs.
    """
    check_installed()
    from bokeh.embed import file_html
    from bokeh.resources import INLINE

    states: dict[str, State] = {"asked for": start}
    states |= {name: preset(name, start) for name in PRESETS}
    designed = Designer(subject.fit, subject.model_size).find(start)
    if isinstance(designed, State):
        states[DESIGNED] = designed
    drawn = pictures(subject.fit.unit, live=False)
    known = designed if isinstance(designed, State) else None
    answers = {name: _answer(subject, state, known) for name, state in states.items()}
    filled = variables(subject, Room.of(subject.fit), live=False)
    told = {"answers": answers, "beside": subject.beside(start)}
    filled |= {"presets": list(answers), "answers": in_script(told)}
    return file_html(
        [drawn.losses, drawn.rates],
        INLINE,
        f"What if? {subject.words['name']}",
        template=template(),
        template_variables=filled,
    )


def _answer(subject: Subject, state: State, designed: State | None) -> dict[str, Any]:
    along = subject.along(state)
    return {
        **subject.told(state, along),
        "rows": subject.compared(state, designed),
    }
