"""Two versions compared: rows by table, competitions, solutions, instructions that came, went or changed."""

from collections.abc import Iterator

from linguacodus_core.dataset.version import TABLES, Version

MOST_NAMED = 10
BUILT_WITH = (
    "source", "fingerprint", "extractor", "curation", "grounding", "limit", "prompts", "prompt_sets",
    "context", "tokenizer", "held_out",
)  # fmt: skip


def differences(old: Version, new: Version) -> Iterator[str]:
    """The differences, one line each; none for the same content."""
    for name in TABLES:
        before, after = old.manifest.rows[name], new.manifest.rows[name]
        if old.manifest.content[name] != new.manifest.content[name]:
            yield f"{name}: {before:,} -> {after:,} rows ({after - before:+,})"
    for name in BUILT_WITH:
        was, is_ = old.manifest.inputs.get(name), new.manifest.inputs.get(name)
        if was != is_:
            yield f"built with another {name}: {was} -> {is_}"
    yield from _rows(old, new, "competitions", "competition", ("metric", "data_types"))
    yield from _rows(old, new, "solutions", "kernel", ("place", "code_sha256"))
    yield from _rows(old, new, "instructions", "solution", ("text",))


def _rows(old: Version, new: Version, name: str, key: str, compared: tuple[str, ...]) -> Iterator[str]:
    """What came, went and changed in one table; rows are the same when their keys are."""
    columns = list(dict.fromkeys([key, "competition", *compared]))
    sides = [
        {
            (row["competition"], row[key]): [row[column] for column in compared]
            for row in side.table(name, columns).to_pylist()
        }
        for side in (old, new)
    ]
    before, after = sides
    changed = [item for item in before if item in after and before[item] != after[item]]
    for what, items in (
        ("new", [item for item in after if item not in before]),
        ("gone", [item for item in before if item not in after]),
        ("changed", changed),
    ):
        if items:
            shown = ", ".join(str(item[1]) for item in sorted(items, key=str)[:MOST_NAMED])
            more = f", and {len(items) - MOST_NAMED:,} more" if len(items) > MOST_NAMED else ""
            yield f"{name} {what}: {len(items):,} ({shown}{more})"
