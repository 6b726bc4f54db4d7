"""What is asked of one fine-tune; the same model is the flow's parameter and the command's options."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Track = Literal["none", "tensorboard", "trackio"]
PLACES = "places"
"""The preference source that is no folder: pairs by place within a competition."""


class FinetuneRequest(BaseModel):
    """Which examples, by which configuration, and what becomes of the adapter."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    datasets: tuple[str, ...] = Field(
        ("latest",),
        min_length=1,
        description="Dataset versions to tune on, by name, by its beginning, or latest; several are joined.",
    )
    config: str = Field(
        "smollm2-135m-cpu",
        min_length=1,
        description="The configuration: one that ships or one of your own by name, or a .toml file.",
    )
    preferences: tuple[str, ...] = Field(
        (),
        description="A second stage (DPO) on pairs: `places` prefers the better place of a competition; "
        "a folder of results of generate prefers the instruction whose program scored better.",
    )
    from_adapter: str | None = Field(
        None, description="Go on from this adapter (a name, the beginning of one, latest, promoted)."
    )
    promote: bool = Field(False, description="Make the adapter the promoted one when the gate passes it.")
    shuffle_completions: bool = Field(
        False,
        description="The control: completions of other competitions. What is tuned so must fail the gate.",
    )
    max_steps: int | None = Field(
        None, ge=1, description="Stop each stage after so many steps; empty: as the configuration says."
    )
    seed: int | None = Field(
        None, ge=0, lt=2**31, description="Seed of everything drawn; empty: as the configuration says."
    )
    track: Track = Field("none", description="Also write the curves for TensorBoard or Trackio.")

    @field_validator("datasets", "preferences")
    @classmethod
    def _named_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(not name.strip() for name in value):
            raise ValueError("an empty name names nothing")
        if len(set(value)) < len(value):
            raise ValueError("one of them is named twice")
        return value

    @model_validator(mode="after")
    def _fitting_together(self) -> "FinetuneRequest":
        if self.shuffle_completions and (self.preferences or self.promote):
            raise ValueError(
                "shuffle_completions: the control must fail, so it has no preferences and no promotion"
            )
        return self


class FinetuneResult(BaseModel):
    """What a fine-tune ended with.

    adapter: its name in the registry; folder: where it lies. checks: the gate's, in words. loss: in nats a
    token, the mean of the last tenth of the steps. new: False when the very same had been done before.
    """

    adapter: str
    folder: str
    passed: bool
    promoted: bool
    checks: tuple[str, ...]
    steps: int
    loss: float
    seconds: float
    new: bool
