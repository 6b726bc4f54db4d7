"""`linguacodus dataset`: instruction datasets from kernels, as versions that never change."""

from pathlib import Path
from typing import Annotated

import typer

from linguacodus_core.cli.flows import quiet_prefect

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Instruction datasets out of ranked Kaggle solutions.\n\n"
    "`rebuild` reads a corpus of kernels, selects the best solutions of each competition, turns each into an "
    "instruction and publishes a version: a folder of Parquet tables, named by its content, that "
    "never changes. Try it: [bold]linguacodus dataset rebuild --source sample[/]",
)

Name = Annotated[str, typer.Argument(help="A version, the beginning of its name, or 'latest'.")]
SOURCE_HELP = """Where kernels come from.
sample: the corpus that ships;
code4ml: a folder with the release's CSV files (--path);
kernels: a folder as `kaggle kernels pull -m` leaves it (--path);
kaggle: pulled through the Kaggle API (--competitions)."""


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


@app.command()
def rebuild(
    source: Annotated[str, typer.Option(help=SOURCE_HELP)] = "sample",
    path: Annotated[Path | None, typer.Option(help="The corpus's folder.")] = None,
    competitions_file: Annotated[
        Path | None,
        typer.Option(help="A CSV about the competitions of pulled kernels (slug, description, metric)."),
    ] = None,
    competitions: Annotated[
        str, typer.Option(help="Only these competitions, comma-separated; for kaggle, those to pull.")
    ] = "",
    kernels_per_competition: Annotated[
        int, typer.Option(help="Most kernels pulled a competition (kaggle).")
    ] = 150,
    profile: Annotated[
        str,
        typer.Option(
            help="Language model that extracts: local, openai, vllm, embedded:NAME, or a .toml file. "
            "Without one, the static extractor reads the syntax trees: no model, no money."
        ),
    ] = "",
    budget_usd: Annotated[float, typer.Option(help="Most US dollars for LLM calls.")] = 0,
    batch: Annotated[
        bool,
        typer.Option(
            "--batch", help="Through the Batch API: this run submits, the same command later collects."
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be selected, and what extraction would cost.")
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option(help="Extract at most so many solutions, the best of each competition first."),
    ] = None,
    top: Annotated[int, typer.Option(help="Most solutions a competition.")] = 75,
    unranked: Annotated[
        str,
        typer.Option(
            help="drop or keep kernels that no score ranks; kept ones train prompts without a place."
        ),
    ] = "drop",
    stated_scores: Annotated[
        str, typer.Option(help="ignore or use the score that a notebook states, where there is no other.")
    ] = "ignore",
    similarity: Annotated[
        float, typer.Option(help="Share of common lines that makes a near-duplicate.")
    ] = 0.8,
    grounding: Annotated[
        float, typer.Option(help="Share of an instruction's claims that its code must bear out.")
    ] = 0.5,
    prompt_sets: Annotated[str, typer.Option(help="Prompt sets of the examples.")] = "default,paper",
    context: Annotated[int, typer.Option(help="Context of the model to be tuned, in tokens.")] = 8192,
    tokenizer: Annotated[
        str, typer.Option(help="Embedded model whose tokenizer counts lengths (smollm2); empty: an estimate.")
    ] = "",
    held_out: Annotated[
        float, typer.Option(help="Share of competitions for validation, and again for test.")
    ] = 0.1,
) -> None:
    """Turn a corpus of kernels into a version of the instruction dataset.

    A killed run goes on where it was, an unchanged one ends at once, and no answered
    call is made again. Start with --dry-run to see the funnel and the cost.

    Examples:

    linguacodus dataset rebuild --source sample

    linguacodus dataset rebuild --source code4ml --path code4ml/ --profile openai --budget-usd 20 --batch
    """
    quiet_prefect()
    from pydantic import ValidationError

    from linguacodus_core.cli.console import LiveProgress
    from linguacodus_core.cli.flows import flow
    from linguacodus_core.dataset.funnel import lines, reasons
    from linguacodus_core.dataset.preflight import preflight
    from linguacodus_core.dataset.request import RebuildRequest
    from linguacodus_core.dataset.version import open_version
    from linguacodus_core.errors import LinguacodusError

    try:
        request = RebuildRequest.model_validate(
            {
                "source": source,
                "path": path.resolve() if path else None,
                "competitions_file": competitions_file.resolve() if competitions_file else None,
                "competitions": _names(competitions),
                "kernels_per_competition": kernels_per_competition,
                "profile": profile,
                "budget_usd": budget_usd,
                "batch": batch,
                "dry_run": dry_run,
                "limit": limit,
                "curation": {
                    "top": top,
                    "unranked": unranked,
                    "stated_scores": stated_scores,
                    "similarity": similarity,
                },
                "grounding": grounding,
                "prompt_sets": _names(prompt_sets),
                "context": context,
                "tokenizer": tokenizer,
                "held_out": held_out,
            }
        )
    except ValidationError as error:
        first = error.errors()[0]
        names = [part for part in first["loc"] if isinstance(part, str)]
        option = f"--{names[-1].replace('_', '-')}: " if names else ""
        raise LinguacodusError(
            f"{option}{first['msg'].removeprefix('Value error, ')}", "linguacodus dataset rebuild --help"
        ) from None
    preflight(request)
    with LiveProgress():
        result = flow("rebuild_dataset")(request)
    if request.dry_run or result.pending:
        return
    version = open_version(result.version)
    typer.echo("")
    for line in lines(
        list(reasons(version.table("dropped"))), version.manifest.rows["kernels"], result.solutions
    ):
        typer.echo(line)
    new = "a new version" if result.new else "unchanged: the version was there"
    typer.echo(f"\n{result.version}  ({new})")
    typer.echo(
        f"{result.competitions:,} competitions, {result.solutions:,} solutions, "
        f"{result.instructions:,} instructions, {result.examples:,} examples"
    )
    if result.calls:
        typer.echo(f"{result.calls:,} calls, ${result.usd:.2f}")
    typer.echo(f"see {result.folder}/card.md")


@app.command("list")
def list_() -> None:
    """Which versions there are, newest first."""
    from linguacodus_core.dataset.version import list_versions

    found = list_versions()
    if not found:
        typer.echo("there is no version yet: linguacodus dataset rebuild --source sample")
        return
    typer.echo(
        f"{'version':16}  {'created':25}  {'solutions':>9}  {'instructions':>12}  {'examples':>8}  source"
    )
    for manifest in found:
        counts = "  ".join(
            f"{manifest.rows[name]:>{width},}"
            for name, width in (("solutions", 9), ("instructions", 12), ("examples", 8))
        )
        origin = f"{manifest.inputs['source']}, {manifest.inputs['extractor']}"
        typer.echo(f"{manifest.version}  {manifest.created}  {counts}  {origin}")


@app.command()
def show(name: Name = "latest") -> None:
    """A version's tables, origin and files. Example: linguacodus dataset show latest"""
    import json

    from linguacodus_core.dataset.version import TABLES, open_version

    manifest = (version := open_version(name)).manifest
    typer.echo(
        f"{manifest.version}  {manifest.created}, linguacodus {manifest.code_version}\n{version.folder}\n"
    )
    for table in TABLES:
        typer.echo(f"{manifest.rows[table]:>12,}  {table}.parquet")
    typer.echo("")
    for key, value in manifest.inputs.items():
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        typer.echo(f"{key:>14}  {shown}")


@app.command()
def diff(
    old: Annotated[str, typer.Argument(help="A version.")],
    new: Annotated[str, typer.Argument(help="Another one; by default the latest.")] = "latest",
) -> None:
    """What came, went and changed from one version to another."""
    from linguacodus_core.dataset.diff import differences
    from linguacodus_core.dataset.version import open_version

    before, after = open_version(old), open_version(new)
    typer.echo(f"{before.name} -> {after.name}")
    for line in list(differences(before, after)) or ["no difference"]:
        typer.echo(line)


@app.command()
def verify(name: Name = "latest") -> None:
    """Whether a version's files are whole and unchanged; exit status 1 when not."""
    from linguacodus_core.dataset import version as versions

    version = versions.open_version(name)
    problems = versions.verify(version)
    for problem in problems:
        typer.echo(problem, err=True)
    if problems:
        raise typer.Exit(1)
    typer.echo(f"{version.name} is whole: {len(version.manifest.files)} files are as the manifest says")


@app.command()
def card(name: Name = "latest") -> None:
    """Print a version's data card (Markdown): counts, funnel, splits, the most popular models."""
    from linguacodus_core.dataset.version import CARD, open_version

    typer.echo(open_version(name).text(CARD))
