"""Deterministic repairs: each by what goes in, what comes out, and the name it goes by."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from linguacodus_core.synthesis.code_text import extract, mend_syntax, parses, syntax_error
from linguacodus_core.synthesis.repair import repair, repair_after, undefined
from linguacodus_core.taskfolder.spec import DataType, TaskSpec


@pytest.fixture
def spec(tmp_path: Path) -> TaskSpec:
    (tmp_path / "data").mkdir()
    for name in ("train.csv.gz", "test.csv", "gender_submission.csv", "extra.csv"):
        (tmp_path / "data" / name).touch()
    return TaskSpec(
        folder=tmp_path,
        slug="t",
        title="t",
        description="d",
        data_types=(DataType.TABULAR,),
        metric="auc",
        metric_category="AUC",
        direction="max",
        id_column="id",
        targets=("target",),
        submission_columns=("id", "target"),
        prediction="probability",
        problem="binary",
        classes=("0", "1"),
        train_file="train.csv.gz",
        test_file="test.csv",
        sample_file="gender_submission.csv",
        train_rows=10,
        test_rows=5,
        inferred={},
        data_sha256="0" * 64,
    )


def test_code_is_taken_out_of_fences_and_prose() -> None:
    assert extract("Sure! Here:\n```python\nx = 1\n```\nThis sets x.") == (
        "x = 1\n",
        ["took the code out of its fences"],
    )
    assert extract("```\nx = 1")[0] == "x = 1\n"
    assert extract("Here is the code.\nI hope it helps:\n\nimport os\nx = 1\n")[0] == "import os\nx = 1\n"
    assert extract("<think>hm ```python\ny=2\n``` no</think>x = 1\n")[0] == "x = 1\n"


def test_several_blocks_are_one_program() -> None:
    assert extract("First\n```python\na = 1\n```\nthen\n```python\nb = a\n```\n")[0] == "a = 1\n\nb = a\n"
    assert extract("```python\nx = 1\n```\nrun it:\n```bash\npython x.py\n```")[0] == "x = 1\n"


@pytest.mark.parametrize(
    ("broken", "name"),
    [
        ("x = \u201ca\u201d\n", "quotes"),
        ("!pip install lightgbm\nx = 1\n", "notebook"),
        ("    x = 1\n    y = 2\n", "indentation"),
        ("x = 1\ny = 2\nz = 3\nThis program sets three names.\n", "end"),
        ("model = fit(\n    a=1,  # one\n    b=2,\n", "brackets"),
    ],
)
def test_harmless_syntax_errors_are_mended(broken: str, name: str) -> None:
    code, done = mend_syntax(broken)
    assert parses(code)
    assert any(name in note for note in done)


def test_what_cannot_be_mended_comes_back_as_it_was() -> None:
    broken = "def (:\n  !!\n  x ==== 3\n"
    assert mend_syntax(broken) == (broken, [])
    assert repair(broken)[0] == broken
    assert syntax_error(broken).startswith("SyntaxError")


@pytest.mark.parametrize("reply", ["", "\x00\x00", "I cannot help.", "(" * 5000, "a" * 200_000, "\ud800"])
def test_nonsense_never_raises(reply: str, spec: TaskSpec) -> None:
    code, notes = repair(reply, spec)
    assert isinstance(code, str)
    assert repair_after(code, "ValueError: could not convert string to float: 'x'", spec) is not None
    assert isinstance(notes, list)


def test_missing_imports_are_added_from_where_the_names_live() -> None:
    code, notes = repair(
        "X = pd.DataFrame({'a': [1]})\nm = RandomForestClassifier()\nb = lgb.LGBMRegressor()\nos.listdir()\n"
    )
    for line in (
        "import pandas as pd",
        "from sklearn.ensemble import RandomForestClassifier",
        "import lightgbm as lgb",
        "import os",
    ):
        assert line in code
    assert "added the missing import of RandomForestClassifier" in notes
    assert undefined(code) == []


def test_imports_go_behind_the_docstring() -> None:
    code, _ = repair('"""A program."""\nfrom __future__ import annotations\nx = np.ones(3)\n')
    assert code.index("A program") < code.index("__future__") < code.index("import numpy as np")


def test_names_of_the_surroundings_are_not_imported() -> None:
    assert repair("def f():\n    return TARGET, pd\n", known={"TARGET", "pd"}) == (
        "def f():\n    return TARGET, pd\n",
        [],
    )


def test_an_undefined_name_is_taken_for_its_synonym() -> None:
    code, notes = repair("def preprocess(train, test):\n    return train_df['a'], Test['a']\n")
    assert "return train['a'], test['a']" in code
    assert any("train_df" in note for note in notes)


def test_imports_from_the_wrong_module_are_put_right() -> None:
    code, notes = repair(
        "from sklearn.preprocessing import SimpleImputer, StandardScaler\nSimpleImputer()\nStandardScaler()\n"
    )
    assert "from sklearn.impute import SimpleImputer" in code
    assert "from sklearn.preprocessing import StandardScaler" in code
    assert notes


def test_unused_packages_that_are_not_installed_are_removed() -> None:
    code, notes = repair("import no_such_package_x\nfrom no_such_package_y.z import a\nx = 1\n")
    assert "no_such_package" not in code
    assert len(notes) == 2
    assert "import no_such_package_x" in repair("import no_such_package_x\nno_such_package_x.go()\n")[0]


def test_a_target_dropped_from_test_is_no_error() -> None:
    code, notes = repair(
        "import pandas as pd\ntest = pd.DataFrame({'a': [1]})\nX = test.drop('target', axis=1)\nZ = test.drop(columns=['target'])\n"
    )
    scope: dict = {}
    exec(code, scope)
    assert list(scope["X"].columns) == ["a"]
    assert list(scope["Z"].columns) == ["a"]
    assert "target dropped from test" in notes[0]


def test_chained_inplace_takes_effect_again() -> None:
    code, _ = repair(
        "import pandas as pd\nf = pd.DataFrame({'a': [1.0, None]})\nf['a'].fillna(f['a'].mean(), inplace=True)\n"
    )
    scope: dict = {}
    exec(code, scope)
    assert scope["f"]["a"].tolist() == [1.0, 1.0]


def test_text_columns_are_found_whatever_their_dtype() -> None:
    code, _ = repair(
        "import pandas as pd\nf = pd.DataFrame({'a': ['x'], 'b': [1]})\n"
        "A = [c for c in f.columns if f[c].dtype == 'object']\n"
        "B = [c for c in f.columns if f[c].dtype != object]\n"
        "C = list(f.columns[f.dtypes == 'object'])\nD = list(f.select_dtypes(include=['object']).columns)\n"
    )
    scope: dict = {}
    exec(code, scope)
    assert (scope["A"], scope["B"], scope["C"], scope["D"]) == (["a"], ["b"], ["a"], ["a"])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("OneHotEncoder(sparse=False)", "OneHotEncoder(sparse_output=False, handle_unknown='ignore')"),
        ("mean_squared_error(a, b, squared=False)", "(mean_squared_error(a, b)) ** 0.5"),
        ("m.fit(X, y, early_stopping_rounds=10, verbose=False)", "m.fit(X, y)"),
        ("f.fillna(method='ffill')", "f.ffill()"),
        ("f.append(g, ignore_index=True)", "pd.concat([f, g], ignore_index=True)"),
        ("RandomForestRegressor(criterion='mse')", "RandomForestRegressor(criterion='squared_error')"),
        ("LogisticRegression(multi_klass='x', C=2)", "LogisticRegression(C=2)"),
        ("LGBMClassifier(n_estimators=9, early_stopping_rounds=5)", "LGBMClassifier(n_estimators=9)"),
        ("f.fillna(f.mean())", "f.fillna(f.mean(numeric_only=True))"),
    ],
)
def test_removed_spellings_are_written_anew(before: str, after: str) -> None:
    known = {"m", "X", "y", "f", "g", "a", "b", "pd"} | {before.split("(")[0]}
    code, notes = repair(f"# kept\nr = {before}  # too\n", known=known)
    assert code == f"# kept\nr = {after}  # too\n"
    assert notes


def test_rows_of_test_are_never_dropped(spec: TaskSpec) -> None:
    code, _ = repair(
        "def p(train, test):\n    test = test.dropna()\n    train.dropna(inplace=True)\n    return train, test.dropna(axis=1)\n"
    )
    assert "test = test.copy()" in code
    assert "train.dropna" not in code
    assert "test.dropna(axis=1)" in code
    whole, _ = repair("import pandas as pd\ntrain = pd.DataFrame().dropna()\n", spec)
    assert "dropna()" in whole


def test_paths_lead_to_the_data_and_the_submission(spec: TaskSpec) -> None:
    code, notes = repair(
        "import pandas as pd\na = pd.read_csv('/kaggle/input/titanic/train.csv')\nb = pd.read_csv('test.csv')\n"
        "c = pd.read_csv('../input/sample_submission.csv')\nd = pd.read_csv('C:\\\\data\\\\extra.csv')\n"
        "a.to_csv('/kaggle/working/output.csv')\n",
        spec,
    )
    for path in (
        "./data/train.csv.gz",
        "./data/test.csv",
        "./data/gender_submission.csv",
        "./data/extra.csv",
    ):
        assert f"'{path}'" in code
    assert "a.to_csv('./submission.csv', index=False)" in code
    assert any("reads ./data/train.csv.gz" in note for note in notes)
    assert repair(code, spec) == (code, [])


def test_a_main_that_nobody_calls_is_called(spec: TaskSpec) -> None:
    code, notes = repair("def main():\n    print(1)\n", spec)
    assert code.endswith('if __name__ == "__main__":\n    main()\n')
    assert notes == ["added the call of main()"]
    assert repair(code, spec)[1] == []


def test_text_in_a_scaler_is_encoded_first_in_a_stage(spec: TaskSpec) -> None:
    stage = "def preprocess(a, b):\n    X = StandardScaler().fit_transform(a.drop(columns=['target']))\n    return X, a['target'], b\n"
    code, done = repair_after(
        stage, "ValueError: could not convert string to float: 'male'", spec, known={"plain_frames"}
    )
    assert "    a, b = plain_frames(a, b, ['target'])\n" in code
    assert done == ["text encoded and missing values filled before the program's own steps"]
    assert (
        repair_after(
            code, "ValueError: could not convert string to float: 'male'", spec, known={"plain_frames"}
        )[1]
        == []
    )


def test_text_in_a_model_is_encoded_first_in_a_whole_program(
    spec: TaskSpec, tmp_path: Path, monkeypatch
) -> None:
    frame = pd.DataFrame(
        {"id": [1, 2, 3, 4], "c": ["x", "y", None, "x"], "n": [1, np.nan, 3, 4], "target": [0, 1, 0, 1]}
    )
    frame.to_csv(tmp_path / "data" / "train.csv", index=False)
    frame.drop(columns="target").to_csv(tmp_path / "data" / "test.csv", index=False)
    program = (
        "import pandas as pd\nfrom sklearn.linear_model import LogisticRegression\n"
        "df = pd.read_csv('./data/train.csv')\nnew = pd.read_csv('./data/test.csv')\n"
        "m = LogisticRegression().fit(df.drop(columns='target'), df['target'])\np = m.predict(new)\n"
    )
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="could not convert string"):
        exec(program, {})
    code, done = repair_after(program, "ValueError: could not convert string to float: 'x'", spec)
    assert done
    scope: dict = {}
    exec(code, scope)
    assert len(scope["p"]) == 4


def test_a_label_encoder_meets_unseen_labels(spec: TaskSpec) -> None:
    program = "from sklearn.preprocessing import LabelEncoder\nle = LabelEncoder().fit(['a', 'b'])\nr = list(le.transform(['b', 'z']))\n"
    code, done = repair_after(program, "ValueError: y contains previously unseen labels: 'z'", spec)
    assert done == ["LabelEncoder made tolerant of unseen labels"]
    scope: dict = {}
    exec(code, scope)
    assert scope["r"] == [1, -1]


@pytest.mark.parametrize(
    ("code", "error", "after"),
    [
        (
            "m = Ridge(alpha=1, foo=2)\n",
            "TypeError: Ridge.__init__() got an unexpected keyword argument 'foo'",
            "m = Ridge(alpha=1)\n",
        ),
        (
            "m = MLPClassifier(learning_rate=0.1)\n",
            "sklearn.utils._param_validation.InvalidParameterError: The 'learning_rate' parameter of MLPClassifier must be a str",
            "m = MLPClassifier()\n",
        ),
        ("m.fit(X)\n", "TypeError: fit() missing 1 required positional argument: 'y'", "m.fit(X, y)\n"),
        ("f['a'] = pd.get_dummies(f['a'])\n", "KeyError: 'b'", "f['a'] = pd.get_dummies(f['a'])\n"),
    ],
)
def test_an_error_says_which_argument_to_take_away(code: str, error: str, after: str, spec: TaskSpec) -> None:
    assert repair_after(code, error, spec)[0] == after
