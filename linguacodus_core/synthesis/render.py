"""Writing a plan as one readable standalone program, from the source of verified blocks."""

from typing import Any

from linguacodus_core.synthesis.hyper import SECONDS, Effort, rounds, settings
from linguacodus_core.synthesis.objective import Objective, is_ordinal, objective_of, problem_of
from linguacodus_core.synthesis.plan import BOOSTERS, TREES, Feature, PipelinePlan, adapt
from linguacodus_core.synthesis.source import collect, import_lines
from linguacodus_core.synthesis.wording import call, constant, literal, prose
from linguacodus_core.taskfolder.spec import DataType, TaskSpec

_MODELS = {
    "lightgbm": ("boost_lightgbm", "fit_lightgbm"),
    "xgboost": ("boost_xgboost", "fit_xgboost"),
    "catboost": ("boost_catboost", "fit_catboost"),
    "hist_gradient_boosting": ("boost_hist", "fit_hist_gradient_boosting"),
    "random_forest": ("learners", "fit_random_forest"),
    "extra_trees": ("learners", "fit_extra_trees"),
    "linear": ("learners", "fit_linear"),
    "elastic_net": ("learners", "fit_elastic_net"),
    "svm": ("learners", "fit_svm"),
    "knn": ("learners", "fit_knn"),
    "mlp": ("learners", "fit_mlp"),
    "naive_bayes": ("learners", "fit_naive_bayes"),
}
_TEXT_MODELS = {
    "linear": "text_blend_model",
    "elastic_net": "sgd_model",
    "svm": "linear_svc_model",
    "naive_bayes": "complement_nb_model",
}
_VECTORS = {"word": "word_tfidf", "char": "char_tfidf", "word_char": "text_tfidf"}
_IMAGES = {
    "pixels": ("thumbnail_features",),
    "colours": ("colour_features",),
    "shapes": ("colour_features", "hog_features"),
    "patches": ("patch_features",),
}
_FEATURES = {
    "ratio": ("ratio", "{a} / {b}"),
    "difference": ("difference", "{a} - {b}"),
    "product": ("product", "{a} * {b}"),
    "sum": ("total", "{a} + {b}"),
    "rotate": ("rotated", "{a}, {b} turned"),
    "log": ("logarithm", "log {a}"),
    "square": ("square", "{a} squared"),
    "bin": ("binned", "tenth of {a}"),
    "cyclic": ("cyclic", "{a} going round"),
    "group_mean": ("group_mean", "mean {a} by {b}"),
    "group_deviation": ("group_deviation", "{a} less its mean by {b}"),
    "count": ("count", "rows with the same {a}"),
    "prefix": ("prefix", "letters of {a}"),
    "title": ("title", "title in {a}"),
    "first_word": ("first_word", "first word of {a}"),
    "length": ("length", "length of {a}"),
    "digits": ("digits", "number in {a}"),
    "missing": ("missing", "{a} is missing"),
    "date_parts": ("calendar", "parts of {a}"),
    "cross": ("cross", "{a} & {b}"),
}


_PATIENT = (
    'os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # idle threads must not spin while others work'
)


class _Writer:
    """The statements of one program, and the blocks that they call."""

    def __init__(self, plan: PipelinePlan, spec: TaskSpec, effort: Effort) -> None:
        self.plan = plan
        self.spec = spec
        self.effort = effort
        self.problem = problem_of(spec)
        self.ordinal = is_ordinal(spec)
        self.objective: Objective = objective_of(spec)
        self.wanted: list[tuple[str, str]] = []
        self.lines: list[str] = []
        self.exclusive = self.problem == "multilabel" and plan.labels == "exclusive"
        self.sparse = bool(spec.text_columns) and plan.text in _VECTORS
        self.network = bool(spec.image_column) and plan.image == "network"
        self.timed = bool(spec.time_column) and plan.validation == "time"
        series = self.problem == "regression" and len(spec.targets) == 1 and spec.time_column
        self.trend = bool(series) and plan.time == "trend" and not self.ordinal
        self.lags = bool(series) and plan.time == "lags" and not self.ordinal

    def use(self, module: str, name: str) -> str:
        """A block by its name, noted as wanted."""
        if (module, name) not in self.wanted:
            self.wanted.append((module, name))
        return name

    def say(self, *lines: str) -> None:
        """Add statements of a function's body."""
        self.lines.extend(line if not line or line.startswith(" ") else f"    {line}" for line in lines)

    def call(self, module: str, name: str, *arguments: str, target: str = "", indent: int = 4) -> None:
        """Add a statement that calls a block."""
        self.lines.append(call(self.use(module, name), *arguments, target=target, indent=indent))

    # --- reading ---------------------------------------------------------------------------------

    def reading(self) -> None:
        """Tables, targets, and the scale that the model is fitted on."""
        self.say("started = time.monotonic()")
        as_written = ["ID"]
        if self._labels():
            as_written.append("TARGETS[0]")
        if self.spec.image_column:
            as_written.append("IMAGE")
        self.say(f"raw = [name for name in [{', '.join(as_written)}] if name]")
        self.call("read", "read_table", "TRAIN_FILE", "raw", target="train")
        self.call("read", "read_table", "TEST_FILE", "raw", target="test")
        self.call("read", "read_sample", "SAMPLE_FILE", "test", "ID", "COLUMNS", target="sample")
        if self.problem in ("binary", "multiclass"):
            self.call("targets", "label_codes", "train[TARGETS[0]]", "CLASSES", target="y, classes")
            self.say("kept = y >= 0")
        else:
            self.call("targets", "number_target", "train", "TARGETS", target="y")
            self.say("kept = np.isfinite(y).all(axis=1)")
        self.say("train, y = train[kept].reset_index(drop=True), y[kept]")
        if self.problem == "multilabel":
            self.say("y = (y > 0.5).astype(int)")
        if self.ordinal:
            self.say("grades = np.unique(y)")
        if self.problem == "regression":
            self.call("targets", f"{self._scale()}_scale", "y", target="scaled, back")

    def _labels(self) -> bool:
        return self.problem in ("binary", "multiclass")

    def _scale(self) -> str:
        if self.ordinal or self.plan.target == "none":
            return "plain"
        chosen = self.plan.target if self.plan.target != "auto" else self.objective.scale
        if self.objective.score == "score_rmse_of_log" and chosen == "none":
            chosen = "log1p"
        return {"log1p": "log", "yeo_johnson": "power"}.get(chosen, "plain")

    # --- features --------------------------------------------------------------------------------

    def features(self) -> None:
        """The table of train and test with the plan's features, as numbers, dates and text."""
        spec, plan = self.spec, self.plan
        drop = [name for name in (*spec.targets, *spec.text_columns, spec.image_column) if name]
        if spec.id_column and spec.id_column != spec.time_column:
            drop.insert(0, spec.id_column)
        self.lines.append(
            call(self.use("table", "stack_tables"), "train", "test", "DROP", target="    table".strip())
        )
        self.constants_drop = drop
        self.call("table", "tidy_table", "table", "[TIME]" if spec.time_column else "[]", target="table")
        if spec.time_column:
            self.say("if TIME in table:")
            self.call("table", "as_dates", "table[TIME]", target="table[TIME]", indent=8)
            self.say("dates = table[TIME]" if self.timed or self.trend or self.lags else "")
        if self.timed or self.trend:
            self.call("series", "lies_ahead", "dates", "len(y)", target="ahead")
        if self.trend or self.lags:
            group = "GROUP" if spec.group_column else "None"
            self.call("series", "series_of", "table", "TIME", "len(y)", group, target="series")
        if self.trend:
            self.call("series", "periods_of", "dates", "len(y)", target="periods")
            self.call(
                "series",
                "series_levels",
                "scaled[:, 0]",
                "series",
                "periods",
                "len(y)",
                target="level, expected",
            )
            self.say("scaled = scaled - level[: len(y), None]")
        for feature in plan.features:
            self._feature(feature)
        if self.lags:
            self.call(
                "features", "add", "table", '"lags"',
                f"{self.use('series', 'lag_features')}(scaled[:, 0], dates, series, len(y))", target="table",
            )  # fmt: skip
        self._dates()

    def _feature(self, feature: Feature) -> None:
        name, wording = _FEATURES[feature.op]
        label = wording.format(a=feature.a.replace("{", "("), b=feature.b.replace("{", "("))
        names = [literal(feature.a), *([literal(feature.b)] if feature.b else [])]
        made = f"{self.use('features', name)}(table, {', '.join(names)})"
        self.call("features", "add", "table", literal(label), made, target="table")

    def _dates(self) -> None:
        """Dates as parts of the calendar, or as one number."""
        self.use("table", "date_columns")
        self.say("for name in date_columns(table):")
        made = f"{self.use('features', 'calendar')}(table, name)"
        if self.plan.time != "none":
            self.call("features", "add", "table", "name", made, target="table", indent=8)
        number = f"{self.use('features', 'number')}(table, name)"
        self.say(f"        table[name] = {number}")
        if self.trend:
            self.say("if ahead:  # what lies outside the range of train would mislead a tree")
            self.say(
                '    table = table.drop(columns=[TIME, f"{TIME} year", f"{TIME} days"], errors="ignore")'
            )
            self.lines[-1] = "    " + self.lines[-1]
        elif self.timed and self.plan.family not in TREES:
            self.say("table = table.drop(columns=[TIME])")

    # --- encoding --------------------------------------------------------------------------------

    def encoding(self) -> None:
        """The table as one numeric matrix for train and one for test."""
        plan = self.plan
        self.call("table", "category_columns", "table", target="categories")
        if plan.impute != "native" or self.sparse:
            how = "median" if plan.impute == "native" else plan.impute
            numbers = f"{self.use('table', 'number_columns')}(table)"
            self.call("encode", "fill_numbers", "table", numbers, literal(how), target="table")
        self.call("encode", "fill_categories", "table", "categories", target="table")
        if plan.rare:
            self.call("encode", "group_rare", "table", "categories", str(plan.rare), target="table")
        means = self._categories()
        scale = "unit" if self.sparse else plan.scale
        if self.sparse and plan.family in BOOSTERS:
            scale = "none"
        if scale != "none":
            if means:
                self.say("numbers = [name for name in table.columns if name not in means]")
                self.call("encode", f"scale_{scale}", "table[numbers]", target="table[numbers]")
            else:
                self.call("encode", f"scale_{scale}", "table", target="table")
        self.call("encode", "plain_names", "table", target="table, names")
        self.say("means = [names[name] for name in means]" if means else "means: list[str] = []")
        self.say("X, X_test = table.iloc[: len(y)], table.iloc[len(y) :].reset_index(drop=True)")
        if self.spec.text_columns and plan.text != "none":
            self._text()
        if self.spec.image_column:
            self._image()

    def _categories(self) -> bool:
        """Encode the categories; True when their means of the target are left to the folds."""
        plan = self.plan
        encode = plan.encode
        if self.sparse and encode in ("target", "native"):
            encode = "onehot"
        if encode == "target":
            self.say("means = categories")
            return True
        if encode == "frequency":
            self.call("encode", "encode_frequency", "table", "categories", target="table")
            return False
        if encode == "native" and plan.family == "catboost":
            self.call("encode", "encode_native", "table", "categories", "5000", target="table")
            return False
        most = {"onehot": "60", "hash": "20"}.get(encode, "max(60, len(table) // 20)")
        self.call("encode", "split_by_levels", "table", "categories", most, target="few, many")
        if encode == "hash":
            self.call("encode", "encode_hash", "table", "many", target="table")
            self.call("encode", "encode_onehot", "table", "few", target="table")
            return False
        self.call("encode", "encode_frequency", "table", "many", target="table")
        self.call("encode", f"encode_{encode}", "table", "few", target="table")
        return False

    def _text(self) -> None:
        """Text columns as TF-IDF beside the table, or as a few dense columns."""
        if not self.sparse:
            self.call("text", "text_svd", "train", "test", "TEXT", target="topics, topics_test")
            self.call("text", "text_statistics", "train", "test", "TEXT", target="looks, looks_test")
            self.call("matrix", "beside", "X", "topics", "looks", target="X")
            self.call("matrix", "beside", "X_test", "topics_test", "looks_test", target="X_test")
            self._scale_dense()
            return
        vectors = _VECTORS[self.plan.text]
        most = ["max_features=20_000"] if self.plan.family in TREES else []
        self.call("text", vectors, "train", "test", "TEXT", *most, target="words, words_test")
        if self.plan.family in TREES:
            self.call("text", "text_statistics", "train", "test", "TEXT", target="looks, looks_test")
            self.call("matrix", "beside_words", "words", "X", "looks", target="X")
            self.call("matrix", "beside_words", "words_test", "X_test", "looks_test", target="X_test")
        else:
            self.call("matrix", "beside_words", "words", "X", target="X")
            self.call("matrix", "beside_words", "words_test", "X_test", target="X_test")

    def _image(self) -> None:
        """Images as columns beside the table's; for the network they are the input themselves."""
        ids = ("train[IMAGE].tolist()", "test[IMAGE].tolist()")
        self.call("image_files", "read_images", *ids, target="images, images_test")
        if self.plan.image == "network":
            self.say("X, X_test = images, images_test")
            return
        for block in _IMAGES[self.plan.image]:
            self.call("image_features", block, "images", "images_test", target="seen, seen_test")
            self.call("matrix", "beside", "X", "seen", target="X")
            self.call("matrix", "beside", "X_test", "seen_test", target="X_test")
        self._scale_dense()

    def _scale_dense(self) -> None:
        """Scale what came beside the table, for the models that need it."""
        if self.plan.family not in TREES:
            self.call("matrix", "scale_both", "X", "X_test", target="X, X_test")

    # --- fitting ---------------------------------------------------------------------------------

    def fitting(self) -> None:
        """Folds and cross-validation: `oof` and `predicted`, rows x width."""
        plan, problem, goal, width = self.plan, self.problem, "y", "y.shape[1]"
        if problem == "regression":
            goal = "goal"
            self.say("goal = scaled[:, 0] if scaled.shape[1] == 1 else scaled")
            width = "scaled.shape[1]"
        elif problem in ("binary", "multiclass"):
            width = "len(classes)"
        if self.exclusive:
            self.call("targets", "exclusive_codes", "y", target="goal")
            goal, width, problem = "goal", "y.shape[1] + 1", "multiclass"
        self.say("")
        self.say("def folds_of(seed: int) -> Folds:")
        self.use("validation", "Folds")
        self.lines.append(f"        return {self._folds(goal)}")
        self.say("")
        model = self._model()
        self.say("deadline = max(started + TIME_BUDGET, time.monotonic() + TIME_BUDGET / 3)")
        refit = "ahead" if self.timed else "False"
        problem_text = (
            '"multiclass" if len(classes) > 2 else "binary"' if problem == "binary" else literal(problem)
        )
        loss = plan.loss
        if loss == "auto":
            loss = "squared" if self.ordinal else self.objective.loss
        arguments = [
            model, "X", goal, "X_test", "folds_of",
            f"problem={problem_text}", f"width={width}", "seeds=SEEDS", "rounds=ROUNDS",
            "deadline=deadline", f"refit={refit}",
            f"balanced={plan.class_weight == 'balanced'}", "means=means",
        ]  # fmt: skip
        if problem == "regression":
            arguments.append(f"loss={literal(loss)}")
        arguments.append("**SETTINGS")
        self.call("training", "cross_validate", *arguments, target="oof, predicted")
        if self.exclusive:
            self.say("oof, predicted = oof[:, :-1], predicted[:, :-1]")
        self.say("done = np.isfinite(oof).all(axis=1)")
        if self.trend:
            self.say("oof = oof + expected[: len(y), None]")
            self.say("predicted = predicted + expected[len(y) :, None]")

    def _model(self) -> str:
        family = self.plan.family
        if self.network:
            self.use("adapters", "fit_plain")
            return f"partial(fit_plain, inner={self.use('image_network', 'train_network')}, timed=True)"
        if self.spec.image_column and family == "linear":
            self.use("adapters", "fit_plain")
            return f"partial(fit_plain, inner={self.use('image_features', 'image_logistic_model')})"
        if self.sparse and family in _TEXT_MODELS:
            self.use("adapters", "fit_plain")
            return f"partial(fit_plain, inner={self.use('text', _TEXT_MODELS[family])})"
        return self.use(*_MODELS[family])

    def _folds(self, goal: str) -> str:
        scheme = self.plan.validation
        if scheme == "time" and self.spec.time_column:
            times = "dates.iloc[: len(y)], dates.iloc[len(y) :]"
            return f"{self.use('validation', 'time_folds')}({times}, FOLDS, seed)"
        if scheme == "group" and self.spec.group_column:
            return f"{self.use('validation', 'group_folds')}(train[GROUP].to_numpy(), FOLDS, seed)"
        if scheme == "stratified":
            return f"{self.use('validation', 'stratified_folds')}({goal}, FOLDS, seed)"
        return f"{self.use('validation', 'shuffled_folds')}(y, FOLDS, seed)"

    # --- answering -------------------------------------------------------------------------------

    def answering(self) -> None:
        """From raw predictions to the metric's kind of answer, the claimed score and the two files."""
        score = self.use("scores", self.objective.score)
        if self.ordinal:
            self._grades(score)
        elif self.problem == "regression":
            self._values(score)
        elif self.problem == "multilabel":
            self._multilabel(score)
        elif self.objective.answer == "probability" or self.spec.prediction == "probability":
            self._probabilities(score)
        elif self.objective.answer == "ranking":
            self._ranking(score)
        else:
            self._labels_of_classes(score)

    def _write(self, file: str, columns: str, order: bool) -> None:
        more = ["COLUMNS"] if order else []
        self.call("submit", "write_columns", literal(file), "sample", "rows", "ID", columns, *more)

    def _rows(self) -> None:
        self.call("submit", "rows_of_sample", "sample", "test", "ID", target="rows")

    def _claim(self, value: str) -> None:
        self.say(f'print(f"claimed score: {{{value}:.6f}}")')

    def _grades(self, score: str) -> None:
        self.call("decide", "cut_points", "y[done, 0]", "oof[done, 0]", "grades", score, target="cuts")
        self._claim(f"{score}(y[done, 0], grades[np.searchsorted(cuts, oof[done, 0])])")
        self._rows()
        self.say("answer = grades[np.searchsorted(cuts, predicted[:, 0])].astype(int)")
        self._write("submission.csv", "{TARGETS[0]: answer}", True)
        self.call("decide", "on_grades", "predicted[:, 0]", "cuts", "grades", target="soft")
        self._write("soft.csv", "{TARGETS[0]: soft}", True)

    def _values(self, score: str) -> None:
        margin = "0.5" if self.trend else "0.0"
        keep = self.use("decide", "keep_in_range")
        self.say("oof, predicted = back(oof), back(predicted)")
        self.say(f"oof, predicted = {keep}(oof, y, {margin}), {keep}(predicted, y, {margin})")
        logarithmic = self.objective.score in ("score_rmsle", "score_rmse_of_log")
        if self._scale() != "plain" and not logarithmic and not self.trend:
            factor = self.use("decide", "best_factor")
            self.say(f"factor = {factor}(y[done], oof[done], {score}, GREATER)")
            self.say("oof, predicted = oof * factor, predicted * factor")
        self.say("soft = predicted")
        self.call(
            "decide", "refine_values", "y[done]", "oof[done]", "predicted", score, "GREATER",
            target="oof, predicted, how",
        )  # fmt: skip
        self.say('print("values:", how)')
        self._claim(f"{score}(y[done], oof)")
        self._rows()
        self._write("submission.csv", "dict(zip(TARGETS, predicted.T, strict=True))", True)
        self._write("soft.csv", "dict(zip(TARGETS, soft.T, strict=True))", True)

    def _multilabel(self, score: str) -> None:
        if self.spec.prediction == "label" and self.objective.answer == "label":
            if self.objective.greater:
                self.call("decide", "label_thresholds", "y[done]", "oof[done]", score, target="cuts")
            else:
                self.say("cuts = np.full(len(TARGETS), 0.5)")
            self._claim(f"{score}(y[done], (oof[done] >= cuts).astype(int))")
            self.say(f"soft = {self.use('decide', 'around_half')}(predicted, cuts)")
            self._rows()
            self.say("answer = (predicted >= cuts).astype(int)")
            self._write("submission.csv", "dict(zip(TARGETS, answer.T, strict=True))", True)
            self._write("soft.csv", "dict(zip(TARGETS, soft.T, strict=True))", True)
            return
        self._claim(f"{score}(y[done], oof[done])")
        self._rows()
        self.say("answer = dict(zip(TARGETS, predicted.T, strict=True))")
        self._write("submission.csv", "answer", True)
        self._write("soft.csv", "answer", True)

    def _probabilities(self, score: str) -> None:
        self._claim(f"{score}(y[done], oof[done])")
        self._rows()
        if self.spec.layout == "class_columns":
            self.say("named = {column: predicted[:, place] for place, column in enumerate(CLASS_COLUMNS)}")
            self._write("submission.csv", "named", True)
            self._write("soft.csv", "named", True)
            return
        self._write("submission.csv", "{TARGETS[0]: predicted[:, 1]}", True)
        self._write("soft.csv", "{TARGETS[0]: predicted[:, 1]}", True)

    def _ranking(self, score: str) -> None:
        self._claim(f"{score}(y[done], oof[done])")
        self._rows()
        self.say("names = np.array(classes, dtype=object)")
        self.say("top = names[np.argsort(-predicted, axis=1)[:, :TOP]]")
        self._write("submission.csv", '{TARGETS[0]: [" ".join(row) for row in top]}', True)
        self._write("soft.csv", "{name: predicted[:, place] for place, name in enumerate(classes)}", False)

    def _labels_of_classes(self, score: str) -> None:
        tuned = self.objective.score not in ("score_accuracy", "score_error_rate", "score_hamming_loss")
        binary = self.problem == "binary"
        if binary and tuned:
            self.call("decide", "best_threshold", "y[done]", "oof[done, 1]", score, target="cut")
            around = self.use("decide", "around_half")
            two = self.use("common", "two_columns")
            self.say(f"oof, predicted = ({two}({around}(p[:, 1], cut)) for p in (oof, predicted))")
        elif tuned:
            self.call("decide", "class_factors", "y[done]", "oof[done]", score, target="factors")
            self.say("oof, predicted = oof * factors, predicted * factors")
            self.say("predicted = predicted / predicted.sum(axis=1, keepdims=True)")
        self._claim(f"{score}(y[done], oof[done].argmax(axis=1))")
        self._rows()
        write = self.use("submit", "as_sample_writes")
        self.say("answer = np.array(classes, dtype=object)[predicted.argmax(axis=1)]")
        self.say(f"answer = {write}(answer, sample[TARGETS[0]])")
        self._write("submission.csv", "{TARGETS[0]: answer}", True)
        if binary and set(self.spec.classes) <= {"0", "1"}:
            self._write("soft.csv", "{TARGETS[0]: predicted[:, 1]}", True)
        else:
            self._write(
                "soft.csv", "{name: predicted[:, place] for place, name in enumerate(classes)}", False
            )

    # --- the whole -------------------------------------------------------------------------------

    def constants(self, seconds: float) -> list[str]:
        """The constants at the head of the program."""
        spec, plan = self.spec, self.plan
        found: list[tuple[str, Any]] = [
            ("TRAIN_FILE", spec.train_file),
            ("TEST_FILE", spec.test_file),
            ("SAMPLE_FILE", spec.sample_file),
            ("ID", spec.id_column),
            ("TARGETS", list(spec.targets)),
            ("COLUMNS", list(spec.submission_columns)),
        ]
        if self._labels():
            found.append(("CLASSES", list(spec.classes)))
        if spec.layout == "class_columns":
            columns = [name for name in spec.submission_columns if name != spec.id_column]
            found.append(("CLASS_COLUMNS", columns))
        if spec.time_column:
            found.append(("TIME", spec.time_column))
        if spec.group_column:
            found.append(("GROUP", spec.group_column))
        if spec.text_columns:
            found.append(("TEXT", list(spec.text_columns)))
        if spec.image_column:
            found.append(("IMAGE", spec.image_column))
        found.append(("DROP", self.constants_drop))
        found.append(("METRIC", spec.metric))
        if self.problem == "regression" and not self.ordinal:
            found.append(("GREATER", self.objective.greater))
        if self.objective.answer == "ranking":
            found.append(("TOP", 3))
        sparse_trees = self.sparse and plan.family in TREES
        chosen = settings(plan, self.effort, sparse=sparse_trees)
        if (self.sparse and plan.family in _TEXT_MODELS) or self.network:
            chosen = {}
        if spec.image_column and plan.family == "linear":
            chosen = {"C": chosen["C"] / 100} if chosen else {}
        found += [
            ("FOLDS", plan.folds),
            ("SEEDS", plan.seeds),
            ("ROUNDS", rounds(plan, self.effort)),
            ("TIME_BUDGET", seconds),
            ("SETTINGS", chosen),
        ]
        return [constant(name, value) for name, value in found]


def render(
    plan: PipelinePlan,
    spec: TaskSpec,
    *,
    instruction_note: str = "",
    effort: Effort = "normal",
    seconds: float | None = None,
) -> str:
    """The plan's program for the task: standalone, deterministic in its text, keeping the program contract.

    effort: how many trees and how much time; seconds: the time budget, when it is not to follow from
    effort. instruction_note: a line for the docstring. Whatever in the plan does not fit its model
    family is adapted; columns that the data lack count as missing when the program runs.
    """
    plan, notes = adapt(plan)
    if spec.image_column and plan.image == "none":
        plan = plan.model_copy(update={"image": "colours"})
    if spec.text_columns and plan.text == "none" and spec.data_type == DataType.TEXT:
        plan = plan.model_copy(update={"text": "word_char" if plan.family not in TREES else "svd"})
    writer = _Writer(plan, spec, effort)
    writer.reading()
    writer.features()
    writer.encoding()
    writer.fitting()
    writer.answering()
    body = "\n".join(line for line in writer.lines if line is not None)
    collected = collect(writer.wanted)
    imports = dict(collected.imports)
    imports |= {"os": ("os", None), "time": ("time", None), "np": ("numpy", None)}
    if "partial(" in body:
        imports["partial"] = ("functools", "partial")
    parts = [
        f'"""{_docstring(plan, spec, instruction_note, notes)}\n"""\n',
        import_lines(imports, between=_PATIENT) + "\n",
        "\n".join(writer.constants(SECONDS[effort] if seconds is None else float(seconds))),
        "\n\n" + collected.text + "\n\n",
        'def main() -> None:\n    """Read, fit fold by fold, write the submission."""\n' + body,
        '\n\nif __name__ == "__main__":\n    main()\n',
    ]
    program = "\n".join(parts)
    compile(program, "solution.py", "exec")
    return program


def _docstring(plan: PipelinePlan, spec: TaskSpec, note: str, notes: tuple[str, ...]) -> str:
    """What the program is for, in words: task, plan, idea."""
    lines = [
        prose(
            f"{spec.title or spec.slug}: {spec.problem} of {', '.join(spec.targets[:8])}, {spec.metric}.", 300
        )
    ]
    lines.append("")
    shown = plan.model_dump(exclude={"idea", "features"}, exclude_defaults=True) | {"family": plan.family}
    text = ", ".join(
        f"{name} {value}" for name, value in sorted(shown.items(), key=lambda item: item[0] != "family")
    )
    lines.append(prose(f"Plan: {text}; {len(plan.features)} made features.", 500))
    lines += [prose(f"Idea: {plan.idea}", 260)] if plan.idea.strip() else []
    lines += [prose(f"From: {note}", 300)] if note.strip() else []
    lines += [prose(f"Adapted: {'; '.join(notes)}.", 400)] if notes else []
    lines.append(
        "Reads ./data, writes ./submission.csv (and ./soft.csv: the same before rounding or thresholds)."
    )
    return "\n".join(lines)
