"""Profiles: which endpoint, model and sampling each role uses, from a TOML file.

A profile is one of those that ship (local, openai, tuned, tuned-vllm, vllm),
LINGUACODUS_HOME/profiles/NAME.toml, the path of a .toml file, `embedded:MODEL`: the profile local with
another embedded model, or `adapter:NAME`: the profile tuned with another adapter. The table [defaults]
holds what a role does not say itself. An API key is never in a profile: `api_key_env` names the
environment variable that holds it.

A role may go elsewhere than the profile: to an endpoint of its own, an embedded model, or an adapter of
the registry. Which adapter `adapter:promoted` is, is settled when the profile is loaded: from then on the
profile says its name, and so do the ledger's keys and the identity of a run.
"""

import difflib
import os
import re
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from linguacodus_core.adapters.registry import open_adapter
from linguacodus_core.errors import ModelUnavailable, ProfileError
from linguacodus_core.llm import models
from linguacodus_core.llm.place import ADAPTER, BASE, EMBEDDED, Place
from linguacodus_core.settings import local_home

RoleName = Literal["extractor", "instructor", "refiner", "coder"]


def variable_name(value: str | None) -> str | None:
    """The value when it can name an environment variable. Raises ValueError."""
    if value is not None and not re.fullmatch(r"[A-Z_][A-Z0-9_]*", value):
        raise ValueError("must be the NAME of an environment variable, not its value")
    return value


class Prices(BaseModel):
    """US dollars a million tokens. batch_discount: what the Batch API takes off, 0.5 for half the price."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: float = Field(default=0.0, ge=0)
    output: float = Field(default=0.0, ge=0)
    batch_discount: float = Field(default=0.5, ge=0, le=1)

    def usd(self, prompt_tokens: int, completion_tokens: int) -> float:
        """What a call of so many tokens costs, in US dollars."""
        return (prompt_tokens * self.input + completion_tokens * self.output) / 1e6

    def in_batch(self) -> "Prices":
        """The prices of the Batch API."""
        share = 1 - self.batch_discount
        return Prices(input=self.input * share, output=self.output * share, batch_discount=0.0)


class Role(BaseModel):
    """How one role is played. `temperature` and `top_p` None: the endpoint's own default.

    endpoint: where its calls go instead of the profile's: a URL, `embedded:<model>` or `adapter:<name>`.
    endpoint_env: an environment variable that, when set, replaces endpoint. api_key_env: names the key
    of that endpoint, never the profile's. A role with an endpoint of its own takes neither model nor
    prices from the defaults.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(min_length=1)
    endpoint: str | None = None
    endpoint_env: str | None = None
    api_key_env: str | None = None
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: int = Field(default=1024, ge=1)
    prices: Prices = Prices()

    @field_validator("endpoint")
    @classmethod
    def _known_scheme(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://", EMBEDDED, ADAPTER)):
            raise ValueError("must be an http(s) URL, embedded:<model> or adapter:<name>")
        return value and value.rstrip("/")

    @field_validator("api_key_env", "endpoint_env")
    @classmethod
    def _variable_name(cls, value: str | None) -> str | None:
        return variable_name(value)

    @model_validator(mode="after")
    def _key_of_its_own_endpoint(self) -> Self:
        if self.api_key_env and not (self.endpoint or self.endpoint_env):
            raise ValueError("api_key_env goes with an endpoint of the role's own")
        return self


class Roles(BaseModel):
    """The four roles."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    extractor: Role
    instructor: Role
    refiner: Role
    coder: Role


class Profile(BaseModel):
    """One profile.

    endpoint: base URL of an OpenAI-compatible API, or `embedded:<model or path of a .gguf>`.
    endpoint_env: an environment variable that, when set, replaces endpoint. context: tokens of
    prompt and reply together. schema_mode: whether the endpoint decodes under a JSON schema.
    concurrency: calls at a time. timeout: seconds for one call, every retry included;
    attempt_timeout: seconds for one attempt of it. token_field: what the endpoint calls max_tokens.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    description: str = ""
    endpoint: str
    endpoint_env: str | None = None
    api_key_env: str | None = None
    context: int = Field(default=8192, ge=512)
    schema_mode: Literal["json_schema", "none"] = "json_schema"
    token_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    concurrency: int = Field(default=4, ge=1, le=1024)
    timeout: float = Field(default=300.0, gt=0)
    attempt_timeout: float | None = Field(default=None, gt=0)
    max_retries: int = Field(default=4, ge=0)
    prompt_set: str = "default"
    roles: Roles

    @field_validator("endpoint")
    @classmethod
    def _known_scheme(cls, value: str) -> str:
        if not value.startswith(("http://", "https://", EMBEDDED)):
            raise ValueError("must be an http(s) URL or embedded:<model>")
        return value.rstrip("/")

    @field_validator("api_key_env", "endpoint_env")
    @classmethod
    def _variable_name(cls, value: str | None) -> str | None:
        return variable_name(value)

    @model_validator(mode="after")
    def _room_for_a_reply(self) -> Self:
        for name, role in self.roles:
            if role.max_tokens >= self.context:
                raise ValueError(f"roles.{name}.max_tokens must be less than context ({self.context})")
        return self

    @property
    def place(self) -> Place:
        """Where the calls of roles go that do not go elsewhere."""
        return Place(endpoint=self.endpoint, api_key_env=self.api_key_env)

    def place_of(self, role: str) -> Place:
        """Where that role's calls go. Raises ProfileError for an unknown role."""
        found = self.role(role)
        if found.endpoint is None:
            return self.place
        return Place(endpoint=found.endpoint, api_key_env=found.api_key_env)

    def places(self) -> dict[Place, tuple[str, ...]]:
        """Every place that some role's calls go to, with these roles; the profile's own first."""
        found: dict[Place, tuple[str, ...]] = {self.place: ()}
        for name in Roles.model_fields:
            place = self.place_of(name)
            found[place] = (*found.get(place, ()), name)
        return {place: roles for place, roles in found.items() if roles}

    def role(self, name: str) -> Role:
        """The role of that name. Raises ProfileError for an unknown one."""
        if name not in Roles.model_fields:
            raise ProfileError(
                f"there is no role {name!r}", f"the roles are: {', '.join(Roles.model_fields)}"
            )
        found: Role = getattr(self.roles, name)
        return found

    def api_key(self, place: Place | None = None) -> SecretStr:
        """The API key of a place (default: the profile's own) from the environment.

        A placeholder where none is needed. Raises ProfileError saying which variable to set.
        """
        variable = (place or self.place).api_key_env
        if variable is None:
            return SecretStr("none")
        key = os.environ.get(variable, "").strip()
        if not key:
            raise ProfileError(
                f"the profile {self.name} needs an API key, and {variable} is not set",
                f"export {variable}=..., or use --profile local, which needs none",
            )
        return SecretStr(key)

    def require_keys(self) -> None:
        """Raise ProfileError unless the API key of every place is set."""
        for place in self.places():
            self.api_key(place)

    def keyless(self) -> "Profile":
        """The same profile as if no endpoint needed a key, for work that sends nothing."""
        roles = {name: role.model_copy(update={"api_key_env": None}) for name, role in self.roles}
        return self.model_copy(update={"api_key_env": None, "roles": Roles.model_validate(roles)})


def load_profile(name_or_path: str) -> Profile:
    """The profile of that name, of that .toml file, of `embedded:MODEL` or of `adapter:NAME`.

    Raises ProfileError: unknown (with those that are known), not valid TOML, or a wrong field;
    AdapterError: it names an adapter that there is not, or the promoted one and none is.
    """
    if name_or_path.startswith((EMBEDDED, ADAPTER)):
        tuned = name_or_path.startswith(ADAPTER)
        where = f"the profile {name_or_path}"
        fields = _fields(_shipped("tuned" if tuned else "local"), where)
        if tuned:
            fields["roles"]["instructor"] |= {"endpoint": name_or_path, "model": name_or_path}
        else:
            fields["endpoint"] = name_or_path
        return _profile(fields, where)
    if name_or_path.endswith(".toml") or os.sep in name_or_path:
        return _profile(_fields(_text(Path(name_or_path).expanduser()), name_or_path), name_or_path)
    own = _own_folder() / f"{name_or_path}.toml"
    if own.is_file():
        return _profile(_fields(_text(own), str(own)), str(own))
    known = list_profiles()
    if name_or_path not in known:
        close = difflib.get_close_matches(name_or_path, known, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]}? " if close else ""
        raise ProfileError(
            f"there is no profile {name_or_path!r}",
            f"{hint}Known: {', '.join(known)}; "
            f"or give the path of a .toml file, or put one into {_own_folder()}",
        )
    where = f"the profile {name_or_path}"
    return _profile(_fields(_shipped(name_or_path), where), where)


def list_profiles() -> list[str]:
    """The names that load_profile knows: those that ship, then the user's own."""
    shipped = resources.files("linguacodus_core.llm").joinpath("profiles")
    names = {entry.name[:-5] for entry in shipped.iterdir() if entry.name.endswith(".toml")}
    return sorted(names) + sorted({path.stem for path in _own_folder().glob("*.toml")} - names)


def _own_folder() -> Path:
    return local_home() / "profiles"


def _shipped(name: str) -> str:
    return resources.files("linguacodus_core.llm").joinpath("profiles", f"{name}.toml").read_text("utf-8")


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileError(f"the profile {file} cannot be read: {error}", "check the path") from error


def _fields(text: str, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{where} is not valid TOML: {error}", "mend that line") from error


def _profile(fields: dict[str, Any], where: str) -> Profile:
    defaults, roles = fields.pop("defaults", {}), fields.get("roles", {})
    if not isinstance(defaults, dict) or not isinstance(roles, dict):
        raise ProfileError(
            f"{where}: defaults and roles must be tables", "write [defaults] and [roles.coder]"
        )
    _from_environment(fields)
    endpoint = fields.get("endpoint")
    if isinstance(endpoint, str) and endpoint.startswith(EMBEDDED):
        defaults = {"model": _embedded_name(endpoint.removeprefix(EMBEDDED))} | defaults
    names = {*Roles.model_fields, *roles}
    fields["roles"] = {
        name: _role(role, defaults, where) if isinstance(role := roles.get(name, {}), dict) else role
        for name in names
    }
    try:
        return Profile.model_validate(fields)
    except ValidationError as error:
        what = "; ".join(
            f"{'.'.join(map(str, item['loc'])) or 'profile'}: {item['msg']}"
            for item in error.errors(include_url=False, include_input=False)
        )
        raise ProfileError(f"{where} is not a valid profile: {what}", "mend these fields") from error


def _from_environment(fields: dict[str, Any]) -> None:
    """Replace the endpoint by what endpoint_env names, where that is set."""
    variable = fields.get("endpoint_env")
    if variable and isinstance(variable, str) and os.environ.get(variable):
        fields["endpoint"] = os.environ[variable]


def _role(said: dict[str, Any], defaults: dict[str, Any], where: str) -> dict[str, Any]:
    """A role's fields, with what it takes from the defaults, the names of adapters settled."""
    said = dict(said)
    _from_environment(said)
    elsewhere = {"model", "prices"} if "endpoint" in said else set()
    fields = {name: value for name, value in defaults.items() if name not in elsewhere} | said
    for name, value in fields.items():
        if name in ("endpoint", "model") and isinstance(value, str):
            fields[name] = _settled(name, value)
    endpoint = fields.get("endpoint")
    if not isinstance(endpoint, str):
        return fields
    if endpoint.startswith(EMBEDDED):
        return {"model": _embedded_name(endpoint.removeprefix(EMBEDDED))} | fields
    if endpoint.startswith(ADAPTER):
        name = endpoint.removeprefix(ADAPTER)
        if fields.setdefault("model", name) != name:
            raise ProfileError(
                f"{where}: a role that {endpoint} plays has the model {fields['model']!r}",
                "leave out model: the adapter's name is the model's",
            )
    return fields


def _settled(field: str, value: str) -> str:
    """An endpoint or a model with the adapter that it names spelled out."""
    if value.startswith(ADAPTER):
        name = open_adapter(value.removeprefix(ADAPTER)).name
        return name if field == "model" else f"{ADAPTER}{name}"
    if field == "model" and value.startswith(BASE):
        return open_adapter(value.removeprefix(BASE)).manifest.base_identity
    return value


def _embedded_name(model: str) -> str:
    """What the ledger calls an embedded model: the same file, the same name; another file, another."""
    try:
        return models.identity(model)
    except ModelUnavailable as error:
        raise ProfileError(error.problem, error.remedy) from error
