"""What the device is and how fast it multiplies matrices.

`python benchmarks/gpu/card.py OUT.json [--size 8192] [--device cuda]`: the median rate of square products of
random matrices in bfloat16 and float16 (float32 on a CPU), each product timed on the device.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import time
from pathlib import Path
from typing import Any

PRODUCTS = 15


def main() -> None:
    """Measure, and write the JSON file."""
    import torch

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", type=int, default=8192)
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    given = parser.parse_args()
    found: dict[str, Any] = {"torch": torch.__version__, "size": given.size}
    if given.device == "cuda":
        if not torch.cuda.is_available():
            raise SystemExit("this torch sees no card: install a build of it for CUDA")
        card = torch.cuda.get_device_properties(0)
        found |= {"name": card.name, "memory": card.total_memory, "cuda": torch.version.cuda}
        found["driver"] = _driver()
        kinds = {"bfloat16": torch.bfloat16, "float16": torch.float16}
        if not torch.cuda.is_bf16_supported(including_emulation=False):
            del kinds["bfloat16"]
    else:
        found |= {"name": f"CPU, {torch.get_num_threads()} threads"}
        kinds = {"float32": torch.float32}
    found["rates"] = {name: _rate(given.size, kind, given.device) for name, kind in kinds.items()}
    given.out.write_text(json.dumps(found))


def _rate(size: int, kind: Any, device: str) -> float:
    """Operations a second of a product of two square matrices: the median, after three to warm up."""
    import torch

    a, b = (torch.randn(size, size, device=device).to(kind) for _ in range(2))
    seconds = []
    for number in range(PRODUCTS + 3):
        _wait(device)
        began = time.perf_counter()
        a @ b
        _wait(device)
        if number >= 3:
            seconds.append(time.perf_counter() - began)
    return 2 * size**3 / statistics.median(seconds)


def _wait(device: str) -> None:
    import torch

    if device == "cuda":
        torch.cuda.synchronize()


def _driver() -> str:
    command = shutil.which("nvidia-smi")
    if not command:
        return "unknown"
    asked = [command, "--query-gpu=driver_version", "--format=csv,noheader"]
    return subprocess.run(asked, capture_output=True, text=True).stdout.split("\n")[0].strip() or "unknown"


if __name__ == "__main__":
    main()
