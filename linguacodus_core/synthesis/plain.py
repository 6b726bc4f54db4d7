"""Functions that repaired programs and the staged skeleton carry along: their source is copied into them."""

import pandas as pd


def plain_frames(
    train: pd.DataFrame, test: pd.DataFrame, target: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both frames with text as codes of train's values and missing numbers as train's medians."""
    train, test = train.copy(), test.copy()
    for name in [name for name in train.columns if name not in target]:
        if not pd.api.types.is_numeric_dtype(train[name]):
            values = sorted(train[name].dropna().astype(str).unique())
            codes = {value: code for code, value in enumerate(values)}
            train[name] = train[name].astype(str).map(codes).astype(float)
            if name in test:
                test[name] = test[name].astype(str).map(codes).astype(float)
        middle = train[name].median()
        train[name] = train[name].fillna(0 if pd.isna(middle) else middle)
        if name in test:
            test[name] = test[name].fillna(0 if pd.isna(middle) else middle)
    return train, test
