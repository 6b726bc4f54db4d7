"""The schemas of every table that Linguacodus writes (Parquet, one schema a name)."""

import pyarrow as pa

TEXT, COUNT, REAL, FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()
TEXTS = pa.list_(TEXT)
MESSAGES = pa.list_(pa.struct([("role", TEXT), ("content", TEXT)]))
"""Chat messages, as TRL's conversational prompt-completion format has them."""

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
"""The tables of a run. Lists and mappings inside a row are JSON text. Scores are in the metric's own unit."""

DATASET: dict[str, pa.Schema] = {
    "competitions": pa.schema(
        [
            ("competition", TEXT),
            ("title", TEXT),
            ("description", TEXT),
            ("link", TEXT),
            ("data_types", TEXTS),
            ("data_types_from", TEXT),
            ("metric_name", TEXT),
            ("metric", TEXT),
            ("metric_category", TEXT),
            ("direction", TEXT),
            ("metric_from", TEXT),
            ("tags", TEXTS),
        ]
    ),
    "kernels": pa.schema(
        [
            ("kernel", TEXT),
            ("competition", TEXT),
            ("title", TEXT),
            ("link", TEXT),
            ("language", TEXT),
            ("kind", TEXT),
            ("score", REAL),
            ("listed", COUNT),
            ("stated_score", REAL),
            ("votes", COUNT),
            ("comments", COUNT),
        ]
    ),
    "code_blocks": pa.schema(
        [("kernel", TEXT), ("block", COUNT), ("kind", TEXT), ("code", TEXT), ("label", TEXT)]
    ),
    "solutions": pa.schema(
        [
            ("solution", TEXT),
            ("kernel", TEXT),
            ("competition", TEXT),
            ("place", COUNT),
            ("ranked_by", TEXT),
            ("score", REAL),
            ("votes", COUNT),
            ("code", TEXT),
            ("code_sha256", TEXT),
            ("lines", COUNT),
        ]
    ),
    "instructions": pa.schema(
        [
            ("instruction", TEXT),
            ("solution", TEXT),
            ("competition", TEXT),
            ("extractor", TEXT),
            ("model", TEXT),
            ("prompt", TEXT),
            ("text", TEXT),
            ("preprocessing", TEXT),
            ("architecture", TEXT),
            ("training", TEXT),
            ("libraries", TEXTS),
            ("families", TEXTS),
            ("validation", TEXT),
            ("features", TEXTS),
            ("hyperparameters", TEXT),
            ("grounding", REAL),
            ("unsupported", TEXTS),
            ("code_tokens_cut", COUNT),
            ("calls", TEXTS),
        ]
    ),
    "examples": pa.schema(
        [
            ("example", TEXT),
            ("split", TEXT),
            ("prompt_set", TEXT),
            ("prompt_label", TEXT),
            ("competition", TEXT),
            ("solution", TEXT),
            ("instruction", TEXT),
            ("place", COUNT),
            ("prompt", MESSAGES),
            ("completion", MESSAGES),
            ("text", TEXT),
            ("prompt_tokens", COUNT),
            ("completion_tokens", COUNT),
            ("description_tokens_cut", COUNT),
        ]
    ),
    "dropped": pa.schema(
        [("table", TEXT), ("row", TEXT), ("competition", TEXT), ("reason", TEXT), ("detail", TEXT)]
    ),
    "popularity": pa.schema(
        [
            ("data_type", TEXT),
            ("metric_category", TEXT),
            ("family", TEXT),
            ("solutions", COUNT),
            ("cell_solutions", COUNT),
            ("share", REAL),
        ]
    ),
    "llm_calls": SCHEMAS["llm_calls"],
}
"""The tables of a dataset version; `competitions`, `kernels` and `code_blocks` are also what sources yield.

A kernel's `listed` is its position where only an order by score is known (1 is best), `stated_score` what
its own title or text says. A block's `kind` is code or markdown. A solution's `place` (1 is best) is null
where nothing ranks it; `ranked_by` is score, listed, stated or nothing. `hyperparameters` is JSON text.
"""


def table(name: str, rows: list[dict[str, object]], schemas: dict[str, pa.Schema] = SCHEMAS) -> pa.Table:
    """Rows as an Arrow table of the named schema. Raises KeyError for an unknown name or column."""
    schema = schemas[name]
    for row in rows:
        if unknown := set(row) - set(schema.names):
            raise KeyError(f"table {name} has no column {sorted(unknown)}")
    return pa.Table.from_pylist(rows, schema=schema)
