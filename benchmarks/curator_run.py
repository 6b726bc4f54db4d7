"""The work of extraction_engine.py through bespokelabs-curator; started by it, in an environment of its own.

    python curator_run.py PROMPTS.jsonl BASE_URL CONCURRENCY

PROMPTS.jsonl: one list of chat messages a line. Prints one JSON line: rows that came back whole, wall and
CPU seconds of the call itself (imports and the making of the data set are not counted).
"""

import json
import sys
import time
from pathlib import Path

from bespokelabs import curator
from datasets import Dataset
from pydantic import BaseModel

PLENTY = 100_000_000
"""A minute's requests and tokens: so many that curator's own limiter never waits."""


class Hyperparameter(BaseModel):
    """One hyper-parameter."""

    name: str
    value: str


class Extraction(BaseModel):
    """The reply: the same fields as the schema of extraction_engine.py."""

    text: str
    preprocessing: str
    architecture: str
    training: str
    libraries: list[str]
    families: list[str]
    validation: str
    features: list[str]
    hyperparameters: list[Hyperparameter]


class Extractor(curator.LLM):
    """Asks for one row's messages; a row back is the parsed reply."""

    response_format = Extraction

    def prompt(self, row: dict) -> list[dict]:
        """The chat messages."""
        return json.loads(row["messages"])

    def parse(self, row: dict, response: Extraction) -> dict:
        """The reply's fields that the count needs."""
        return {"number": row["number"], "text": response.text, "families": response.families}


def main() -> None:
    """Ask for every prompt and print what it took."""
    prompts, url, concurrency = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    lines = prompts.read_text().splitlines()
    rows = Dataset.from_list([{"number": number, "messages": line} for number, line in enumerate(lines)])
    began, cpu = time.perf_counter(), time.process_time()
    extractor = Extractor(
        model_name="gpt-4.1-mini-2025-04-14",
        backend="openai",
        generation_params={"temperature": 0.2, "max_tokens": 1024},
        backend_params={
            "base_url": url,
            "max_concurrent_requests": concurrency,
            "max_requests_per_minute": PLENTY,
            "max_tokens_per_minute": PLENTY,
        },
    )
    found = extractor(rows)
    found = getattr(found, "dataset", found)
    whole = sum(1 for text in found["text"] if text)
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(json.dumps({"rows": whole, "wall": wall, "cpu": cpu}))


if __name__ == "__main__":
    main()
