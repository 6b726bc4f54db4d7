"""Labels are compared as the competition means them."""

import numpy as np
import pandas as pd
import pytest

from linguacodus_core.errors import LinguacodusError
from linguacodus_core.metrics.labels import label_key, label_keys, ordered, positive_label


@pytest.mark.parametrize("value", [1, 1.0, "1", "1.0", " 1 ", np.int64(1), np.float32(1.0), "+1"])
def test_one_is_one_label_whatever_its_type(value):
    assert label_key(value) == "1"


@pytest.mark.parametrize("value", [True, "True", "true", "TRUE", np.True_])
def test_true_is_one_label(value):
    assert label_key(value) == "true"


def test_other_texts_keep_their_case_and_infinity_is_text():
    assert label_key("Ghoul") == "Ghoul"
    assert label_key("inf") == "inf"
    assert label_key("1e3") == "1e3"


def test_missing_labels_stay_missing():
    assert list(label_keys(pd.Series([1.0, None, 2.5]))) == ["1", None, "2.5"]


def test_numeric_labels_are_ordered_by_value():
    assert ordered(["10", "9", "-1"]) == ["-1", "9", "10"]


@pytest.mark.parametrize(
    ("labels", "classes", "positive"),
    [
        (["0", "1"], (), "1"),
        (["0"], (), "1"),
        (["true", "false"], ("True", "False"), "true"),
        (["No", "Yes"], (), "Yes"),
        (["good", "bad"], ("good", "bad"), "bad"),
        (["-1", "1"], (), "1"),
    ],
)
def test_the_positive_label_follows_convention_then_the_classes(labels, classes, positive):
    assert positive_label(np.array(labels, dtype=object), classes) == positive


def test_three_labels_or_a_lone_strange_one_have_no_positive():
    with pytest.raises(LinguacodusError, match="3 labels"):
        positive_label(np.array(["a", "b", "c"], dtype=object), ())
    with pytest.raises(LinguacodusError, match="only the label"):
        positive_label(np.array(["a"], dtype=object), ())
