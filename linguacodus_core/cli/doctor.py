"""`linguacodus doctor`: what is installed, what works here, and the command that mends what does not."""

import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from linguacodus_core.errors import LinguacodusError

if TYPE_CHECKING:
    from packaging.requirements import Requirement

Verdict = Literal["ok", "warning", "problem"]

_PURPOSE = {
    "local": "embedded models on this machine",
    "programs": "more model families for generated programs",
    "train": "fine-tuning",
    "track": "curves of a fine-tune in TensorBoard or Trackio",
    "kaggle": "the Kaggle API",
    "dask": "running on Dask",
    "ray": "running on Ray",
    "dev": "working on Linguacodus itself",
}
_PROBE = """
import pathlib, socket, time
began = time.monotonic()
import lightgbm, pandas
took = time.monotonic() - began
try:
    socket.create_connection(("1.1.1.1", 53), timeout=1).close()
    network = "open"
except OSError:
    network = "closed"
pandas.DataFrame({"id": [1], "target": [0]}).to_csv("submission.csv", index=False)
compiled = pathlib.Path(pandas.__spec__.cached or "/-").exists()
print(f"{took:.1f} {network} {int(compiled)}")
"""


@dataclass(frozen=True)
class Finding:
    """One line of the answer. A problem makes `generate` impossible; remedy: the command that mends it."""

    about: str
    verdict: Verdict
    detail: str
    remedy: str = ""


def _python(_: str) -> Iterator[Finding]:
    yield Finding("Python", "ok", f"{platform.python_version()} in {sys.prefix}")


def _requirements() -> dict[str, list["Requirement"]]:
    """What this installation asks for: under "" the core's requirements, else those of each extra."""
    from importlib import metadata

    from packaging.requirements import Requirement

    wanted: dict[str, list[Requirement]] = {"": []}
    wanted |= {extra: [] for extra in metadata.metadata("linguacodus").get_all("Provides-Extra") or []}
    for line in metadata.requires("linguacodus") or []:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            wanted[""].append(requirement)
            continue
        for extra, group in wanted.items():
            if extra and requirement.marker.evaluate({"extra": extra}):
                group.append(requirement)
    return wanted


def _versions(requirements: Iterable["Requirement"]) -> tuple[list[str], list[tuple["Requirement", str]]]:
    """Names with versions of what is there and right; what is missing ("") or has the wrong version."""
    from importlib import metadata

    right: list[str] = []
    wrong: list[tuple[Requirement, str]] = []
    for requirement in requirements:
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            wrong.append((requirement, ""))
            continue
        if requirement.specifier.contains(version, prereleases=True):
            right.append(f"{requirement.name} {version}")
        else:
            wrong.append((requirement, version))
    return right, wrong


def _packages(_: str) -> Iterator[Finding]:
    from importlib import metadata

    try:
        wanted = _requirements()
    except metadata.PackageNotFoundError:
        yield Finding("packages", "warning", "Linguacodus runs from its source tree", "pip install -e .")
        return
    right, wrong = _versions(wanted.pop(""))
    for requirement, version in wrong:
        text = f"{requirement.name}{requirement.specifier}"
        have = f"is {version}" if version else "is missing"
        if requirement.name == "fastapi" and version:
            have += ", which this Prefect does not work with"
        yield Finding(
            f"package {requirement.name}", "problem", f"{have}; needed: {text}", f'pip install "{text}"'
        )
    yield Finding("core packages", "ok", ", ".join(right))
    for extra, requirements in wanted.items():
        right, wrong = _versions(requirements)
        purpose = _PURPOSE.get(extra, "")
        if not wrong:
            yield Finding(f"extra {extra}", "ok", f"{purpose}: {', '.join(right)}")
            continue
        lacking = ", ".join(requirement.name for requirement, _ in wrong)
        verdict: Verdict = "warning" if extra in ("local", "programs") else "ok"
        detail = f"not installed, optional: {purpose} ({lacking})"
        yield Finding(f"extra {extra}", verdict, detail, f'pip install "linguacodus[{extra}]"')


def _prefect(_: str) -> Iterator[Finding]:
    from importlib import metadata

    import httpx

    from linguacodus_core.cli.flows import flow

    yield Finding(
        "Prefect", "ok", f"prefect {metadata.version('prefect')} with fastapi {metadata.version('fastapi')}"
    )
    url = flow("api_url")()
    if not url:
        yield Finding("Prefect API", "ok", "none configured: each run starts a temporary server")
        return
    try:
        answer = httpx.get(f"{url.rstrip('/')}/health", timeout=5)
        wrong = "" if answer.is_success else f"answers HTTP {answer.status_code}"
    except httpx.HTTPError as error:
        wrong = f"does not answer ({error})"
    if wrong:
        mend = "prefect server start   (or, to do without one: prefect config unset PREFECT_API_URL)"
        yield Finding("Prefect API", "problem", f"{url} {wrong}", mend)
    else:
        yield Finding("Prefect API", "ok", f"{url} answers")


def _sandbox(_: str) -> Iterator[Finding]:
    from linguacodus_core.sandbox.check import available
    from linguacodus_core.sandbox.limits import Limits
    from linguacodus_core.sandbox.run import run_program

    first = available()[0]
    if not first.works:
        yield Finding("sandbox", "problem", first.reason, first.remedy)
        return
    with tempfile.TemporaryDirectory(prefix="linguacodus-doctor-") as folder:
        workdir = Path(folder) / "job"
        done = run_program(_PROBE, {}, limits=Limits.for_machine(60), workdir=workdir)
        written = (workdir / "submission.csv").is_file()
    answer = done.stdout.split()
    if done.status != "ok" or not written or len(answer) != 3:
        said = done.why or (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        mend = f"{sys.executable} -m pip install --force-reinstall pandas lightgbm"
        if "libgomp" in said:
            mend = "apt-get install libgomp1"
        yield Finding("sandbox", "problem", f"a program ran in it and ended as {done.status}: {said}", mend)
        return
    if answer[1] != "closed":
        mend = "apt-get install --reinstall bubblewrap"
        yield Finding("sandbox", "problem", "the network is open inside the sandbox", mend)
    detail = f"a program ran in {done.seconds:.1f} s, its imports took {answer[0]} s\n"
    yield Finding("sandbox", "ok", detail + "\n".join(done.enforced))
    if answer[2] != "1":
        site = Path(sys.prefix) / "lib"
        detail = "packages are not compiled: every program compiles them anew, which takes seconds"
        yield Finding("compiled packages", "warning", detail, f"{sys.executable} -m compileall -q {site}")


def _models(profile: str) -> Iterator[Finding]:
    from linguacodus_core.llm import models
    from linguacodus_core.llm.adapted import models_of
    from linguacodus_core.llm.profiles import load_profile

    try:
        wanted = models_of(load_profile(profile))
    except LinguacodusError:
        wanted = []  # the endpoint's line says it
    needed = {models.identity(name) for name in wanted}
    for model in models.list_models():
        what = f"{model.name} ({model.bytes / 1e6:,.0f} MB)"
        pull = f"linguacodus models pull {model.name}"
        if model.present:
            found = models.check(model.name, thorough=True)
            yield Finding("model", "ok" if found.ok else "problem", f"{what}: {found.detail}", found.remedy)
        elif model.name in needed:
            yield Finding("model", "warning", f"{what}: not here; the first run fetches it", pull)
        else:
            yield Finding("model", "ok", f"{what}: not here, not needed by the profile {profile}", pull)


def _endpoint(profile: str) -> Iterator[Finding]:
    from linguacodus_core.llm.client import ping
    from linguacodus_core.llm.profiles import load_profile

    loaded = load_profile(profile)
    loaded.require_keys()
    places = loaded.places()
    for place, roles in places.items():
        found = ping(loaded, place=place)
        who = f"profile {profile}" + (f" ({', '.join(roles)})" if len(places) > 1 else "")
        if found.ok:
            where = found.name.removeprefix("endpoint ")
            yield Finding("endpoint", "ok", f"{who}, {where}: {found.detail}")
        else:
            detail = f"{who}: {found.detail}; without it `generate` has no language model"
            yield Finding("endpoint", "warning", detail, found.remedy)


def _adapters(_: str) -> Iterator[Finding]:
    from linguacodus_core.adapters import registry

    known = registry.list_adapters()
    try:
        adapter = registry.open_adapter("promoted") if registry.promoted() else None
    except LinguacodusError as error:
        yield Finding("adapters", "warning", error.problem, error.remedy)
        return
    if adapter is None:
        if known:
            mend = f"linguacodus adapters promote {known[0].name}"
            yield Finding("adapters", "ok", f"{len(known)}, none promoted; the profile tuned needs one", mend)
        else:
            yield Finding("adapters", "ok", "none yet; the profile tuned needs one", registry.TRAIN)
        return
    if problems := registry.verify(adapter):
        mend = "linguacodus adapters list; linguacodus adapters promote NAME"
        yield Finding("adapters", "warning", f"{adapter.name} (promoted): {'; '.join(problems)}", mend)
    else:
        yield Finding("adapters", "ok", f"{len(known)}, promoted: {adapter.name}")


def _prompts(_: str) -> Iterator[Finding]:
    from linguacodus_core.llm import prompts

    found = prompts.check_all()
    sets = sorted({prompt.set for prompt in found})
    if found:
        yield Finding("prompts", "ok", f"{len(found)} prompts, sets {', '.join(sets)}")
    else:
        mend = "pip install --force-reinstall --no-deps linguacodus"
        yield Finding("prompts", "problem", "no prompt was found", mend)


def _home(_: str) -> Iterator[Finding]:
    from linguacodus_core import settings
    from linguacodus_core.sandbox.machine import free_disk_mb

    mend = "export LINGUACODUS_HOME=/a/folder/you/may/write"
    try:
        home = settings.local_home()
        with tempfile.TemporaryFile(dir=home) as file:
            file.write(b"doctor")
    except OSError as error:
        yield Finding(
            "home", "problem", f"{settings.home()} cannot be written: {error.strerror or error}", mend
        )
        return
    free = free_disk_mb(home)
    verdict: Verdict = "problem" if free < 100 else "warning" if free < 2000 else "ok"
    need = "" if verdict == "ok" else "; a model and a run want about 2,000 MB"
    yield Finding(
        "home", verdict, f"{home}: writable, {free:,} MB free{need}", "" if verdict == "ok" else mend
    )
    if "://" in settings.home():
        import fsspec

        probe = f"{settings.home().rstrip('/')}/.doctor"
        system, path = fsspec.url_to_fs(probe)
        system.makedirs(system._parent(path), exist_ok=True)
        system.pipe_file(path, b"doctor")
        system.rm_file(path)
        yield Finding("store", "ok", f"{settings.home()}: writable")


def _machine(_: str) -> Iterator[Finding]:
    from linguacodus_core.sandbox import machine

    cores, memory = machine.cores(), machine.memory_mb()
    small = memory < 3000
    detail = f"{cores} cores, {memory:,} MB of memory" + ("; 3,000 MB are wanted" if small else "")
    mend = "linguacodus generate ... --profile embedded:smollm2-135m-instruct-q4_1" if small else ""
    yield Finding("machine", "warning" if small else "ok", detail, mend)
    if os.name == "posix" and os.getuid() == 0:
        detail = (
            "running as root: the kernel does not hold root's number of processes, only the watchdog does"
        )
        yield Finding("user", "warning", detail, "useradd --create-home linguacodus && su - linguacodus")


CHECKS: dict[str, Callable[[str], Iterator[Finding]]] = {
    "Python": _python,
    "packages": _packages,
    "Prefect": _prefect,
    "sandbox": _sandbox,
    "models": _models,
    "endpoint": _endpoint,
    "adapters": _adapters,
    "prompts": _prompts,
    "home": _home,
    "machine": _machine,
}


def examine(profile: str) -> Iterator[Finding]:
    """Every finding, check by check; a check that breaks gives a problem, never an exception."""
    for name, check in CHECKS.items():
        try:
            yield from check(profile)
        except LinguacodusError as error:
            yield Finding(name, "problem", error.problem, error.remedy)
        except (Exception, SystemExit) as error:
            mend = f"{sys.executable} -m pip install --upgrade --force-reinstall linguacodus"
            yield Finding(name, "problem", f"{type(error).__name__}: {error}", mend)


def doctor(
    profile: Annotated[str, typer.Option(help="The profile whose endpoint and model are checked.")] = "local",
    json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Check the installation: packages, sandbox, models, endpoint, prompts, disk; and how to mend each.

    Exit code 1 when something makes `linguacodus generate` impossible, else 0.
    """
    findings: list[Finding] = []
    if json:
        from json import dumps

        findings.extend(examine(profile))
        impossible = any(finding.verdict == "problem" for finding in findings)
        typer.echo(dumps({"ok": not impossible, "findings": [asdict(found) for found in findings]}, indent=2))
        raise typer.Exit(1 if impossible else 0)

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    styles = {"ok": "green", "warning": "yellow", "problem": "bold red"}
    with console.status("looking ..."):
        findings.extend(examine(profile))
    table = Table(box=None, pad_edge=False, show_header=False)
    for column in ("verdict", "about"):
        table.add_column(column, no_wrap=column == "verdict")
    table.add_column("detail", overflow="fold")
    for found in findings:
        detail = Text(found.detail)
        if found.remedy:
            detail.append(f"\n-> {found.remedy}", style="cyan")
        table.add_row(Text(found.verdict, style=styles[found.verdict]), Text(found.about), detail)
    console.print(table)
    problems = sum(found.verdict == "problem" for found in findings)
    warnings = sum(found.verdict == "warning" for found in findings)
    if problems:
        console.print(Text(f"{problems} to mend before `linguacodus generate` can run", style="bold red"))
        raise typer.Exit(1)
    rest = f", {warnings} worth a look" if warnings else ""
    console.print(Text(f"`linguacodus generate` can run{rest}", style="green"))
