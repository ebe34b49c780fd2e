"""``losslaw demo``: the whole story on the real curves that come with the package."""

from typing import TYPE_CHECKING, Annotated

import typer

from losslaw.cli import options
from losslaw.cli.output import activity, print_json, table_text

if TYPE_CHECKING:
    from losslaw.demo import Demo


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    output: Annotated[
        str, typer.Option("-o", "--output", help="Folder for figures, fits and predictions.")
    ] = "losslaw-demo",
    json: options.Json = False,
) -> None:
    """Fit two laws to three real runs, predict the others unseen, and design a schedule."""
    from losslaw.demo import run_demo

    with activity("demo") as say:
        found = run_demo(output, say)
    if json:
        print_json(_record(found))
    else:
        print(_text(found))


def _record(found: "Demo") -> dict[str, object]:
    from dataclasses import asdict

    return {
        "scores": {
            law: [asdict(score) for score in scores] for law, scores in found.scores.items()
        },
        "files": [str(path) for path in found.files],
        "design": {
            "loss": found.design.loss,
            "baselines": {name: item.loss for name, item in found.design.baselines.items()},
        },
        "seconds": found.seconds,
    }


def _text(found: "Demo") -> str:
    import numpy as np

    laws = list(found.scores)
    fitted = [curve.label for curve in found.fits[laws[0]].curves]
    skip = found.fits[laws[0]].skip
    header = ["run (unseen steps)", "from step"]
    for law in laws:
        header += [f"{law} RMSE", "end"]
    rows: list[list[str]] = []
    for scores in zip(*found.scores.values(), strict=True):
        row = [scores[0].label, str(max(scores[0].after + 1, skip))]
        for score in scores:
            row += [f"{score.rmse:.4f}", f"{score.final_error:+.4f}"]
        rows.append(row)
    row = ["mean (end: of sizes)", ""]
    for law in laws:
        row.append(f"{np.mean([score.rmse for score in found.scores[law]]):.4f}")
        row.append(f"{np.mean([abs(score.final_error) for score in found.scores[law]]):.4f}")
    rows.append(row)
    lines = [
        f"fitted: {', '.join(fitted)}",
        "",
        table_text(header, rows),
        "",
        "errors in nats per token, predicted minus seen; 'end': mean of the last three points",
        "",
        *_design_lines(found),
        "",
        *[f"wrote {path}" for path in found.files],
        f"done in {found.seconds:.1f} s",
    ]
    return "\n".join(lines)


def _design_lines(found: "Demo") -> list[str]:
    """What the designed schedule is predicted to give, beside usual ones."""
    designed = found.design
    usual = ", ".join(
        f"{name} {item.loss:.4f}"
        for name, item in designed.baselines.items()
        if name in ("wsd", "wsd-1-sqrt", "cosine-10%", "linear")
    )
    return [
        f"designed for {designed.schedule.horizon} updates at the same peak: predicted loss"
        f" {designed.loss:.4f}",
        f"  instead: {usual}",
    ]
