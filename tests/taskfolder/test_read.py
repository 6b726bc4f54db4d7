import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from linguacodus_core.errors import OpenQuestion, TaskError
from linguacodus_core.taskfolder.read import read_task
from linguacodus_core.taskfolder.spec import DataType, TaskSpec

Make = Callable[..., Path]
RMSE = "Predict the price of a house.\n\n## Evaluation\n\nSubmissions are evaluated on the root mean squared error (RMSE).\n"
AUC = "Who leaves?\n\n## Evaluation\n\nSubmissions are evaluated on the area under the ROC curve.\n"
ACCURACY = "Which kind is it?\n\n## Evaluation\n\nSubmissions are evaluated on classification accuracy.\n"


def table(rows: int = 80, start: int = 0, target: str | None = "price", seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed + start)
    frame = pd.DataFrame(
        {
            "id": np.arange(start, start + rows),
            "size": random.normal(100, 20, rows).round(2),
            "town": random.choice(["Ulm", "Bonn", "Kiel"], rows),
        }
    )
    if target:
        frame[target] = (frame["size"] * 3 + random.normal(0, 5, rows)).round(2)
    return frame


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Writes a regression task; frames may be given, None leaves a file out."""

    def write(
        *,
        train: pd.DataFrame | None = None,
        test: pd.DataFrame | None = None,
        sample: pd.DataFrame | None = None,
        description: str | bytes | None = RMSE,
        toml: str | None = None,
        without: tuple[str, ...] = (),
        folder: str = "task",
    ) -> Path:
        train = table() if train is None else train
        if test is None:
            test = table(20, 1000, None)
            lacking = [c for c in train.columns if c not in test.columns and c != train.columns[-1]]
            test = test.assign(**{c: train[c].iloc[:20].to_numpy() for c in lacking})
        if sample is None:
            sample = pd.DataFrame({"id": test["id"], train.columns[-1]: train.iloc[0, -1]})
        path = tmp_path / folder
        (path / "data").mkdir(parents=True)
        for name, frame in (("train", train), ("test", test), ("sample_submission", sample)):
            if name not in without:
                frame.to_csv(path / "data" / f"{name}.csv", index=False)
        if isinstance(description, bytes):
            (path / "description.md").write_bytes(description)
        elif description is not None:
            (path / "description.md").write_text(description, encoding="utf-8")
        if toml is not None:
            (path / "task.toml").write_text(toml, encoding="utf-8")
        return path

    return write


_touched: list[str] = []
_watching = False


def _watch(event: str, args: tuple[object, ...]) -> None:
    if _watching and event in ("open", "os.listdir", "os.scandir"):
        _touched.append(str(args[0]))


def classes(
    rows: int = 90, values: tuple[object, ...] = ("cat", "dog", "eel"), start: int = 0
) -> pd.DataFrame:
    frame = table(rows, start, None)
    return frame.assign(kind=[values[i % len(values)] for i in range(rows)])


def test_a_bare_folder_is_understood(make: Make) -> None:
    spec = read_task(make())
    assert (spec.id_column, spec.targets, spec.submission_columns) == ("id", ("price",), ("id", "price"))
    assert (spec.metric, spec.direction, spec.metric_category) == ("rmse", "min", "RMSE/RMSLE")
    assert (spec.problem, spec.prediction, spec.layout, spec.classes) == (
        "regression",
        "value",
        "targets",
        (),
    )
    assert spec.data_types == (DataType.TABULAR,)
    assert (spec.train_rows, spec.test_rows) == (80, 20)
    assert (spec.train_file, spec.test_file, spec.sample_file) == (
        "train.csv",
        "test.csv",
        "sample_submission.csv",
    )
    assert spec.warnings == ()


def test_every_field_says_how_it_was_found(make: Make) -> None:
    spec = read_task(make())
    silent = (
        set(TaskSpec.model_fields) - set(spec.inferred) - {"folder", "inferred", "warnings", "data_sha256"}
    )
    assert silent == set()
    assert all(spec.inferred.values())
    assert "root mean squared error" in spec.inferred["metric"]
    assert "unique" in spec.inferred["id_column"]


def test_settings_override_what_would_be_inferred(make: Make) -> None:
    toml = (
        'slug = "mine"\ntitle = "Mine"\nmetric = "mean absolute error"\ndirection = "min"\nid_column = "id"\n'
    )
    spec = read_task(make(toml=toml + 'targets = ["price"]\nprediction = "value"\ndata_type = "tabular"\n'))
    assert (spec.slug, spec.title, spec.metric) == ("mine", "Mine", "mae")
    assert all(
        spec.inferred[k] == "task.toml"
        for k in ("metric", "targets", "id_column", "data_types", "prediction")
    )


def test_the_same_folder_gives_the_same_task(make: Make) -> None:
    path = make()
    assert read_task(path) == read_task(path)


def test_private_is_never_opened_or_listed(make: Make) -> None:
    global _watching
    path = make()
    (path / "private").mkdir()
    (path / "private" / "answers.csv").write_text("id,price\n")
    sys.addaudithook(_watch)
    _touched.clear()
    _watching = True
    try:
        read_task(path)
    finally:
        _watching = False
    assert any("train.csv" in name for name in _touched)
    assert not [name for name in _touched if "/private" in name]


@pytest.mark.parametrize(
    ("names", "missing"),
    [(("train",), "train.csv"), (("test",), "test.csv"), (("sample_submission",), "sample_submission.csv")],
)
def test_a_missing_table_names_it_and_its_columns(make: Make, names: tuple[str, ...], missing: str) -> None:
    with pytest.raises(TaskError, match=missing) as caught:
        read_task(make(without=names))
    assert "column" in caught.value.remedy


def test_paths_that_are_no_task_are_said(make: Make, tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="there is no folder"):
        read_task(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    with pytest.raises(TaskError, match="is a file"):
        read_task(tmp_path / "file")
    path = make()
    (path / "data").rename(path / "moved")
    with pytest.raises(TaskError, match="no folder data/"):
        read_task(path)


def test_a_folder_without_read_permission_is_said(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    path = make()
    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(TaskError, match="may not be read"):
        read_task(path)


def test_a_missing_description_is_said(make: Make) -> None:
    with pytest.raises(TaskError, match=r"no description\.md"):
        read_task(make(description=None))


def test_a_description_of_100_000_characters_is_read(make: Make, no_hang: None) -> None:
    filler = "The houses of this town are old, and people say many things about them. "
    path = make(description=(filler * 1500)[:100_000] + "\n\n" + RMSE)
    assert read_task(path).metric == "rmse"


@pytest.mark.parametrize(
    "description",
    [
        "Sagen Sie den Preis voraus.\n\n## Bewertung\n\nDie Einreichungen werden mit dem RMSE bewertet.",
        "预测房价。\n\n评估指标为 RMSE。",
        "Prédisez le prix. Les soumissions sont évaluées par RMSE.",
    ],
)
def test_a_metric_named_in_another_language_is_found(make: Make, description: str) -> None:
    assert read_task(make(description=description)).metric == "rmse"


def test_no_metric_is_a_question_with_the_lines_to_add(make: Make) -> None:
    with pytest.raises(OpenQuestion) as caught:
        read_task(make(description="Predict the price of each house as well as you can."))
    assert caught.value.remedy.count('metric = "') == 3
    assert 'metric = "rmse"' in caught.value.remedy


def test_the_options_fit_the_target(make: Make) -> None:
    sample = pd.DataFrame({"id": np.arange(1000, 1020), "kind": "cat"})
    with pytest.raises(OpenQuestion) as caught:
        read_task(
            make(train=classes(), test=table(20, 1000, None), sample=sample, description="Which animal?")
        )
    assert 'metric = "categorization accuracy"' in caught.value.remedy
    assert "rmse" not in caught.value.remedy


def test_the_answer_to_the_question_works_as_written(make: Make) -> None:
    assert read_task(make(description="Predict it.", toml='metric = "mae"\n')).metric == "mae"


def test_two_metrics_of_equal_weight_are_a_question(make: Make) -> None:
    words = "## Evaluation\n\nSubmissions are evaluated on RMSE.\n\nSubmissions are evaluated on MAE.\n"
    with pytest.raises(OpenQuestion, match="several metrics") as caught:
        read_task(make(description=words))
    assert 'metric = "rmse"' in caught.value.remedy
    assert 'metric = "mae"' in caught.value.remedy


def test_an_unknown_metric_in_the_settings_is_a_question(make: Make) -> None:
    with pytest.raises(OpenQuestion, match='"house score" is not a known metric') as caught:
        read_task(make(toml='metric = "house score"\n'))
    assert 'metric = "rmse"' in caught.value.remedy


def test_a_misspelt_metric_in_the_settings_gets_the_closest_that_fit(make: Make) -> None:
    with pytest.raises(OpenQuestion) as caught:
        read_task(make(toml='metric = "mean absolut eror"\n'))
    assert 'did you mean metric = "mae"' in caught.value.remedy
    assert "for example" in caught.value.remedy


def test_the_sentence_that_could_not_be_read_is_quoted(make: Make) -> None:
    words = (
        "# Metric\n\nPredict it.\n\n## Evaluation\n\nSubmissions are\nevaluated by taste" + " and wit" * 40
    )
    with pytest.raises(OpenQuestion, match="'Submissions are evaluated by taste and wit") as caught:
        read_task(make(description=words))
    assert len(caught.value.problem.partition("'")[2]) <= 161


def test_a_direction_against_the_metric_counts_with_a_warning(make: Make) -> None:
    spec = read_task(make(toml='metric = "rmse"\ndirection = "max"\n'))
    assert (spec.direction, spec.inferred["direction"]) == ("max", "task.toml")
    assert 'task.toml says direction = "max", but rmse is usually better lower' in spec.warnings[0]


@pytest.mark.parametrize(("slug", "safe"), [("../x", "x"), ("a/b", "a-b"), ("Größe", "grosse")])
def test_the_slug_of_task_toml_is_made_safe_and_stays_as_the_title(make: Make, slug: str, safe: str) -> None:
    spec = read_task(make(toml=f'slug = "{slug}"\n'))
    assert (spec.slug, spec.title) == (safe, slug)
    assert spec.inferred["title"] == "task.toml: its slug"


@pytest.mark.parametrize(("ending", "kind"), [("wav", "audio"), ("mp4", "video")])
def test_it_is_said_that_sounds_and_videos_are_not_read(make: Make, ending: str, kind: str) -> None:
    train = table().assign(clip=lambda t: t["id"].map("c{}".format))[["id", "clip", "size", "price"]]
    test = table(20, 1000, None).assign(clip=lambda t: t["id"].map("c{}".format))[["id", "clip", "size"]]
    path = make(train=train, test=test)
    (path / "data" / "clips").mkdir()
    for name in [*train["clip"], *test["clip"]]:
        (path / "data" / "clips" / f"{name}.{ending}").write_bytes(b"")
    spec = read_task(path)
    assert DataType(kind) in spec.data_types
    assert f"{kind} files are not read yet: the floor and models of the tables only" in spec.warnings


def test_a_metric_for_numbers_and_a_target_of_words_contradict(make: Make) -> None:
    with pytest.raises(TaskError, match="needs numbers, but the target kind holds text"):
        read_task(make(train=classes()))


def test_a_metric_for_classes_and_a_continuous_target_contradict(make: Make) -> None:
    with pytest.raises(TaskError, match="needs classes, but the target price"):
        read_task(make(description=ACCURACY))


def test_f1_over_many_classes_asks_for_its_average(make: Make) -> None:
    with pytest.raises(OpenQuestion, match="averaged in several ways") as caught:
        read_task(
            make(train=classes(), description="Which?\n\n## Evaluation\n\nSubmissions are scored by F1.\n")
        )
    assert 'metric = "f1 macro"' in caught.value.remedy


def test_auc_of_many_classes_in_one_column_is_refused(make: Make) -> None:
    with pytest.raises(TaskError, match="a probability for each of the 3 classes"):
        read_task(make(train=classes(), description=AUC))


@pytest.mark.parametrize(
    ("values", "description", "problem", "prediction", "classes_"),
    [
        ((0, 1), AUC, "binary", "probability", ("0", "1")),
        ((True, False), ACCURACY, "binary", "label", ("False", "True")),
        (("no", "yes"), ACCURACY, "binary", "label", ("no", "yes")),
        ((10, 2, 1), ACCURACY, "multiclass", "label", ("1", "2", "10")),
        ((3.0, 1.0), ACCURACY, "binary", "label", ("1", "3")),
        (
            (1, 2, 3, 4),
            "Scored by\n## Evaluation\nquadratic weighted kappa",
            "ordinal",
            "label",
            ("1", "2", "3", "4"),
        ),
        ((0, 1), RMSE, "regression", "value", ()),
    ],
)
def test_the_problem_follows_from_target_and_metric(
    make: Make,
    values: tuple[object, ...],
    description: str,
    problem: str,
    prediction: str,
    classes_: tuple[str, ...],
) -> None:
    spec = read_task(make(train=classes(80, values), description=description))
    assert (spec.problem, spec.prediction, spec.classes) == (problem, prediction, classes_)


@pytest.mark.parametrize(
    ("numbers", "metric", "problem"),
    [(True, "mcrmse", "multiregression"), (False, "mean column auc", "multilabel")],
)
def test_several_targets_are_found(make: Make, numbers: bool, metric: str, problem: str) -> None:
    base = table(60, 0, None)
    random = np.random.default_rng(1)
    draw = (lambda: random.normal(size=60)) if numbers else (lambda: random.integers(0, 2, 60))
    train = base.assign(a=draw(), b=draw(), c=draw())
    test = table(20, 1000, None)
    sample = pd.DataFrame({"id": test["id"], "a": 0.5, "b": 0.5, "c": 0.5})
    spec = read_task(make(train=train, test=test, sample=sample, description=RMSE if numbers else AUC))
    assert (spec.targets, spec.metric, spec.problem) == (("a", "b", "c"), metric, problem)


def test_a_constant_target_is_refused(make: Make) -> None:
    with pytest.raises(TaskError, match="price is constant in train: always 7"):
        read_task(make(train=table().assign(price=7)))


def test_an_empty_target_is_refused(make: Make) -> None:
    with pytest.raises(TaskError, match="price has no value"):
        read_task(make(train=table().assign(price=np.nan)))


def test_an_infinite_target_is_refused(make: Make) -> None:
    train = table()
    train.loc[3, "price"] = np.inf
    with pytest.raises(TaskError, match="infinite"):
        read_task(make(train=train))


def test_missing_targets_are_a_warning(make: Make) -> None:
    train = table()
    train.loc[:4, "price"] = np.nan
    assert "5 rows of train lack the target price" in read_task(make(train=train)).warnings


def test_a_target_of_free_text_is_refused(make: Make) -> None:
    train = table(60, 0, None).assign(answer=[f"a long answer number {i}" for i in range(60)])
    with pytest.raises(TaskError, match="no classes to learn"):
        read_task(make(train=train, description=ACCURACY))


def test_one_row_is_refused_and_few_are_a_warning(make: Make) -> None:
    with pytest.raises(TaskError, match="single row"):
        read_task(make(train=table(1), sample=pd.DataFrame({"id": range(1000, 1020), "price": 1})))
    assert any(
        "only 12 rows" in w
        for w in read_task(make(train=table(12), folder="few", test=table(20, 1000, None))).warnings
    )


def test_headers_without_rows_are_refused(make: Make) -> None:
    path = make()
    (path / "data" / "test.csv").write_text("id,size,town\n")
    with pytest.raises(TaskError, match="test has column names but no rows"):
        read_task(path)


def test_an_empty_table_is_refused(make: Make) -> None:
    path = make()
    (path / "data" / "train.csv").write_text("")
    with pytest.raises(TaskError, match=r"train\.csv is empty"):
        read_task(path)


def test_odd_encodings_are_read_and_told(make: Make) -> None:
    path = make()
    text = (path / "data" / "train.csv").read_text().replace("Ulm", "Köln")
    (path / "data" / "train.csv").write_bytes(text.encode("latin-1"))
    assert any("train.csv is cp1252" in w for w in read_task(path).warnings)


def test_400_columns_are_fine_and_fast(make: Make) -> None:
    random = np.random.default_rng(0)
    wide = pd.DataFrame(random.normal(size=(2_000, 400)).round(3)).add_prefix("f")
    train = wide.iloc[:1_500].assign(price=random.normal(size=1_500))
    train.insert(0, "id", np.arange(1_500))
    test = wide.iloc[1_500:].reset_index(drop=True)
    test.insert(0, "id", np.arange(5_000, 5_500))
    path = make(train=train, test=test, sample=pd.DataFrame({"id": test["id"], "price": 0.0}))
    assert read_task(path).data_types == (DataType.TABULAR,)


def test_unnamed_columns_on_one_side_are_told(make: Make) -> None:
    test = table(20, 1000, None).assign(extra=1)
    spec = read_task(
        make(train=table().assign(later=range(80))[["id", "size", "town", "later", "price"]], test=test)
    )
    assert any("only train has later" in w for w in spec.warnings)
    assert any("only test has extra" in w for w in spec.warnings)


def test_tables_without_a_common_feature_are_refused(make: Make) -> None:
    with pytest.raises(TaskError, match="share no column to learn from"):
        read_task(make(test=pd.DataFrame({"id": range(1000, 1020), "other": 1})))


def test_images_that_no_column_names_are_said(make: Make) -> None:
    test = pd.DataFrame({"id": [f"a{i}" for i in range(1000, 1020)]})
    path = make(train=pd.DataFrame({"id": [f"a{i}" for i in range(30)], "price": range(30)}), test=test)
    (path / "data" / "images").mkdir()
    for i in range(30):
        (path / "data" / "images" / f"b{i}.png").write_bytes(b"x")
    with pytest.raises(TaskError, match="no shared column names them"):
        read_task(path)


def test_the_columns_of_time_groups_and_texts_may_be_given(make: Make) -> None:
    train = table().assign(step=np.arange(80))[["id", "size", "town", "step", "price"]]
    toml = 'time_column = "step"\ngroup_column = "town"\ntext_columns = ["town"]\n'
    spec = read_task(make(train=train, toml=toml, test=table(20, 1000, None)))
    assert (spec.time_column, spec.group_column, spec.text_columns) == ("step", "town", ("town",))


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ('data_type = "image"', "names image files"),
        ('data_type = "text"', "natural language"),
        ('data_type = "time series"', "looks like dates"),
    ],
)
def test_a_data_type_that_the_files_do_not_bear_out_is_refused(make: Make, toml: str, said: str) -> None:
    with pytest.raises(TaskError, match=said):
        read_task(make(toml=toml))


def test_one_column_a_class_makes_a_problem_of_many_classes(make: Make) -> None:
    sample = pd.DataFrame({"id": np.arange(1000, 1020), "eel": 0.3, "cat": 0.3, "dog": 0.4})
    words = "Which?\n\n## Evaluation\n\nSubmissions are evaluated on the log loss.\n"
    spec = read_task(make(train=classes(), test=table(20, 1000, None), sample=sample, description=words))
    assert (spec.layout, spec.targets, spec.classes) == ("class_columns", ("kind",), ("eel", "cat", "dog"))
    assert (spec.metric, spec.problem, spec.prediction) == (
        "multiclass log loss",
        "multiclass",
        "probability",
    )


def test_dates_as_ids_and_a_series_with_gaps_are_understood(make: Make) -> None:
    hours = pd.Series(pd.date_range("2011-01-01", periods=2_400, freq="h"))
    frame = pd.DataFrame(
        {"datetime": hours.astype(str), "temp": np.sin(np.arange(2_400)), "count": np.arange(2_400) % 24}
    )
    gap = hours.dt.day > 19
    test = frame[gap].drop(columns="count")
    sample = pd.DataFrame({"datetime": test["datetime"], "count": 0})
    spec = read_task(make(train=frame[~gap], test=test, sample=sample))
    assert (spec.id_column, spec.time_column) == ("datetime", "datetime")
    assert spec.data_types == (DataType.TIME_SERIES, DataType.TABULAR)
