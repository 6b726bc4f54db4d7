"""The schemas of the tables in a job folder: what a fine-tune reads, and what its measurement writes."""

import pyarrow as pa

from linguacodus_core.tables import COUNT, FLAG, MESSAGES, REAL, TEXT, TEXTS

EXAMPLES = pa.schema(
    [
        ("example", TEXT),
        ("competition", TEXT),
        ("place", COUNT),
        ("prompt", MESSAGES),
        ("completion", MESSAGES),
    ]
)

TRAINING: dict[str, pa.Schema] = {
    "train": EXAMPLES,
    "heldout": EXAMPLES,
    "asked": pa.schema([("competition", TEXT), ("place", COUNT), ("prompt", MESSAGES)]),
    "references": pa.schema(
        [
            ("competition", TEXT),
            ("instruction", TEXT),
            ("place", COUNT),
            ("family", TEXT),
            ("families", TEXTS),
            ("validation", TEXT),
            ("text", TEXT),
        ]
    ),
    "prior": pa.schema([("competition", TEXT), ("kind", TEXT), ("value", TEXT), ("count", COUNT)]),
    "pairs": pa.schema(
        [
            ("pair", TEXT),
            ("split", TEXT),
            ("competition", TEXT),
            ("prompt", MESSAGES),
            ("chosen", MESSAGES),
            ("rejected", MESSAGES),
            ("origin", TEXT),
            ("gap", REAL),
        ]
    ),
    "losses": pa.schema(
        [
            ("example", TEXT),
            ("competition", TEXT),
            ("subject", TEXT),
            ("prompt", TEXT),
            ("nll", REAL),
            ("tokens", COUNT),
        ]
    ),
    "samples": pa.schema(
        [
            ("subject", TEXT),
            ("competition", TEXT),
            ("place", COUNT),
            ("sample", COUNT),
            ("text", TEXT),
            ("tokens", COUNT),
            ("cut", FLAG),
        ]
    ),
    "preferences": pa.schema(
        [
            ("pair", TEXT),
            ("subject", TEXT),
            ("chosen_nll", REAL),
            ("chosen_tokens", COUNT),
            ("rejected_nll", REAL),
            ("rejected_tokens", COUNT),
        ]
    ),
    "steps": pa.schema(
        [
            ("step", COUNT),
            ("loss", REAL),
            ("lr", REAL),
            ("grad_norm", REAL),
            ("epoch", REAL),
            ("tokens", COUNT),
            ("seconds", REAL),
            ("memory", COUNT),
        ]
    ),
}
"""The tables of a job.

train, heldout: prompt-completion pairs; a place is null where nothing ranks the solution. asked: what
generation asks on each held-out competition, for the places 1, 2, 3. references: what held-out solutions did;
family is the main one, null where there is none. prior: what the training side's solutions did for that kind
of task; kind is family or validation. pairs: two completions of one prompt; split is train or heldout, origin
places or runs, gap how far apart they are. losses: nll in nats, summed over a completion's tokens, the end
token included; prompt is own, or other for the completion after another competition's prompt. samples: cut
where no end token came within the limit. steps: a stage's curve (training.history); memory in bytes.
"""
