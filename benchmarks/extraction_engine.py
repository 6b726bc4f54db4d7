"""How close do thousands of extraction calls come to what the endpoint allows?

    python benchmarks/extraction_engine.py [--calls 7023] [--latency 0.2] [--concurrency 64]

A local endpoint answers every request after a fixed latency (slow_endpoint.py, in a process of its own). The
same calls, about 1,500 tokens of code each, a schema and a reply of about 250 tokens, go through
`linguacodus_core.llm.bulk.each` (prompt rendering, ledger, budget, validation, progress) and through
bespokelabs-curator, which is installed from PyPI into a virtual environment of its own, under
~/.cache/linguacodus/benchmarks, with its caches off and its rate limits out of the way. Printed beside them:
the ideal (calls x latency / concurrency), and the same calls once more, answered by the ledger.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from linguacodus_core.llm.budget import Budget
from linguacodus_core.llm.bulk import each
from linguacodus_core.llm.client import Client, Completion
from linguacodus_core.llm.ledger import Ledger
from linguacodus_core.llm.profiles import Profile
from linguacodus_core.llm.progress import Progress
from linguacodus_core.llm.prompts import Prompt, Rendered

HERE = Path(__file__).parent
CURATOR = Path.home() / ".cache" / "linguacodus" / "benchmarks" / "curator"
CODE_LETTERS = 5_200
"""About 1,500 tokens of Python."""
TEXT: dict[str, Any] = {"type": "string"}
TEXTS: dict[str, Any] = {"type": "array", "items": TEXT}


def closed(**fields: dict[str, Any]) -> dict[str, Any]:
    """The schema of an object with exactly these fields."""
    return {
        "type": "object",
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }


SCHEMA = closed(
    text=TEXT,
    preprocessing=TEXT,
    architecture=TEXT,
    training=TEXT,
    libraries=TEXTS,
    families=TEXTS,
    validation=TEXT,
    features=TEXTS,
    hyperparameters={"type": "array", "items": closed(name=TEXT, value=TEXT)},
)
PROMPT = Prompt(
    name="extract",
    version=1,
    description="Describe the solution of a notebook.",
    variables=["title", "code"],
    system="You read machine-learning notebooks and describe how they solve their task, briefly.",
    body=(
        "Notebook: {{ title }}\n\n```python\n{{ code }}\n```\n\nDescribe the solution so that an engineer "
        "can write it again: preprocessing, architecture and training, and the libraries, model families, "
        "validation scheme, features and hyper-parameters that it uses. Claim nothing that the code does "
        "not show."
    ),
    set="benchmark",
    sha256="0" * 64,
)


def codes(calls: int) -> Iterator[tuple[int, str]]:
    """Number and code of every call: pieces of scikit-learn's sources, the same in every run."""
    files = sorted(Path(sysconfig.get_path("purelib"), "sklearn", "linear_model").glob("*.py"))
    text = "\n".join(file.read_text("utf-8") for file in files)
    choose = random.Random(0)
    for number in range(calls):
        at = choose.randrange(len(text) - CODE_LETTERS)
        yield number, text[at : at + CODE_LETTERS]


def rendered(number: int, code: str) -> Rendered:
    """The prompt of one call."""
    return PROMPT.render(title=f"notebook {number}", code=code)


@contextmanager
def endpoint(latency: float) -> Iterator[str]:
    """The slow endpoint, in a process of its own; yields its base URL."""
    command = [sys.executable, str(HERE / "slow_endpoint.py"), "--latency", str(latency)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        process.stdin.close()


def asked(url: str) -> dict[str, float]:
    """What the endpoint was asked so far: requests, most at a time, its processor seconds."""
    with urllib.request.urlopen(f"{url}/asked") as reply:
        return dict(json.load(reply))


def said(told: dict[str, float]) -> str:
    """That, as the end of a sentence."""
    most = f"at most {told['most']} at a time, {told['cpu']:.1f} s of processor time"
    return f"was asked {told['requests']:,} times, {most}"


def ours(url: str, calls: int, concurrency: int, ledger: Path) -> tuple[float, float]:
    """Wall and CPU seconds of every call through the bulk engine."""
    role = {
        "model": "gpt-4.1-mini-2025-04-14",
        "temperature": 0.2,
        "max_tokens": 1024,
        "prices": {"input": 0.4, "output": 1.6},
    }
    profile = Profile.model_validate(
        {
            "name": "benchmark",
            "endpoint": url,
            "context": 128_000,
            "concurrency": concurrency,
            "roles": dict.fromkeys(("extractor", "instructor", "refiner", "coder"), role),
        }
    )

    def show(progress: Progress) -> None:
        if progress.done % 500 == 0 or progress.left == 0:
            print(f"\r{progress.line():<110}", end="", file=sys.stderr, flush=True)

    began, cpu = time.perf_counter(), time.process_time()
    with Ledger(ledger) as book, Client(profile, book, Budget(usd=1000.0)) as client:

        def ask(row: tuple[int, str]) -> Completion:
            return client.complete("extractor", rendered(*row), schema=SCHEMA)

        whole = sum(
            isinstance(result, Completion) and result.parsed is not None
            for _, result in each(client, codes(calls), ask, total=calls, on_done=show)
        )
    spent = time.perf_counter() - began, time.process_time() - cpu
    print(file=sys.stderr)
    if whole != calls:
        raise SystemExit(f"only {whole} of {calls} calls came back whole")
    return spent


def curator_python() -> Path:
    """The interpreter of a virtual environment that has bespokelabs-curator; made where it is missing."""
    python = CURATOR / "bin" / "python"
    known = [python, "-c", "import bespokelabs.curator"]
    if not python.exists() or subprocess.run(known, capture_output=True).returncode:
        print(f"installing bespokelabs-curator into {CURATOR}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(CURATOR)], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "bespokelabs-curator"], check=True)
    return python


def curators_environment(folder: Path) -> dict[str, str]:
    """No cache, no telemetry, nothing from the network; its tokenizer is the copy that litellm carries."""
    tokenizers = "lib/*/site-packages/litellm/litellm_core_utils/tokenizers"
    return {
        **os.environ,
        "CURATOR_DISABLE_CACHE": "true",
        "CURATOR_DISABLE_RICH_DISPLAY": "1",
        "HF_HUB_OFFLINE": "1",
        "HOME": str(folder),
        "NO_PROXY": "127.0.0.1",
        "OPENAI_API_KEY": "none",
        "TELEMETRY_ENABLED": "false",
        "TIKTOKEN_CACHE_DIR": next(map(str, CURATOR.glob(tokenizers)), ""),
    }


def curators(url: str, calls: int, concurrency: int, folder: Path) -> dict[str, float]:
    """Rows, wall and CPU seconds of the same calls through curator. Raises RuntimeError: it cannot run."""
    try:
        python = curator_python()
    except (OSError, subprocess.CalledProcessError) as error:
        raise RuntimeError(f"it does not install: {error}") from error
    prompts = folder / "prompts.jsonl"
    with prompts.open("w") as stream:
        for row in codes(calls):
            stream.write(json.dumps(rendered(*row).messages) + "\n")
    command = [str(python), str(HERE / "curator_run.py"), str(prompts), url, str(concurrency)]
    run = subprocess.run(
        command, capture_output=True, text=True, env=curators_environment(folder), cwd=folder
    )
    lines = run.stdout.strip().splitlines()
    if run.returncode or not lines:
        raise RuntimeError(f"it does not run: {run.stderr.strip()[-1500:]}")
    return dict(json.loads(lines[-1]))


def main() -> None:
    """Run ours, ours again from the ledger, and curator; print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=7023)
    parser.add_argument("--latency", type=float, default=0.2, help="seconds until the endpoint answers")
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--without-curator", action="store_true")
    options = parser.parse_args()
    calls, concurrency = options.calls, options.concurrency
    ideal = calls * options.latency / concurrency
    rows: list[tuple[str, float, float]] = []
    notes = [f"load before: {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with endpoint(options.latency) as url:
            rows.append(("linguacodus", *ours(url, calls, concurrency, folder / "ledger.sqlite")))
            notes.append(f"linguacodus: the endpoint {said(asked(url))}")
        with endpoint(options.latency) as url:
            again = ours(url, calls, concurrency, folder / "ledger.sqlite")
            rows.append(("the same again, by the ledger", *again))
            if asked(url)["requests"]:
                raise SystemExit("calls that the ledger knew were made again")
        if not options.without_curator:
            try:
                with endpoint(options.latency) as url:
                    found = curators(url, calls, concurrency, folder)
                    rows.append(("bespokelabs-curator", found["wall"], found["cpu"]))
                    notes.append(
                        f"curator: {found['rows']:,} rows came back; the endpoint {said(asked(url))}"
                    )
            except RuntimeError as error:
                notes.append(f"bespokelabs-curator: {error}")
    notes.append(f"load after: {os.getloadavg()[0]:.2f}")
    print(f"{calls:,} calls, {options.latency:g} s each, {concurrency} at a time: ideal {ideal:.2f} s\n")
    print("| | wall seconds | of the ideal | rows/s | CPU seconds | CPU ms a row |")
    print("|---|---|---|---|---|---|")
    for label, wall, cpu in rows:
        share = f"{wall / ideal:.3f}"
        print(
            f"| {label} | {wall:.2f} | {share} | {calls / wall:,.0f} | {cpu:.1f} | {1000 * cpu / calls:.2f} |"
        )
    print("\n" + "\n".join(notes))


if __name__ == "__main__":
    main()
