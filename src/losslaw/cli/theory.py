"""``losslaw theory``: what the closed forms say about a budget, and the exact dynamics beside."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from losslaw.cli.options import Command, Json, JsonFile
from losslaw.cli.output import activity, show
from losslaw.cli.problem import (
    Capacity,
    Difficulty,
    Source,
    SpectrumFile,
    Tolerance,
    about_file,
    chosen_exponents,
    refuse_exponents,
)

if TYPE_CHECKING:
    from losslaw.kernel.agreement import ExactOptimum, FreeForm, Rank
    from losslaw.kernel.measured import Measured
    from losslaw.kernel.theory import Exponents, Relation, Scaling
    from losslaw.kernel.theory.scaling import Limited


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("theory", cls=Command)(theory)


def theory(
    budget: Annotated[
        float, typer.Option("--budget", help="Samples D, or with --compute C = modes * D.")
    ],
    source: Source = None,
    difficulty: Difficulty = None,
    capacity: Capacity = None,
    spectrum: SpectrumFile = None,
    tolerance: Tolerance = 1e-12,
    fit: Annotated[
        str | None,
        typer.Option(
            "--fit",
            metavar="FILE",
            help="In place of exponents: a saved fit of the convolution form, such as of a language"
            " model's losses.",
        ),
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(
            "--schedule",
            help="constant, exponential, wsd, wsd-power (stable, then a power tail), power, linear,"
            " 1-sqrt or cosine; those that theory ranks, in order, when left out.",
        ),
    ] = None,
    compute: Annotated[
        bool,
        typer.Option("--compute/--data", help="Whether the budget is compute or data (default)."),
    ] = False,
    exact: Annotated[
        bool,
        typer.Option(
            "--exact",
            help="Search the exact dynamics: best peak, modes, samples, cooldown and batch, and"
            " what the closed form costs.",
        ),
    ] = False,
    noise: Annotated[
        float,
        typer.Option(
            "--noise",
            help="Standard deviation of the labels, for exact risks; 0: what holds without noise.",
        ),
    ] = 1.0,
    batch: Annotated[
        float, typer.Option("--batch", help="Samples in an update, for exact risks.")
    ] = 1.0,
    exponent: Annotated[
        float | None,
        typer.Option("--exponent", help="g of a power decay (1-z)^g; default 2 beta - 1."),
    ] = None,
    floor: Annotated[
        float,
        typer.Option("--floor", help="Final rate of a power-like decay, share of the peak."),
    ] = 0.0,
    json: Json = False,
    output: JsonFile = None,
) -> None:
    """Regime, scaling exponents and optimal hyper-parameters, with their theorems.

    For one-pass SGD on power-law kernel regression. Closed forms have their constants set to one:
    exponents and ratios between budgets mean something, single values only an order of magnitude.
    With --exact the same is searched in the exact dynamics, in seconds.

    \b
    Examples:
      losslaw theory --source 0.5 --capacity 4 --budget 1e9
      losslaw theory --difficulty 0.6 --capacity 1.5 --budget 1e9 --schedule wsd
      losslaw theory --source 0.5 --capacity 2 --budget 1e12 --compute \\
        --schedule wsd --exact
      losslaw theory --source 2 --capacity 0.8 --budget 1e12 --compute \\
        --noise 0 --exact
    """
    from losslaw.cli.noiseless import Noiseless
    from losslaw.cli.output import print_json, save_json
    from losslaw.errors import InputError
    from losslaw.kernel.agreement import cap, exact_optimum, freed, ranking
    from losslaw.kernel.theory import (
        Exponents,
        batch_relations,
        optimal_relations,
        regime,
        scaling,
    )
    from losslaw.numerics.arrays import check_positive
    from losslaw.numerics.magnitudes import BATCH, LABEL_NOISE

    check_positive(batch=batch, budget=budget)
    BATCH.check("batch", batch)
    if batch > budget:
        raise InputError(f"batch is {batch:g}, expected no more than the budget of {budget:g}")
    if not (math.isfinite(noise) and noise >= 0):
        raise InputError(f"noise is {noise:g}, expected a standard deviation, 0 or above")
    LABEL_NOISE.check("noise", noise)
    limited = "compute" if compute else "data"
    measured, found = None, ""
    if spectrum is not None or fit is not None:
        if spectrum is not None and fit is not None:
            raise InputError("give one of --spectrum and --fit")
        name = "--fit" if spectrum is None else "--spectrum"
        measured = _measured_from(spectrum, tolerance, fit)
        if measured.source is None:
            refuse_exponents(name, capacity)
            pair = _assumed(str(spectrum), measured, source, difficulty)
            found = f"{measured}\nsource s      {pair[0]:.4g}, assumed: the spectrum has no targets"
        else:
            refuse_exponents(name, source, difficulty, capacity)
            with about_file(spectrum or fit):
                pair = (measured.exponents.source, measured.exponents.capacity)
            found = str(measured)
    else:
        pair = chosen_exponents(source, difficulty, capacity)
    if noise == 0:
        with activity("theory"):
            quiet = Noiseless(
                *pair,
                budget,
                schedule,
                limited=limited,
                exact=exact,
                batch=batch,
                exponent=exponent,
                floor=floor,
            )
        record = {
            **_of_problem(*pair, budget, limited),
            "measured": measured and {**asdict(measured), "side": measured.side},
            **quiet.as_dict(),
        }
        save_json(output, record)
        if json:
            print_json(record)
            return
        show(f"{found}\n\n{quiet}" if found else quiet)
        if quiet.optima:
            optima = {name: quiet.optima[name] for name in quiet.ranks}
            first = next(iter(optima))
            _print_exact(Exponents(*pair), optima, quiet.free, first, noise, exponent, floor)
        return
    exponents = Exponents(*pair)
    top = cap(exponents, batch)
    with activity("theory"):
        ranks: Sequence[Rank] = ()
        if schedule is None:
            if exponent is not None or floor:
                raise InputError(
                    "--exponent and --floor are for one schedule: add --schedule power"
                )
            ranks = ranking(
                exponents, budget, limited=limited, noise=noise, batch=batch, onsets=exact
            )
            results = [rank.scaling for rank in ranks]
        else:
            results = [
                scaling(
                    exponents,
                    schedule,
                    budget,
                    limited=limited,
                    exponent=exponent,
                    floor=floor,
                    cap=top / batch,
                )
            ]
        optima = {
            result.schedule: exact_optimum(
                exponents,
                result.schedule,
                budget,
                limited=limited,
                noise=noise,
                batch=batch,
                exponent=exponent,
                floor=floor,
            )
            for result in (results if exact else ())
        }
        lowest = min(optima.values(), key=lambda each: each.exact.risk, default=None)
        free = None
        if lowest is not None:
            tuned = lowest.schedule, lowest.exact
            free = freed(exponents, *tuned, noise=noise, exponent=exponent, floor=floor)
    side = regime(exponents)
    # What is best of all is stated for a number of samples, so for a budget of data.
    best: dict[str, tuple[Relation, ...]] = {}
    if schedule is None and not compute:
        best["optimal schedule"] = optimal_relations(exponents, budget, cap=top / batch)
        best["batch schedule at a constant rate"] = batch_relations(exponents, budget)
    record = {
        **_of_problem(*pair, budget, limited),
        "measured": measured and {**asdict(measured), "side": measured.side},
        "regime": asdict(side),
        "largest_peak": top,
        "ranking": [_rank_record(rank) for rank in ranks],
        "exact": {name: asdict(optimum) for name, optimum in optima.items()},
        "free": free and free.as_dict(),
        "schedules": [asdict(result) for result in results],
        "best": {name: list(map(asdict, relations)) for name, relations in best.items()},
    }
    save_json(output, record)
    if json:
        print_json(record)
        return
    letter = "C" if compute else "D"
    if found:
        show(f"{found}\n")
    show(
        f"{side.name} regime: {side.formula} = {side.boundary:.4g}; {side.meaning}"
        f" [{side.source}]\n"
        f"{letter} = {budget:g}, L = log {letter}; constants are set to one, peaks are at most"
        f" {top / batch:.4g} a sample\n(0.9 of the largest stable rate at batch {batch:g})"
    )
    if ranks:
        _print_ranking(ranks, letter)
    if optima:
        _print_exact(exponents, optima, free, results[0].schedule, noise, exponent, floor)
    footnotes: dict[str, int] = {}
    for result in results:
        title = f"{result.schedule}, {limited}-limited"
        notes = [*result.notes, *_measured(exponents, result, limited)]
        _print_relations(title, result.relations, notes, footnotes)
    for name, relations in best.items():
        _print_relations(name, relations, (), footnotes)
    show("")
    for text, number in footnotes.items():
        show(f"[{number}] {text}")


def _of_problem(source: float, capacity: float, budget: float, limited: str) -> dict[str, object]:
    """What every answer begins with; what is not known of a problem stays empty."""
    return {
        "source": source,
        "capacity": capacity,
        "measured": None,
        "difficulty": source * capacity,
        "budget": budget,
        "limited": limited,
        "phase": None,
        "frontier": None,
        "constant": None,
        "regime": None,
        "largest_peak": None,
        "ranking": [],
        "exact": {},
        "free": None,
        "schedules": [],
        "best": {},
    }


def _measured_from(spectrum: str | None, tolerance: float, fit: str | None) -> "Measured":
    """Exponents of a spectrum, or of a saved fit."""
    from losslaw.errors import InputError
    from losslaw.kernel.measured import exponents_of_law, measure_exponents, read_spectrum

    if spectrum is not None:
        read = read_spectrum(spectrum, tolerance)
        with about_file(spectrum):
            return measure_exponents(read)
    from losslaw.fitting import load_fit

    assert fit is not None
    loaded = load_fit(fit)
    if loaded.law.name != "convolution":
        raise InputError(
            f"{fit} is a fit of the law '{loaded.law.name}': exponents are in the convolution form,"
            " losslaw fit LOG... --law convolution"
        )
    errors = loaded.parameter_errors
    unknown = () if loaded.uncertainty is None else loaded.uncertainty.unknown
    pairs = [
        (loaded.parameters[name], math.inf if name in unknown else errors.get(name, math.inf))
        for name in ("s", "q")
    ]
    return exponents_of_law(*pairs[0], *pairs[1])


def _assumed(
    path: str, measured: "Measured", source: float | None, difficulty: float | None
) -> tuple[float, float]:
    """Exponents of a spectrum without targets: its capacity, and a source that is given.

    Raises:
        InputError: none is.
    """
    from losslaw.errors import InputError
    from losslaw.kernel.measured import COLUMNS

    if source is None and difficulty is None:
        raise InputError(
            f"{path}: the spectrum has no targets, so no source: add a column {', '.join(COLUMNS)},"
            " or assume one: --source s or --difficulty alpha"
        )
    return chosen_exponents(source, difficulty, measured.capacity.value)


def _rank_record(rank: "Rank") -> dict[str, object]:
    power = rank.scaling.risk.power
    assert power is not None
    return {
        "schedule": rank.schedule,
        "exponent": power.exponent,
        "log_power": power.log_power,
        "exact_risk": None if rank.exact is None else rank.exact.risk,
        "ahead_from": rank.ahead_from,
    }


def _measured(exponents: "Exponents", result: "Scaling", limited: "Limited") -> list[str]:
    """From which budget on WSD is better than exponential decay, where theory says in the end."""
    from losslaw.kernel.agreement import onset, risk_ratio

    if result.schedule != "wsd" or not result.easy:
        return []
    at = onset(
        lambda n: risk_ratio(exponents, "wsd", "exponential", n, cooldown=0.2, limited=limited)
    )
    if at == 0:
        since = "at every budget"
    else:
        since = "not up to 1e15" if math.isinf(at) else f"from about {at:.0e} on"
    return [f"better than exponential decay with a cooldown of 0.2: {since} (exact dynamics)"]


def _print_ranking(ranks: "Sequence[Rank]", letter: str) -> None:
    from losslaw.text import table

    onsets = any(rank.ahead_from is not None for rank in ranks)
    header = ["rank", "schedule", "risk ~", "exact risk", *(["below the next from"] * onsets)]
    rows: list[list[str]] = []
    for i, rank in enumerate(ranks, start=1):
        power = rank.scaling.risk.power
        assert power is not None
        risk = f"{letter}^{_plain(power.exponent)}"
        if round(power.log_power, 4):
            risk += f" L^{_plain(power.log_power)}"
        measured = "" if rank.exact is None else f"{rank.exact.risk:.4g}"
        cells = [str(i), rank.schedule, risk, measured]
        rows.append([*cells, *([_since(rank.ahead_from)] * onsets)])
    lines = table(header, rows, left=(1, 2), rule=True)
    show("\n".join(["", *lines]))


def _since(budget: float | None) -> str:
    if budget is None:
        return ""
    if budget == 0:
        return "1e3 or less"
    return "not up to 1e15" if math.isinf(budget) else f"{budget:.1e}"


def _print_exact(
    exponents: "Exponents",
    optima: "Mapping[str, ExactOptimum]",
    free: "FreeForm | None",
    first: str,
    noise: float,
    exponent: float | None,
    floor: float,
) -> None:
    """The optima, what no shape can beat, and the run of the first one."""
    from losslaw.kernel.agreement import schedule_text
    from losslaw.text import table

    closed = noise > 0  # else there is no closed form to compare with
    header = ["exact optimum", "excess risk", "peak", "modes", "samples", "cooldown"]
    header += [*(["closed form costs"] * closed), "largest batch"]
    rows = [
        [
            found.schedule,
            f"{found.exact.risk:.4g}",
            f"{found.exact.peak:.4g}",
            f"{found.exact.modes:.0f}",
            f"{found.exact.samples:.4g}",
            f"{found.exact.cooldown:.3g}",
            *([] if found.cost is None else [f"{found.cost:+.1%}"]),
            f"{found.largest_batch:g}",
        ]
        for found in optima.values()
    ]
    show("\n".join(["", *table(header, rows, left=(0,), rule=True)]))
    if free is not None:
        best = min(optima.values(), key=lambda each: each.exact.risk)
        show(
            f"of any shape: {free.risk:.4g}, {best.schedule} costs"
            f" {best.exact.risk / free.risk - 1:+.1%}; to first order no more than {free.gap:.1%}"
            " is left"
        )
    found = optima[first].exact
    text = schedule_text(exponents, first, found, exponent, floor)
    show(
        "closed form costs: the exact risk at its hyper-parameters; "
        * closed
        + "largest batch: of those that cost at most 5 %\n"
        f"next: losslaw simulate --source {exponents.source:g} --capacity {exponents.capacity:g}"
        f" --modes {found.modes:g} --noise {noise:g} --batch {found.batch:g} --method integrator"
        f" --schedule {text}"
    )


def _plain(number: float) -> str:
    """Four digits, and no zero with a sign."""
    return f"{round(number, 4) + 0.0:.4f}"


def _print_relations(
    title: str,
    relations: "Sequence[Relation]",
    notes: Sequence[str],
    footnotes: dict[str, int],
) -> None:
    from losslaw.text import table

    def see(text: str) -> str:
        return f"[{footnotes.setdefault(text, len(footnotes) + 1)}]"

    header = [title, "value", "exponent", "log power", "source, validity", "formula"]
    rows = [
        [
            relation.quantity,
            f"{relation.value:.4g}",
            "" if relation.power is None else _plain(relation.power.exponent),
            "" if relation.power is None else _plain(relation.power.log_power),
            see(relation.source) + see(relation.validity),
            relation.formula,
        ]
        for relation in relations
    ]
    lines = table(header, rows, left=(0, 4, 5), below=5, rule=True)
    show("\n".join(["", *lines]))
    for note in notes:
        show(f"note: {note}")
