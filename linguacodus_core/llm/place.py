"""Where calls go: an endpoint elsewhere, an embedded model, or an adapter on one."""

from pydantic import BaseModel, ConfigDict

EMBEDDED = "embedded:"
ADAPTER = "adapter:"
BASE = "base:"
"""Before an adapter's name in `model`: what its base is called where it is served."""


class Place(BaseModel):
    """endpoint: a URL, `embedded:<model>` or `adapter:<name>`; api_key_env: the variable with its key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    endpoint: str
    api_key_env: str | None = None

    @property
    def embedded(self) -> str | None:
        """The embedded model's name or path, None where there is none."""
        return self._after(EMBEDDED)

    @property
    def adapter(self) -> str | None:
        """The adapter's name, None where there is none."""
        return self._after(ADAPTER)

    @property
    def own(self) -> bool:
        """Whether the run serves it itself, in a child process."""
        return self.endpoint.startswith((EMBEDDED, ADAPTER))

    def _after(self, scheme: str) -> str | None:
        return self.endpoint.removeprefix(scheme) if self.endpoint.startswith(scheme) else None
