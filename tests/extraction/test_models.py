"""Which models the code constructs, how far each gets, and what they are set to."""

from textwrap import dedent

import pytest

from linguacodus_core.extraction.evidence import Evidence, Model
from linguacodus_core.extraction.static import families_of, is_solution
from linguacodus_core.extraction.syntax import evidence


def read(code: str) -> Evidence:
    return evidence(dedent(code))


def only(code: str) -> Model:
    models = read(code).models
    assert len(models) == 1, models
    return models[0]


@pytest.mark.parametrize(
    ("code", "family", "library"),
    [
        ("import lightgbm as lgb\nlgb.LGBMClassifier().fit(X, y)", "lightgbm", "lightgbm"),
        ("from lightgbm import LGBMRegressor as L\nL().fit(X, y)", "lightgbm", "lightgbm"),
        ("import xgboost\nxgboost.XGBRegressor().fit(X, y)", "xgboost", "xgboost"),
        ("from catboost import *\nCatBoostClassifier().fit(X, y)", "catboost", "catboost"),
        ("from sklearn.ensemble import *\nExtraTreesRegressor().fit(X, y)", "extra_trees", "sklearn"),
        ("from sklearn import svm\nsvm.SVC().fit(X, y)", "svm", "sklearn"),
        ("import sklearn.linear_model as lm\nlm.LogisticRegression().fit(X, y)", "linear", "sklearn"),
        ("from sklearn.linear_model import ElasticNetCV\nElasticNetCV().fit(X, y)", "elastic_net", "sklearn"),
        ("from cuml.neighbors import KNeighborsClassifier\nKNeighborsClassifier().fit(X, y)", "knn", "cuml"),
        (
            "import tensorflow_decision_forests as tfdf\ntfdf.keras.RandomForestModel().fit(d)",
            "random_forest",
            "tensorflow_decision_forests",
        ),
        (
            "from sklearn.ensemble import HistGradientBoostingRegressor\nHistGradientBoostingRegressor().fit(X, y)",
            "hist_gradient_boosting",
            "sklearn",
        ),
        ("from prophet import Prophet\nProphet().fit(df)", "statistical_series", "prophet"),
        (
            "from autogluon.tabular import TabularPredictor\nTabularPredictor(label='y').fit(train)",
            "automl",
            "autogluon",
        ),
        (
            "from pytorch_tabnet.tab_model import TabNetClassifier\nTabNetClassifier().fit(X, y)",
            "tabular_network",
            "pytorch_tabnet",
        ),
        (
            "from sklearn.linear_model import SGDClassifier\nSGDClassifier(penalty='elasticnet').fit(X, y)",
            "elastic_net",
            "sklearn",
        ),
        ("XGBClassifier().fit(X, y)", "xgboost", "xgboost"),
        ("model = lgb.train(params, data)", "lightgbm", "lightgbm"),
    ],
)
def test_a_model_is_known_by_any_way_of_importing_it(code: str, family: str, library: str) -> None:
    model = only(code)
    assert (model.family, model.library, model.role) == (family, library, "fitted")


@pytest.mark.parametrize(
    "code",
    [
        "from xgboost import XGBClassifier\nimport lightgbm as lgb",
        "# model = XGBClassifier()\n# model.fit(X, y)",
        "text = 'XGBClassifier().fit(X, y)'\nprint('we could use LGBMClassifier()')",
        '"""\nmodel = XGBClassifier()\nmodel.fit(X, y)\n"""',
        "class XGBClassifier:\n    pass\nXGBClassifier()",
        "from sklearn.svm import SVC\nisinstance(model, SVC)",
        "def f(model: 'XGBClassifier'):\n    return 1",
    ],
)
def test_what_is_only_imported_or_mentioned_is_no_model(code: str) -> None:
    found = read(code)
    assert found.models == ()
    assert not is_solution(found)


def test_imported_and_used_libraries_are_kept_apart() -> None:
    found = read(
        """
        import xgboost as xgb
        import seaborn as sns
        from sklearn.linear_model import Ridge
        Ridge().fit(X, y)
        """
    )
    assert found.imported == ("seaborn", "sklearn", "xgboost")
    assert found.used == ("sklearn",)


def test_the_model_that_feeds_the_submission_comes_first() -> None:
    found = read(
        """
        from sklearn.ensemble import RandomForestClassifier
        from sklearn.linear_model import LogisticRegression
        from xgboost import XGBClassifier
        xgb = XGBClassifier(max_depth=3)
        xgb.fit(X, y)
        rf = RandomForestClassifier(n_estimators=300)
        rf.fit(X, y)
        acc = rf.score(X_val, y_val)
        lr = LogisticRegression()
        lr.fit(X, y)
        preds = xgb.predict(test)
        sub = pd.DataFrame({"id": ids, "target": preds})
        sub.to_csv("submission.csv", index=False)
        """
    )
    assert [(m.family, m.role) for m in found.models] == [
        ("xgboost", "submitted"),
        ("linear", "fitted"),
        ("random_forest", "fitted"),
    ]
    assert families_of(found) == ("xgboost",)
    assert found.output == "submission.csv"


def test_a_name_that_is_bound_again_forgets_its_first_model() -> None:
    found = read(
        """
        model = LinearRegression()
        model.fit(X, y)
        model = LGBMRegressor()
        model.fit(X, y)
        sub["y"] = model.predict(test)
        sub.to_csv("submission.csv")
        """
    )
    assert [(m.family, m.role) for m in found.models] == [("lightgbm", "submitted"), ("linear", "fitted")]


def test_without_a_submission_the_model_fitted_last_comes_first() -> None:
    found = read("a = SVC()\nb = GaussianNB()\nb.fit(X, y)\na.fit(X, y)\nc = DecisionTreeClassifier()")
    assert [(m.family, m.role) for m in found.models] == [
        ("svm", "fitted"),
        ("naive_bayes", "fitted"),
        ("decision_tree", "built"),
    ]


def test_predictions_flow_through_functions_loops_lists_and_thresholds() -> None:
    found = read(
        """
        def run(model, X, y, test):
            preds = []
            for tr, va in KFold(5).split(X):
                model.fit(X.iloc[tr], y.iloc[tr])
                preds.append(model.predict_proba(test)[:, 1])
            return np.mean(preds, axis=0)

        def write(p):
            out = pd.DataFrame(dict(id=ids))
            out["target"] = np.where(p > 0.5, 1, 0)
            out.to_csv("/kaggle/working/submission.csv", index=False)

        write(run(CatBoostClassifier(verbose=0), X, y, test))
        """
    )
    assert [(m.family, m.role) for m in found.models] == [("catboost", "submitted")]


def test_predictions_flow_through_classes() -> None:
    found = read(
        """
        class Trainer:
            def __init__(self, config):
                self.model = lgb.LGBMRegressor(**config)
            def fit(self, X, y):
                self.model.fit(X, y)
            def predict(self, X):
                return self.model.predict(X)

        class Writer:
            def save(self, values):
                frame = pd.DataFrame({"y": values})
                frame.to_csv("submission.csv")

        trainer = Trainer({"num_leaves": 63})
        trainer.fit(X, y)
        Writer().save(trainer.predict(test))
        """
    )
    assert [(m.family, m.role) for m in found.models] == [("lightgbm", "submitted")]


def test_a_model_chosen_from_a_mapping_is_the_one_submitted() -> None:
    found = read(
        """
        rf, svc = RandomForestClassifier(), SVC()
        models = {"rf": rf, "svc": svc}
        for name, model in models.items():
            model.fit(X, y)
        sub["y"] = models["svc"].predict(test)
        sub.to_csv("submission.csv")
        """
    )
    assert [(m.family, m.role) for m in found.models] == [("svm", "submitted"), ("random_forest", "fitted")]


def test_classes_in_a_list_count_as_models_once_something_calls_them() -> None:
    found = read(
        "for cls in [LogisticRegression, KNeighborsClassifier]:\n    cls().fit(X, y)\nfrom sklearn.x import y"
    )
    assert found.models == ()
    found = read(
        """
        from sklearn.linear_model import LogisticRegression
        from sklearn.neighbors import KNeighborsClassifier
        for cls in [LogisticRegression, KNeighborsClassifier]:
            cls().fit(X, y)
        """
    )
    assert {m.family for m in found.models if m.role == "fitted"} == {"linear", "knn"}


def test_functions_that_run_in_threads_get_what_is_handed_over() -> None:
    found = read(
        """
        from threading import Thread
        model = SVC()
        def run(m, rows):
            return m.fit(rows, y)
        worker = Thread(target=run, args=(model, X))
        worker.start()
        """
    )
    assert [(m.family, m.role) for m in found.models] == [("svm", "fitted")]


def test_an_inference_server_is_a_submission() -> None:
    found = read(
        """
        import kaggle_evaluation.default_inference_server as kie
        model = Ridge(alpha=2.0).fit(X, y)
        def predict(test):
            return float(model.predict(test)[0])
        server = kie.DefaultInferenceServer(predict)
        server.serve()
        """
    )
    assert [(m.family, m.role) for m in found.models] == [("linear", "submitted")]
    assert found.output == "inference server"


def test_code_that_nothing_calls_is_dead_unless_it_is_all_there_is() -> None:
    unused = "def never():\n    m = SVC()\n    m.fit(X, y)\n"
    found = read(unused + "r = Ridge()\nr.fit(X, y)")
    assert [m.family for m in found.models] == ["linear"]
    assert [(m.family, m.role) for m in read(unused).models] == [("svm", "built")]


def test_hyper_parameters_come_from_keywords_mappings_config_classes_and_updates() -> None:
    model = only(
        """
        class CFG:
            lr = 0.05
            rounds = 2 * 1000
        base = {"num_leaves": 31, "n_jobs": -1, "verbose": -1, "seed": 1}
        params = {**base, "learning_rate": CFG.lr}
        params["max_depth"] = 6
        params.update({"subsample": 0.8})
        booster = lgb.train(params, data, num_boost_round=CFG.rounds)
        """
    )
    assert dict(model.settings) == {
        "num_leaves": 31,
        "learning_rate": 0.05,
        "max_depth": 6,
        "subsample": 0.8,
        "num_boost_round": 2000,
    }


def test_a_mapping_that_holds_itself_ends() -> None:
    assert only("p = {**p, **q}\nq = {**p}\nm = xgb.train(p, d)").family == "xgboost"


def test_parameters_of_functions_have_the_values_of_the_first_call() -> None:
    model = only(
        "def fit(depth, rate=0.1):\n    m = XGBRegressor(max_depth=depth, learning_rate=rate)\n    m.fit(X, y)\nfit(7)"
    )
    assert dict(model.settings) == {"max_depth": 7, "learning_rate": 0.1}


def test_tuned_parameters_are_named_not_valued() -> None:
    model = only(
        """
        def objective(trial):
            params = {"max_depth": trial.suggest_int("max_depth", 3, 9), "eta": 0.1}
            model = XGBClassifier(**params, gamma=trial.suggest_float("gamma", 0, 1))
            model.fit(X, y)
            return model.score(X, y)
        study = optuna.create_study()
        study.optimize(objective, n_trials=20)
        """
    )
    assert dict(model.settings) == {"eta": 0.1}
    assert model.tuned == ("max_depth", "gamma")


def test_a_grid_search_says_what_it_tunes() -> None:
    found = read(
        """
        grid = {"model__max_depth": [3, 5], "model__n_estimators": [100, 200]}
        pipe = Pipeline([("scale", StandardScaler()), ("model", RandomForestClassifier())])
        search = GridSearchCV(pipe, grid, cv=4, scoring="roc_auc")
        search.fit(X, y)
        """
    )
    assert found.of("search")[0].how == "grid search"
    assert found.of("search")[0].columns == ("max_depth", "n_estimators")
    assert found.models[0].role == "fitted"
    assert found.models[0].tuned == ("max_depth", "n_estimators")


def test_stacking_names_its_members_and_the_model_above_them() -> None:
    found = read(
        """
        stack = StackingRegressor(
            estimators=[("l", Lasso(alpha=0.01)), ("x", XGBRegressor())], final_estimator=Ridge()
        )
        stack.fit(X, y)
        sub["y"] = stack.predict(test)
        sub.to_csv("submission.csv")
        """
    )
    assert [(e.kind, e.columns, e.detail) for e in found.ensembles] == [
        ("stacking", ("Lasso", "XGBRegressor"), "Ridge")
    ]
    assert found.models[0].name == "Ridge"
    assert all(m.role == "submitted" for m in found.models)


def test_voting_and_weighted_blends_are_ensembles() -> None:
    found = read(
        """
        vote = VotingClassifier([("a", LogisticRegression()), ("b", GaussianNB())], voting="soft", weights=[2, 1])
        vote.fit(X, y)
        l = LGBMClassifier().fit(X, y)
        c = CatBoostClassifier().fit(X, y)
        blend = 0.7 * l.predict_proba(test)[:, 1] + 0.3 * c.predict_proba(test)[:, 1]
        """
    )
    assert [(e.kind, e.columns, e.detail) for e in found.ensembles] == [
        ("voting", ("LogisticRegression", "GaussianNB"), "soft, weights 2, 1"),
        ("blend", ("LGBMClassifier", "CatBoostClassifier"), "0.7, 0.3"),
    ]


def test_a_sum_of_one_models_features_is_no_blend() -> None:
    assert read("m = Ridge().fit(X, y)\np = m.predict(A) + m.predict(B)\nz = a + b + 1").ensembles == ()


def test_fold_predictions_that_are_summed_or_listed_are_averaged() -> None:
    loop = "m = Ridge()\nfor tr, va in KFold(3).split(X):\n    m.fit(X[tr], y[tr])\n    {}\n"
    for line in ("test_preds += m.predict(test) / 3", "preds.append(m.predict(test))"):
        assert [e.kind for e in read(loop.format(line)).ensembles] == ["fold average"]
    for line in ("oof[va] = m.predict(X[va])", "scores.append(mean_squared_error(y[va], m.predict(X[va])))"):
        assert read(loop.format(line)).ensembles == ()


def test_models_that_only_select_or_impute_are_no_models_of_the_solution() -> None:
    found = read(
        """
        selector = RFE(LogisticRegression(), n_features_to_select=10)
        X = selector.fit_transform(X, y)
        model = SVC().fit(X, y)
        """
    )
    assert [m.family for m in found.models] == ["svm"]


def test_clusters_beside_a_model_come_last() -> None:
    found = read("df['c'] = KMeans(8).fit_predict(df[['a', 'b']])\nm = Ridge().fit(df, y)")
    assert [m.family for m in found.models] == ["linear", "clustering"]


def test_a_wrapper_stands_with_its_model() -> None:
    model = only("m = MultiOutputRegressor(BaggingRegressor(SVR(C=3)))\nm.fit(X, y)")
    assert (model.family, dict(model.settings)) == ("svm", {"C": 3})
    assert model.wrappers == ("BaggingRegressor", "MultiOutputRegressor")


def test_a_saved_model_has_the_family_of_its_path_or_of_what_was_fitted() -> None:
    loaded = read(
        "import joblib\nm = joblib.load('/kaggle/input/my-lgb/fold0.pkl')\nsub['y'] = m.predict(test)\nsub.to_csv('submission.csv')"
    )
    assert [(m.family, m.role, m.fitted) for m in loaded.models] == [("lightgbm", "submitted", False)]
    again = read(
        "import joblib\nm = SVC().fit(X, y)\njoblib.dump(m, 'm.pkl')\nm = joblib.load('m.pkl')\nsub['y'] = m.predict(t)\nsub.to_csv('submission.csv')"
    )
    assert [(m.family, m.role) for m in again.models] == [("svm", "submitted")]


@pytest.mark.parametrize(
    ("code", "solved", "reason"),
    [
        ("df.head()\ndf['a'].hist()", False, "trains no model and writes no predictions"),
        ("labels = KMeans(3).fit_predict(X)", False, "only groups rows without a target"),
        (
            "from transformers import AutoModelForCausalLM as A\nm = A.from_pretrained('qwen')\nsub.to_csv('submission.csv')",
            True,
            "writes submission.csv with qwen",
        ),
        ("m = Ridge()", False, "builds Ridge but neither fits nor applies it"),
        ("m = Ridge().fit(X, y)", True, "fits Ridge"),
        ("sub['y'] = 0\nsub.to_csv('submission.csv')", True, "writes submission.csv without a model"),
        ("df.groupby('a').size().to_csv('counts.csv')", False, "trains no model and writes no predictions"),
        (
            "a = pd.read_csv('../input/best/submission.csv')\nb = pd.read_csv('../input/other/submission.csv')\n"
            "a['y'] = 0.5 * a['y'] + 0.5 * b['y']\na.to_csv('submission.csv')",
            True,
            "blends other submissions",
        ),
        (
            "m = pickle.load(f)\nsub['y'] = m.predict(t)\nsub.to_csv('submission.csv')",
            True,
            "applies a saved model",
        ),
    ],
)
def test_whether_code_is_a_solution_and_why(code: str, solved: bool, reason: str) -> None:
    verdict = is_solution(read("import pickle\nimport pandas as pd\n" + code))
    assert (verdict.solution, verdict.reason) == (solved, reason)


def test_rules_and_blends_of_submissions_have_families_of_their_own() -> None:
    assert families_of(
        read("sub['y'] = (test.Sex == 'female').astype(int)\nsub.to_csv('submission.csv')")
    ) == ("rule_based",)
    blend = (
        "import pandas as pd\na = pd.read_csv('/kaggle/input/x/submission_1.csv')\na.to_csv('submission.csv')"
    )
    assert families_of(read(blend)) == ("submission_blend",)
    sample = "import pandas as pd\na = pd.read_csv('/kaggle/input/x/sample_submission.csv')\na.to_csv('submission.csv')"
    assert families_of(read(sample)) == ("rule_based",)


def test_the_same_code_gives_the_same_evidence() -> None:
    code = "m = {'a': SVC(), 'b': Ridge()}\nfor k in m: m[k].fit(X, y)\ndf['x'] = df['a'] + df['b']"
    assert read(code).model_dump_json() == read(code).model_dump_json()
