"""Near-duplicate kernels (forks) by MinHash over their lines of code, with datasketch.

Lines are the unit because a fork keeps most of them: parameters are changed here, a cell is added there.
"""

import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
from datasketch import MinHash, MinHashLSH
from numpy.typing import NDArray

PERMUTATIONS = 128
"""Hash functions a signature; the standard error of a similarity s is sqrt(s (1 - s) / 128): 0.035 at 0.8."""

SCHEME: Literal["affine32"] = "affine32"
"""datasketch's permutation scheme: 32-bit values, unbiased on large sets."""

Signature = NDArray[np.uint32]

_EMPTY = MinHash(num_perm=PERMUTATIONS, hashfunc=zlib.crc32, scheme=SCHEME)
"""CRC-32 takes an eighth of the time of datasketch's own SHA-1, whose 32 bits the scheme mixes as well."""


def signature(code: str) -> Signature:
    """The MinHash values (128) of a source's distinct lines, white space at their ends left out."""
    encoded = code.encode("utf-8", "surrogatepass")
    found = _minhash(None)
    found.update_batch(list({stripped for line in encoded.splitlines() if (stripped := line.strip())}))
    return np.asarray(found.hashvalues)


class Families:
    """Kernels seen so far, one a family; whoever comes first stands for its family."""

    def __init__(self, similarity: float) -> None:
        self.similarity = similarity
        self._index = MinHashLSH(num_perm=PERMUTATIONS, params=_bands(similarity))
        self._known: dict[str, MinHash] = {}

    def nearest(self, values: Signature) -> tuple[str, float] | None:
        """(kernel, estimated similarity) of what a signature is a near-duplicate of; None for a new one."""
        asked = _minhash(values)
        rated = [(asked.jaccard(self._known[name]), name) for name in sorted(self._index.query(asked))]
        best = max(rated, default=(0.0, ""))
        return (best[1], float(best[0])) if best[0] >= self.similarity else None

    def add(self, name: str, values: Signature) -> None:
        """Make a kernel the first of a new family."""
        self._known[name] = _minhash(values)
        self._index.insert(name, self._known[name], check_duplication=False)


def _minhash(values: Signature | None) -> MinHash:
    """A MinHash with these values, or of nothing; the permutations are made once."""
    return MinHash(
        num_perm=PERMUTATIONS,
        hashfunc=_EMPTY.hashfunc,
        hashvalues=values,
        permutations=_EMPTY.permutations,
        scheme=SCHEME,
    )


@lru_cache(maxsize=16)
def _bands(similarity: float) -> tuple[int, int]:
    """(bands, rows a band) that datasketch finds best for a threshold, by integrating numerically."""
    index = MinHashLSH(threshold=similarity, num_perm=PERMUTATIONS)
    return index.b, index.r


def packed(signatures: Sequence[Signature]) -> list[bytes]:
    """Signatures as bytes for a Parquet column (little-endian, 32 bits a value)."""
    return [values.astype("<u4").tobytes() for values in signatures]


def unpacked(content: bytes) -> Signature:
    """A signature out of such bytes."""
    return np.frombuffer(content, dtype="<u4").astype(np.uint32)
