"""What the gate found: each check, whether it holds, and by how much."""

from pydantic import BaseModel, ConfigDict


class Check(BaseModel):
    """One condition on a tuned model. words: what was measured, and what was needed where it fails."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    passed: bool
    words: str


class Verdict(BaseModel):
    """Whether a tuned model beats what it was tuned from: every check holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    passed: bool
    checks: tuple[Check, ...]

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that do not hold."""
        return tuple(check for check in self.checks if not check.passed)
