from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linguacodus_core.taskfolder.profile import DataProfile, profile
from linguacodus_core.taskfolder.read import read_task

WORDS = ["river", "rose", "over", "banks", "and", "many", "people", "had", "leave", "their", "houses"]


def written(folder: Path, train: pd.DataFrame, test: pd.DataFrame) -> Path:
    """A task of whether `left` is 1, scored by AUC."""
    (folder / "data").mkdir(parents=True)
    train.to_csv(folder / "data" / "train.csv", index=False)
    test.to_csv(folder / "data" / "test.csv", index=False)
    pd.DataFrame({"id": test["id"], "left": 0.5}).to_csv(
        folder / "data" / "sample_submission.csv", index=False
    )
    (folder / "description.md").write_text(
        "## Evaluation\n\nSubmissions are evaluated on the area under the ROC curve.\n"
    )
    return folder


def mixed(rows: int = 1_200, test_rows: int = 300) -> tuple[pd.DataFrame, pd.DataFrame]:
    random = np.random.default_rng(3)
    count = rows + test_rows
    signal = random.normal(size=count)
    frame = pd.DataFrame(
        {
            "id": np.arange(count),
            "noise": random.normal(size=count),
            "signal": signal,
            "gaps": np.where(random.random(count) < 0.3, np.nan, random.normal(size=count)),
            "floors": random.integers(1, 9, count),
            "town": random.choice(["Ulm", "Bonn", "Kiel"], count, p=[0.7, 0.2, 0.1]),
            "member": random.random(count) < 0.2,
            "since": pd.Series(pd.date_range("2019-01-01", periods=400))
            .sample(count, replace=True, random_state=1)
            .astype(str)
            .to_numpy(),
            "remark": [" ".join(random.choice(WORDS, 9)) for _ in range(count)],
            "same": 4,
            "user_id": random.permutation(count) + 10_000,
            "left": (signal + 0.3 * random.normal(size=count) > 0).astype(int),
        }
    )
    test = frame.iloc[rows:].drop(columns="left").reset_index(drop=True)
    test.loc[: test_rows // 2, "town"] = "Jena"
    test["floors"] += 6
    return frame.iloc[:rows], test


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> DataProfile:
    return profile(read_task(written(tmp_path_factory.mktemp("mixed") / "task", *mixed())))


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("noise", "numeric"),
        ("floors", "integer"),
        ("town", "category"),
        ("member", "boolean"),
        ("left", "boolean"),
        ("since", "date"),
        ("remark", "text"),
        ("same", "constant"),
        ("user_id", "id-like"),
        ("id", "id-like"),
    ],
)
def test_each_column_has_its_kind(known: DataProfile, column: str, kind: str) -> None:
    assert known.column(column).kind == kind


def test_roles_tell_features_from_targets_and_ids(known: DataProfile) -> None:
    assert (known.column("left").role, known.column("id").role) == ("target", "id")
    assert {c.name for c in known.features}.isdisjoint({"left", "id"})


def test_facts_are_right(known: DataProfile) -> None:
    train, test = mixed()
    gaps, town, since = known.column("gaps"), known.column("town"), known.column("since")
    assert gaps.missing == pytest.approx(train["gaps"].isna().mean())
    assert gaps.median == pytest.approx(train["gaps"].median())
    assert town.top[0][0] == "Ulm"
    assert town.top[0][1] == pytest.approx((train["town"] == "Ulm").mean(), abs=1e-3)
    assert (since.minimum, since.maximum) == (train["since"].min(), train["since"].max())
    assert (known.train_rows, known.test_rows) == (len(train), len(test))
    assert known.column("remark").words == 9


def test_the_telling_column_ranks_above_noise(known: DataProfile) -> None:
    names = [c.name for c in known.columns]
    assert names.index("signal") < names.index("noise")
    assert (known.column("signal").relation or 0) > 0.3
    assert (known.column("noise").relation or 0) < 0.02
    assert (known.column("user_id").relation or 0) < 0.02


def test_drift_between_train_and_test_is_told(known: DataProfile) -> None:
    _, test = mixed()
    assert known.column("town").unseen == pytest.approx((test["town"] == "Jena").mean())
    assert known.column("floors").outside == pytest.approx((test["floors"] > 8).mean())
    assert {note.split(":")[0] for note in known.drift} >= {"town", "floors"}
    assert not any(note.startswith("noise:") for note in known.drift)


def test_a_profile_is_the_same_every_time_and_survives_json(known: DataProfile, tmp_path: Path) -> None:
    assert profile(read_task(written(tmp_path / "task", *mixed()))) == known
    assert DataProfile.model_validate_json(known.model_dump_json()) == known


def test_the_text_shows_the_most_informative_columns_first(known: DataProfile) -> None:
    text = known.text(600)
    assert "target left (binary)" in text
    assert "signal: numeric" in text
    assert "more columns" in text
    assert text.index("signal:") < text.index("more columns")
    whole = known.text(100_000)
    assert all(f"{c.name}: " in whole for c in known.columns if c.role != "target")
    assert "rows: " in whole


@settings(deadline=None)
@given(limit=st.integers(0, 4_000))
def test_the_text_never_passes_its_limit(limit: int) -> None:
    assert len(_cached().text(limit)) <= limit


_kept: list[DataProfile] = []


def _cached() -> DataProfile:
    if not _kept:
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            _kept.append(profile(read_task(written(Path(folder) / "task", *mixed(200, 50)))))
    return _kept[0]


def test_line_breaks_and_long_values_stay_on_one_short_line(tmp_path: Path) -> None:
    train, test = mixed(100, 30)
    train = train.assign(town="a\nb " + "x" * 500)
    train.loc[:50, "town"] = "short"
    text = profile(read_task(written(tmp_path / "task", train, test))).text(5_000)
    (line,) = [each for each in text.splitlines() if each.startswith("town:")]
    assert len(line) < 300


def test_other_tables_show_the_columns_they_share(tmp_path: Path) -> None:
    path = written(tmp_path / "task", *mixed(100, 30))
    (path / "data" / "towns.csv").write_text("town,people\nUlm,126000\n")
    (table,) = profile(read_task(path)).tables
    assert (table.file, table.columns, table.shared) == ("towns.csv", ("town", "people"), ("town",))


def test_many_rows_are_profiled_on_a_sample(tmp_path: Path, no_hang: None) -> None:
    train, test = mixed(130_000, 500)
    spec = read_task(written(tmp_path / "task", train.drop(columns="remark"), test.drop(columns="remark")))
    found = profile(spec)
    assert (found.train_rows, found.sampled) == (130_000, 20_000)


def test_400_columns_are_profiled(tmp_path: Path, no_hang: None) -> None:
    random = np.random.default_rng(0)
    wide = pd.DataFrame(random.normal(size=(4_500, 400)).astype("float32")).add_prefix("f")
    wide.insert(0, "id", np.arange(4_500))
    train, test = wide.iloc[:4_000].assign(left=random.integers(0, 2, 4_000)), wide.iloc[4_000:]
    spec = read_task(written(tmp_path / "task", train, test))
    found = profile(spec)
    assert len(found.columns) == 402
    assert len(found.text(3_000)) <= 3_000
