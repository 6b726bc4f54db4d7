import numpy as np
import pandas as pd
import pytest

from linguacodus_core.taskfolder.relation import feature_codes, information, target_codes

random = np.random.default_rng(0)
TARGET = target_codes(pd.Series(random.integers(0, 3, 5_000)))


def test_a_copy_tells_everything_and_noise_nothing() -> None:
    assert information(TARGET, TARGET) == pytest.approx(1, abs=0.01)
    assert information(feature_codes(pd.Series(random.normal(size=5_000))), TARGET) < 0.005


def test_many_categories_of_noise_tell_nothing() -> None:
    noise = pd.Series(random.integers(0, 800, 5_000)).astype(str)
    assert information(feature_codes(noise), TARGET) < 0.01


def test_a_curved_relation_is_seen() -> None:
    x = pd.Series(random.normal(size=5_000))
    assert information(feature_codes(x), target_codes(x**2)) > 0.4


def test_missing_values_can_tell() -> None:
    x = pd.Series(random.normal(size=5_000)).where(TARGET > 0)
    assert information(feature_codes(x), TARGET) > 0.3


@pytest.mark.parametrize(
    "values", [[True, False, None], ["a", None, "b"], [1.0, np.nan, np.inf], [None, None, None]]
)
def test_codes_are_small_whole_numbers_for_any_column(values: list[object]) -> None:
    codes = feature_codes(pd.Series(values * 40))
    assert codes.min() >= 0
    assert codes.max() <= 40
