import os
import subprocess
import sys

PROGRAM = """
import hashlib
from linguacodus_core.curation.cells import join
from linguacodus_core.extraction.static import static_fields
from linguacodus_core.sources.sample import SampleSource

kernels = {}
for batch in SampleSource().blocks():
    for row in batch.to_pylist():
        if row["kind"] == "code":
            kernels.setdefault(row["kernel"], []).append((row["block"], row["code"]))
whole = hashlib.sha256()
for name, cells in sorted(kernels.items()):
    try:
        whole.update(static_fields(join([code for _, code in sorted(cells)])).model_dump_json().encode())
    except SyntaxError:
        continue
for optimizer in ("rmsprop", "nadam", "ADAM"):
    code = (
        "from tensorflow import keras\\nm = keras.Sequential([keras.layers.Dense(8), keras.layers.Dense(1)])\\n"
        f"m.compile(optimizer='{optimizer}', loss='mse')\\nm.fit(x, y, epochs=3)\\nm.predict(t)"
    )
    whole.update(static_fields(code).model_dump_json().encode())
print(whole.hexdigest())
"""


def said(seed: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONHASHSEED": seed},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def test_the_same_code_gives_the_same_instruction_whatever_the_hash_seed() -> None:
    assert len({said(seed) for seed in ("1", "2", "7")}) == 1
