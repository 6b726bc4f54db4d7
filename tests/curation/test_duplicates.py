import numpy as np
import pytest

from linguacodus_core.curation.duplicates import Families, packed, signature, unpacked

LINES = [f"feature_{n} = table['column_{n}'] * {n}" for n in range(100)]


def test_a_fork_is_near_its_original_and_another_kernel_is_not() -> None:
    families = Families(0.8)
    families.add("original", signature("\n".join(LINES)))
    near = families.nearest(signature("\n".join([*LINES[:95], "tuned = True"])))
    assert near is not None
    assert near[0] == "original"
    assert near[1] == pytest.approx(95 / 101, abs=0.12)
    assert families.nearest(signature("\n".join(f"x{n} = {n}" for n in range(100)))) is None


def test_indentation_and_repetition_of_lines_do_not_matter() -> None:
    text = "\n".join(LINES)
    again = "\n".join(f"    {line}  " for line in [*LINES, *LINES])
    assert np.array_equal(signature(text), signature(again))


def test_signatures_survive_being_stored() -> None:
    values = signature("\n".join(LINES))
    assert np.array_equal(unpacked(packed([values])[0]), values)


def test_the_same_code_has_the_same_signature_in_every_process() -> None:
    assert signature("a = 1\nb = 2")[:3].tolist() == [1822907301, 1891916718, 1929728348]
