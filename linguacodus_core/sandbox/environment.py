"""The environment a candidate sees: built from nothing, so that no key or path of the user's gets in."""

import os
import sys
from pathlib import Path

# Some processors and virtual machines need these for numeric libraries to work at all; none holds a secret.
_NUMERIC = (
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
    "MKL_CBWR",
    "MKL_ENABLE_INSTRUCTIONS",
    "ONEDNN_MAX_CPU_ISA",
    "NPY_DISABLE_CPU_FEATURES",
    "ATEN_CPU_CAPABILITY",
    "ARROW_USER_SIMD_LEVEL",
)
_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "RAYON_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "LOKY_MAX_CPU_COUNT",
)


def clean_environment(threads: int, home: str) -> dict[str, str]:
    """The whole environment of a candidate: PATH, a scratch home, fixed locale, zone and hash seed, threads.

    Threads wait passively: spinning ones make a program several times slower beside a busy neighbour.
    """
    passed = {name: os.environ[name] for name in _NUMERIC if name in os.environ}
    return {
        "PATH": f"{Path(sys.prefix) / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "HOME": home,
        "TMPDIR": home,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONHASHSEED": "0",
        "PYTHONUNBUFFERED": "1",
        "MPLBACKEND": "Agg",
        "OMP_WAIT_POLICY": "PASSIVE",
        **dict.fromkeys(_THREADS, str(threads)),
        **passed,
    }
