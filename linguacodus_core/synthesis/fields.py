"""A JSON schema in a few lines that a prompt can show: each field with its choices."""

from typing import Any

MOST_CHOICES = 14


def _resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """The schema behind a $ref or a lone allOf."""
    while True:
        if "$ref" in schema:
            parts = schema["$ref"].removeprefix("#/").split("/")
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            target: Any = root
            for part in parts:
                target = target[part]
            schema = {**target, **rest}
        elif len(schema.get("allOf", ())) == 1:
            schema = {**schema["allOf"][0], **{key: value for key, value in schema.items() if key != "allOf"}}
        else:
            return schema


def _shape(
    schema: dict[str, Any], root: dict[str, Any], depth: int, seen: dict[str, str] | None = None
) -> str:
    seen = {} if seen is None else seen
    schema = _resolved(schema, root)
    if "const" in schema:
        return str(schema["const"])
    if "enum" in schema:
        shown = [str(item) for item in schema["enum"][:MOST_CHOICES]]
        listed = " | ".join([*shown, "..."] if len(schema["enum"]) > MOST_CHOICES else shown)
        if len(shown) > 3 and listed in seen:
            return seen[listed]
        seen[listed] = f"one of {shown[0]} ... as above"
        return listed
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(_shape(option, root, depth, seen) for option in schema[key]))
    kind = schema.get("type", "")
    if kind == "array":
        most = f"up to {schema['maxItems']} of " if "maxItems" in schema else "list of "
        items = schema.get("items")
        return most + (_shape(items, root, depth, seen) if isinstance(items, dict) else "anything")
    if kind == "object" or "properties" in schema:
        if depth <= 0:
            return "object"
        inner = (
            f"{name}: {_shape(part, root, depth - 1, seen)}"
            for name, part in schema.get("properties", {}).items()
        )
        return "{" + "; ".join(inner) + "}"
    if kind in ("integer", "number"):
        low = schema.get("minimum", schema.get("exclusiveMinimum"))
        high = schema.get("maximum", schema.get("exclusiveMaximum"))
        return f"{low} to {high}" if low is not None and high is not None else kind
    if kind == "string":
        return f"text of at most {schema['maxLength']} characters" if "maxLength" in schema else "text"
    return {"boolean": "true | false", "null": "null"}.get(kind, kind or "anything")


def describe(schema: dict[str, Any], depth: int = 2) -> str:
    """One line a field: its name, its choices or range, its description."""
    root = schema
    lines = []
    for name, part in _resolved(schema, root).get("properties", {}).items():
        about = _resolved(part, root).get("description", "")
        lines.append(f"- {name}: {_shape(part, root, depth)}" + (f" ({about})" if about else ""))
    return "\n".join(lines)
