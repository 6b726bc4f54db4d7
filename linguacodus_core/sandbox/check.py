"""Which isolations this machine offers, and why one is missing."""

from dataclasses import dataclass

from linguacodus_core.errors import LinguacodusError, SandboxUnavailable
from linguacodus_core.sandbox import bubblewrap


@dataclass(frozen=True)
class Isolation:
    """One isolation: its name for `--sandbox`, whether it works, what it is or why not, and the remedy."""

    name: str
    works: bool
    reason: str
    remedy: str = ""


def available() -> list[Isolation]:
    """Every isolation, best first; the plain subprocess always works and is never chosen by itself."""
    try:
        bwrap, _ = bubblewrap.require()
        first = Isolation("bubblewrap", True, f"{bwrap}: no network, read-only files, own process space")
    except SandboxUnavailable as error:
        first = Isolation("bubblewrap", False, error.problem, error.remedy)
    return [first, Isolation("subprocess", True, "limits only; network and file system are open")]


def require(isolation: str) -> None:
    """Check that a run with this isolation can start: "auto" and "bubblewrap" need bubblewrap.

    SandboxUnavailable says what is missing and how to mend it; LinguacodusError for an unknown name.
    """
    if isolation not in ("auto", "bubblewrap", "subprocess"):
        raise LinguacodusError(f"unknown isolation {isolation!r}", "choose auto, bubblewrap or subprocess")
    if isolation != "subprocess":
        bubblewrap.require()
