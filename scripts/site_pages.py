"""What the site has beyond the pages in ``docs``: a hook of mkdocs (`mkdocs.yml`).

* The options of every command, below the table of `docs/commands.md`, from the commands themselves.
* A page for each package with public names, from their docstrings.
* The pages elsewhere in the repository that `docs` links to: tables of validation, the changelog.
"""

import ast
import contextlib
import html
import inspect
import io
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from griffe import Extension, Object
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url

import losslaw
from losslaw.cli.main import build

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "losslaw"
# Pages outside docs; folders and files of other kinds are named, not linked.
BESIDE = ("validation/results/*.md", "benchmarks/RESULTS.md", "CHANGELOG.md", "CONTRIBUTING.md")
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
EXAMPLE = re.compile(r"^>>> .*(?:\n.+)*", re.M)
# With it the search works on pages that are read from disk.
ELSEWHERE = "https://unpkg.com/iframe-worker/shim"
FENCE = re.compile(r"^```.*?^```", re.M | re.S)


# Packages with pages of their own, in the order of the page.
ROOMS = {
    "schedules": "learning rates, update by update",
    "curves": "loss curves, and how logs become curves",
    "laws": "the formulas, and what a law is made of",
    "fitting": "from curves to a law, with intervals",
    "forecasting": "a run in progress",
    "annealing": "what runs are worth, annealed",
    "continuing": "going on from the end",
    "merging": "averages of checkpoints",
    "fleets": "many runs, several sizes",
    "advising": "the next run to make",
    "designing": "from a law to a schedule",
    "exporting": "a schedule as a file of a trainer",
    "live": "inside the run",
    "views": "pictures",
    "reporting": "a report in one file",
    "datasets": "public loss curves",
    "kernel": "the model in which the laws are proved",
    "lab": "small real training runs",
}
NO_DOCSTRING = {"LAWS": "The laws by name."}
# Modules whose names are not in the `__init__` of their package: they import a trainer.
MORE = {"live": ("huggingface", "lightning")}


def names_of(room: str) -> dict[str, str]:
    """The public names of a package, each with the module that defines it.

    >>> names_of("merging")["merge"]
    'losslaw.merging.merge'
    """
    stub = PACKAGE / room / "__init__.pyi"
    path = stub if stub.exists() else stub.with_suffix(".py")
    found: dict[str, str] = {}
    listed: list[str] | None = None
    for line in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(line, ast.ImportFrom) and line.module:
            module = f"losslaw.{room}.{line.module}" if line.level else line.module
            found |= {name.asname or name.name: module for name in line.names}
        elif isinstance(line, ast.Assign) and getattr(line.targets[0], "id", "") == "__all__":
            listed = ast.literal_eval(line.value)
        elif isinstance(line, (ast.AnnAssign, ast.FunctionDef)):
            name = line.target.id if isinstance(line, ast.AnnAssign) else line.name
            found[name] = f"losslaw.{room}"
    return {name: found[name] for name in listed or found}


def api(room: str) -> str:
    """The page of a package."""
    parts = [f"# losslaw.{room}", f"{ROOMS[room].capitalize()}."]
    for name, module in names_of(room).items():
        parts.append(f"::: {module}.{name}\n    options:\n      heading: {name}")
    for module in MORE.get(room, ()):
        parts.append(f"::: losslaw.{room}.{module}")
    return "\n\n".join(parts) + "\n"


def first() -> str:
    """The page of what the package itself has: a line each, and what is in no other page."""
    parts = [
        "# losslaw",
        "What `import losslaw as ll` has. Packages have more, on their own pages.",
    ]
    rows, rest = ["| name | is |", "|---|---|"], []
    homes = {module + "." + name: room for room in ROOMS for name, module in names_of(room).items()}
    for line in ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8")).body:
        if not isinstance(line, ast.ImportFrom) or line.module == "version":
            continue
        room = line.module or line.names[0].name
        for name in (each.name for each in line.names):
            words = inspect.getdoc(getattr(losslaw, name)) or ""
            if name in {each.rpartition(".")[2] for each, home in homes.items() if home == room}:
                shown = f"[`{name}`]({room}.md#{names_of(room)[name]}.{name})"
            elif room in ROOMS:
                shown = f"[`{name}`]({room}.md)"
            else:
                shown = f"[`{name}`](#losslaw.{room}.{name})"
                rest.append(f"::: losslaw.{room}.{name}\n    options:\n      heading: {name}")
            rows.append(f"| {shown} | {NO_DOCSTRING.get(name) or words.partition(chr(10))[0]} |")
    return "\n\n".join([*parts, "\n".join(rows), *rest]) + "\n"


def options() -> str:
    """Arguments and options of every command, as their help pages have them."""
    parts = ["## Options of each command"]
    for name, command in sorted(_commands(typer.main.get_command(build()), "losslaw")):
        context = command.make_context(name, [], resilient_parsing=True)
        with contextlib.redirect_stdout(io.StringIO()):
            command.get_help(context)  # puts in the names that stand in braces in the texts
        words, _, examples = (command.help or "").replace("\b", "").partition("Examples:")
        rows = [each.get_help_record(context) for each in command.params]
        parts += [f"### {name}", f"`{' '.join(command.get_usage(context).split()[1:])}`"]
        parts += [html.escape(words.strip(), quote=False).replace("*", r"\*")]
        parts += [
            "| argument or option | meaning |\n|---|---|\n"
            + "\n".join(_row(*row) for row in rows if row)
        ]
        if examples.strip():
            parts.append(f"```text\n{inspect.cleandoc(examples)}\n```")
    return "\n\n".join(parts) + "\n"


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name, command
    for each, one in (inner or {}).items():
        yield from _commands(one, f"{name} {each}")


def _row(names: str, meaning: str) -> str:
    meaning = html.escape(" ".join(meaning.split()), quote=False)
    escaped = re.sub(r"([*|])", r"\\\1", meaning)
    return f"| `{names}` | {escaped} |"


class Doctests(Extension):
    """Examples in docstrings, which end with an empty line, as blocks of code."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Mark the examples of one docstring."""
        if obj.docstring is not None:
            lines = obj.docstring.value
            obj.docstring.value = EXAMPLE.sub(r"```pycon\n\g<0>\n```", lines).replace("::\n", ":\n")


def slug(text: str, separator: str) -> str:
    """What a heading is called in links, as in the repository (tests/docs/test_links.py)."""
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", separator)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Give the pages of the API their place, and headings their names."""
    config.mdx_configs["toc"]["slugify"] = slug
    (reference,) = [part["Reference"] for part in config.nav or () if "Reference" in part]
    reference += [{"losslaw": "api/losslaw.md"}]
    reference += [{f"losslaw.{room}": f"api/{room}.md"} for room in ROOMS]
    return config


def source_of(uri: str) -> str:
    """Where a page of the site is in the repository."""
    return uri if (ROOT / uri).exists() and not (ROOT / "docs" / uri).exists() else f"docs/{uri}"


def relinked(text: str, page: str, pages: set[str]) -> str:
    """The text of a page with its links to the repository as links of the site.

    What is not in the site (programs, folders) is named by its path.
    """

    def link(match: re.Match[str]) -> str:
        image, words, target = match.groups()
        path, _, anchor = target.partition("#")
        if ":" in target or not path:
            return match[0]
        here = posixpath.dirname(source_of(page))
        there = posixpath.normpath(posixpath.join(here, path))
        uri = there.removeprefix("docs/")
        if uri not in pages:
            return words if f"`{there}`" == words else f"{words} (`{there}`)"
        way = posixpath.relpath(uri, posixpath.dirname(page) or ".")
        return f"{image}[{words}]({way}{'#' + anchor if anchor else ''})"

    parts = FENCE.split(text)
    fences = FENCE.findall(text)
    return "".join(
        LINK.sub(link, part) + fence for part, fence in zip(parts, [*fences, ""], strict=True)
    )


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are not in docs."""
    beside = [path for pattern in BESIDE for path in sorted(ROOT.glob(pattern))]
    for path in beside:
        uri = path.relative_to(ROOT).as_posix()
        file = File.generated(config, uri, abs_src_path=str(path))
        if "/" in uri:  # tables: their places are the pages that speak of them
            file.inclusion = InclusionLevel.NOT_IN_NAV
        files.append(file)
    files.append(File.generated(config, "api/losslaw.md", content=first()))
    for room in ROOMS:
        files.append(File.generated(config, f"api/{room}.md", content=api(room)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Options below the table of the commands; links as they are in the site."""
    if page.file.src_uri == "commands.md":
        markdown += "\n" + options()
    return relinked(markdown, page.file.src_uri, {file.src_uri for file in files})


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Give the search a name, and take its program for pages on disk from the site itself."""
    output = output.replace('role="dialog"', 'role="dialog" aria-label="Search"')
    # An empty corner of a table heads nothing.
    output = output.replace("<th></th>", "<td></td>")
    return output.replace(ELSEWHERE, get_relative_url("theme/worker.js", page.url))


def on_post_template(output_content: str, template_name: str, config: MkDocsConfig) -> str:
    """The same for the page of what is not found."""
    return output_content.replace(ELSEWHERE, "theme/worker.js")
