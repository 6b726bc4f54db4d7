"""From what a reading collected to `Evidence`: dead code left out, parameters resolved, models ranked."""

from linguacodus_core.extraction import networks
from linguacodus_core.extraction.evidence import Evidence, Model, Role, Split, Step
from linguacodus_core.extraction.names import library
from linguacodus_core.extraction.networkcatalog import family_of_checkpoint
from linguacodus_core.extraction.reader import Reader
from linguacodus_core.extraction.scopes import Thing
from linguacodus_core.extraction.splits import scheme_of

_MOST_STEPS = 400


def gathered(reader: Reader) -> Evidence:
    """The evidence out of a reading."""
    ranks = _submitted(reader)
    _propagate(reader)
    models = _models(reader, ranks)
    if not models:
        _note_loaded(reader, ranks)
    alive = [step for step in reader.steps if not step.dead]
    for step in alive:
        if step.kind in ("drop", "use"):
            step.columns = {name: None for name in step.columns if name not in reader.targets}
    alive = [step for step in alive if step.kind not in ("drop", "use") or step.columns]
    steps: dict[tuple[str, str, tuple[str, ...], str], Step] = {}
    for step in sorted(alive, key=lambda noted: noted.line):
        key = (step.kind, step.how, tuple(step.columns), step.detail)
        if key not in steps and len(steps) < _MOST_STEPS:
            steps[key] = Step(
                kind=step.kind, how=step.how, columns=tuple(step.columns), detail=step.detail, line=step.line
            )
    used = {library(reader.names.aliases.get(name, name)) for name in reader.used}
    imported = tuple(sorted(reader.names.roots))
    return Evidence(
        imported=imported,
        used=tuple(sorted(used)),
        called=tuple(sorted(reader.called)),
        models=models,
        splits=_splits(reader),
        steps=tuple(steps.values()),
        ensembles=_ensembles(reader),
        output=_output(reader),
    )


def _note_loaded(reader: Reader, ranks: dict[int, int]) -> None:
    """Saved models of unknown family that are applied."""
    for number, thing in enumerate(reader.things):
        if thing.name == "loaded" and (thing.applied or number in ranks) and not thing.dead:
            path = str(thing.settings.get("path", ""))
            reader.note("loaded", "", (), path.rsplit("/", 1)[-1], thing.line)


def _expand(reader: Reader, refs: tuple[int, ...]) -> list[int]:
    """Refs with parameters replaced by what was passed for them, and what models hold."""
    found: dict[int, None] = {}
    stack = list(reversed(refs))
    while stack:
        ref = stack.pop()
        if ref in found:
            continue
        found[ref] = None
        thing = reader.things[ref]
        if thing.kind == "parameter":
            stack.extend(reversed(list(thing.bindings)))
    return list(found)


def _submitted(reader: Reader) -> dict[int, int]:
    """Ref -> how near it is to the submission (0 is nearest)."""
    ranks: dict[int, int] = {}
    ordered = sorted(reader.sinks, key=lambda sink: (_worth(sink[0]), sink[2]), reverse=True)
    for _, refs, _line in ordered:
        for ref in _expand(reader, refs):
            ranks.setdefault(ref, len(ranks))
    return ranks


def _worth(name: str) -> int:
    lowered = name.lower()
    if lowered in ("submission.csv", "submission.parquet", "inference server"):
        return 2
    return 1 if "sub" in lowered else 0


def _propagate(reader: Reader) -> None:
    """What a function does to its parameter it does to everything that was passed for it."""
    for number, thing in enumerate(reader.things):
        if thing.kind == "parameter" and (thing.fitted or thing.applied):
            for ref in _expand(reader, (number,)):
                other = reader.things[ref]
                other.fitted |= thing.fitted
                other.applied |= thing.applied
                other.touched = max(other.touched, thing.touched)


def _models(reader: Reader, ranks: dict[int, int]) -> tuple[Model, ...]:
    found = [
        (number, thing)
        for number, thing in enumerate(reader.things)
        if thing.kind in ("model", "network") and not thing.inner
    ]
    alive = [pair for pair in found if not pair[1].dead and not pair[1].helper]
    if not alive:
        alive = [pair for pair in found if not pair[1].helper]
    loaded = [pair for pair in found if pair[1].name == "loaded"]
    alive = [pair for pair in alive if pair[1].name != "loaded"] + [
        pair for pair in loaded if _name_loaded(pair[1]) and (pair[1].applied or pair[0] in ranks)
    ]
    loop = any(step.kind == "loop" for step in reader.steps)
    searched: dict[tuple[str, str], list[str]] = {}
    for _, thing in alive:
        searched.setdefault((thing.family, thing.name), []).extend(thing.tuned)
    best: dict[tuple[str, str], tuple[tuple[int, int, int], Model]] = {}
    for number, thing in alive:
        role = _role(thing, number in ranks)
        order = _ORDER[role]
        near = ranks.get(number, 0) if role == "submitted" else -thing.touched
        thing.tuned = searched[thing.family, thing.name]
        made = _model(thing, role, thing.fitted or (loop and thing.kind == "network"))
        key = (made.family, made.name)
        rank = (order, near, -thing.line)
        if (
            key not in best
            or rank < best[key][0]
            or (rank[0] == best[key][0][0] and not best[key][1].settings and made.settings)
        ):
            best[key] = (rank, made)
    ordered = sorted(best.values(), key=lambda pair: pair[0])
    return tuple(model for _, model in _features_last(ordered))


_ORDER: dict[Role, int] = {"submitted": 0, "fitted": 1, "applied": 2, "built": 3}


def _features_last(
    ordered: list[tuple[tuple[int, int, int], Model]],
) -> list[tuple[tuple[int, int, int], Model]]:
    """Clusters make features where there is another model; they come last then."""
    if any(model.family != "clustering" for _, model in ordered):
        return [p for p in ordered if p[1].family != "clustering"] + [
            p for p in ordered if p[1].family == "clustering"
        ]
    return ordered


def _role(thing: Thing, submitted: bool) -> Role:
    if thing.dead:
        return "built"
    if submitted:
        return "submitted"
    return "fitted" if thing.fitted else "applied" if thing.applied else "built"


def _name_loaded(thing: Thing) -> bool:
    """Give a loaded model the family that its path names; whether it has one."""
    path = str(thing.settings.get("path", "")).lower()
    for word, family in (
        ("lgb", "lightgbm"),
        ("lightgbm", "lightgbm"),
        ("xgb", "xgboost"),
        ("catboost", "catboost"),
        ("cat_", "catboost"),
    ):
        if word in path:
            thing.family, thing.name, thing.library = family, f"{family}.Booster", family
            return True
    thing.family = family_of_checkpoint(path) or ""
    if thing.family:
        thing.name = networks.label_of(str(thing.settings["path"]))
        thing.settings["checkpoint"] = thing.name
    return bool(thing.family)


def _model(thing: Thing, role: Role, fitted: bool) -> Model:
    settings = {
        name: "-".join(map(str, value)) if isinstance(value, list) else value
        for name, value in thing.settings.items()
    }
    name = _shown_name(thing)
    return Model(
        family=thing.family,
        also=thing.also,
        name=name,
        library=thing.library,
        role=role,
        fitted=fitted,
        settings=tuple(settings.items()),
        tuned=tuple(dict.fromkeys(thing.tuned)),
        layers=tuple(sorted(thing.layers.items())),
        wrappers=tuple(dict.fromkeys(thing.wrappers)),
        line=thing.line,
    )


def _splits(reader: Reader) -> tuple[Split, ...]:
    """All splits; a splitter that never splits counts only where nothing else does."""
    found = [split for split in reader.splits if split.purpose != "prepared"]
    counted = reader.fold_counts if reader.fit_count else []
    if counted:
        found = [split.model_copy(update={"fits": True}) for split in found]
    if not any(split.purpose == "evaluation" for split in found) and counted:
        found.append(Split(scheme="kfold", folds=next((f for f in counted if f), None), how="fold column"))
    if not found:
        found = list(reader.splits)
    if not found:
        for thing in reader.things:
            if thing.kind == "splitter":
                found.append(
                    Split(
                        scheme=scheme_of(thing.name),
                        folds=thing.settings.get("folds"),
                        purpose="prepared",
                        how=thing.name,
                        line=thing.line,
                    )
                )
    return tuple(found)


def _ensembles(reader: Reader) -> tuple[Step, ...]:
    """The ensembles with the names of their members; of a stack, `detail` names the model above them."""
    found: dict[tuple[str, tuple[str, ...], str], Step] = {}
    for joined in reader.ensembles:
        names = tuple(dict.fromkeys(_shown_name(reader.things[ref]) for ref in joined.members))
        detail = _shown_name(reader.things[joined.final]) if joined.final >= 0 else joined.detail
        found.setdefault(
            (joined.kind, names, detail),
            Step(kind=joined.kind, columns=names, detail=detail, line=joined.line),
        )
    return tuple(found.values())


def _shown_name(thing: Thing) -> str:
    return str(thing.settings.get("checkpoint") or thing.name)


def _output(reader: Reader) -> str:
    if not reader.sinks:
        return ""
    name = max(reader.sinks, key=lambda sink: (_worth(sink[0]), sink[2]))[0]
    return name or "table"
