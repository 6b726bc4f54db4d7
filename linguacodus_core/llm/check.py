"""What a health check found: small enough to print, with what to do about it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One finding of `linguacodus doctor`: what was checked, whether it is well, detail, remedy."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""
