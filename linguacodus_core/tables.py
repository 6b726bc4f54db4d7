"""The schemas of every table that Linguacodus writes (Parquet, one schema a name)."""

import pyarrow as pa

TEXT, COUNT, REAL, FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()

SCHEMAS: dict[str, pa.Schema] = {
    "candidates": pa.schema(
        [
            ("candidate", TEXT),
            ("route", TEXT),
            ("label", TEXT),
            ("instruction", TEXT),
            ("status", TEXT),
            ("score", REAL),
            ("score_spread", REAL),
            ("claimed", REAL),
            ("best", FLAG),
            ("elapsed", REAL),
            ("seconds", REAL),
            ("peak_mb", REAL),
            ("error", TEXT),
            ("origin", TEXT),
            ("repairs", TEXT),
            ("plan", TEXT),
            ("prompts", TEXT),
            ("calls", TEXT),
            ("program", TEXT),
        ]
    ),
    "llm_calls": pa.schema(
        [
            ("key", TEXT),
            ("role", TEXT),
            ("model", TEXT),
            ("endpoint", TEXT),
            ("prompt", TEXT),
            ("messages", TEXT),
            ("parameters", TEXT),
            ("reply", TEXT),
            ("finish_reason", TEXT),
            ("prompt_tokens", COUNT),
            ("completion_tokens", COUNT),
            ("usd", REAL),
            ("seconds", REAL),
            ("attempts", COUNT),
            ("created", TEXT),
        ]
    ),
    "instructions": pa.schema(
        [
            ("instruction", TEXT),
            ("kind", TEXT),
            ("place", COUNT),
            ("text", TEXT),
            ("critique", TEXT),
            ("parents", TEXT),
            ("model", TEXT),
            ("prompt", TEXT),
            ("calls", TEXT),
        ]
    ),
}
"""Lists and mappings inside a row are JSON text. Scores are in the metric's own unit."""


def table(name: str, rows: list[dict[str, object]]) -> pa.Table:
    """Rows as an Arrow table of the named schema. Raises KeyError for an unknown name or column."""
    schema = SCHEMAS[name]
    for row in rows:
        if unknown := set(row) - set(schema.names):
            raise KeyError(f"table {name} has no column {sorted(unknown)}")
    return pa.Table.from_pylist(rows, schema=schema)
