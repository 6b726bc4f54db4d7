"""What the syntax tree of a solution shows: models, splits, steps, and what they are made of."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Value = bool | int | float | str
Role = Literal["submitted", "fitted", "applied", "built"]
Purpose = Literal["evaluation", "search", "prepared"]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Model(_Frozen):
    """One predictive model that the code constructs.

    family: of FAMILIES; also: further families of the same network. name: the class, or the checkpoint of a
    pretrained one. role: how far it gets - its predictions are submitted; it is fitted; it is applied without
    fitting; it is only built. fitted: whether it is, whatever the role. settings: hyper-parameters whose
    values the code shows; tuned: those that are
    searched. layers: kinds of layer and how often each stands in the code. wrappers: what it stands in.
    """

    family: str
    also: tuple[str, ...] = ()
    name: str
    library: str
    role: Role
    fitted: bool = True
    settings: tuple[tuple[str, Value], ...] = ()
    tuned: tuple[str, ...] = ()
    layers: tuple[tuple[str, int], ...] = ()
    wrappers: tuple[str, ...] = ()
    line: int = 0


class Split(_Frozen):
    """One way in which rows are held back.

    scheme: of VALIDATIONS. folds, repeats: None where the code does not show them. size: the share (below 1)
    or the count held back. by: the column of groups or times. stratified: a hold-out that keeps the classes'
    shares. purpose: whether it evaluates models, chooses hyper-parameters, or is only prepared. how: the
    call.
    fits: whether a model is seen to be fitted in its folds.
    """

    scheme: str
    folds: int | None = None
    repeats: int | None = None
    size: float | None = None
    by: str = ""
    stratified: bool = False
    purpose: Purpose = "evaluation"
    how: str = ""
    fits: bool = False
    line: int = 0


class Step(_Frozen):
    """One thing done to data, predictions or training: `kind` says what (see `stepcatalog`), `how` the way.

    columns: the columns named. detail: a number, a formula, a source: what more the code shows.
    """

    kind: str
    how: str = ""
    columns: tuple[str, ...] = ()
    detail: str = ""
    line: int = 0


class Evidence(_Frozen):
    """Everything that one reading of the code found, in a fixed order.

    imported, used: import names of libraries, the latter by calls or attributes. called: last names of
    what is
    called, sorted. models: the most important first (submitted, fitted, applied, built; later before
    earlier).
    ensembles: stacking, voting, blend, fold average, in order. output: how predictions leave, or "".
    """

    imported: tuple[str, ...] = ()
    used: tuple[str, ...] = ()
    called: tuple[str, ...] = ()
    models: tuple[Model, ...] = ()
    splits: tuple[Split, ...] = ()
    steps: tuple[Step, ...] = ()
    ensembles: tuple[Step, ...] = ()
    output: str = ""

    def of(self, *kinds: str) -> tuple[Step, ...]:
        """The steps of those kinds, in order."""
        return tuple(step for step in self.steps if step.kind in kinds)

    @property
    def families(self) -> tuple[str, ...]:
        """Families of all models, the most important first, each once."""
        return tuple(dict.fromkeys(f for model in self.models for f in (model.family, *model.also)))
