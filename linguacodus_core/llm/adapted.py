"""An adapter as llama.cpp serves it: the embedded model under it, and its weights as a GGUF file."""

from dataclasses import dataclass
from pathlib import Path

from linguacodus_core.adapters.registry import Adapter, open_adapter, verify
from linguacodus_core.errors import AdapterError, ModelUnavailable
from linguacodus_core.llm import models
from linguacodus_core.llm.place import Place
from linguacodus_core.llm.profiles import Profile


@dataclass(frozen=True)
class Served:
    """What one llama.cpp serves. model: an embedded model's name or path; lora: an adapter's GGUF file;
    alias: the name that it offers."""

    model: str
    alias: str
    lora: Path | None = None


def served(place: Place) -> Served | None:
    """What to serve for a place, None for an endpoint elsewhere.

    Raises AdapterError for an unknown adapter or one of another base; ModelUnavailable where llama.cpp
    cannot serve it. The model's file need not be here yet.
    """
    if place.embedded is not None:
        return Served(models.canonical(place.embedded), models.identity(place.embedded))
    if place.adapter is None:
        return None
    adapter = open_adapter(place.adapter)
    model, lora = models.canonical(base_of(adapter)), adapter.gguf
    if lora is None:
        raise ModelUnavailable(
            f"llama.cpp cannot serve the adapter {adapter.name}: its architecture "
            f"({adapter.manifest.architecture}) was not converted to GGUF",
            _elsewhere(adapter),
        )
    if problems := verify(adapter, (lora.name,)):
        raise AdapterError(
            f"the adapter {adapter.name} is damaged: {'; '.join(problems)}",
            f"look with: linguacodus adapters verify {adapter.name}; train it again, or name another",
        )
    return Served(model, adapter.name, lora)


def base_of(adapter: Adapter) -> str:
    """The embedded model under an adapter, by name or path.

    Raises ModelUnavailable when its base is none; AdapterError when the model of that name is not the one
    that the adapter was trained on.
    """
    model = adapter.manifest.embedded_base
    if model is None:
        raise ModelUnavailable(
            f"llama.cpp cannot serve the adapter {adapter.name}: "
            f"its base {adapter.manifest.base} is no GGUF file",
            _elsewhere(adapter),
        )
    if (found := models.identity(model)) != adapter.manifest.base_identity:
        raise AdapterError(
            f"{adapter.name} is an adapter of another base: it was trained on "
            f"{adapter.manifest.base_identity}, and {model} is {found}",
            "bring that model back, or train on this one: linguacodus finetune",
        )
    return model


def models_of(profile: Profile) -> list[str]:
    """The embedded models that serving a profile takes, by name or path, those under adapters too.

    Raises what `served` raises.
    """
    found = [what.model for place in profile.places() if (what := served(place))]
    return list(dict.fromkeys(found))


def label(place: Place) -> str:
    """A place that the run serves itself, for messages and for the ledger."""
    if place.adapter is None:
        return place.endpoint
    try:
        return f"{place.endpoint} on {open_adapter(place.adapter).manifest.base}"
    except AdapterError:
        return place.endpoint


def mismatch(profile: Profile, prompt_set: str) -> str:
    """What to tell of an adapter that knows other prompts than those of the set in force, else ""."""
    adapter = profile.place_of("instructor").adapter
    if adapter is None:
        return ""
    known = open_adapter(adapter).manifest.prompt_set
    if known == prompt_set:
        return ""
    return (
        f"the adapter {adapter} was trained on the prompts of the set {known}, and is asked with those of "
        f"{prompt_set}: try --prompt-set {known}"
    )


def _elsewhere(adapter: Adapter) -> str:
    return (
        f"serve it where there is torch or a GPU: linguacodus adapters serve {adapter.name} "
        "--engine transformers (or vllm), and point TUNED_BASE_URL at it"
    )
