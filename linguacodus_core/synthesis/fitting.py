"""The second half of a program: folds, models, the metric's answer, the files."""

from linguacodus_core.synthesis.statements import Statements
from linguacodus_core.synthesis.wording import literal

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
TEXT_MODELS = {
    "linear": "text_blend_model",
    "elastic_net": "sgd_model",
    "svm": "linear_svc_model",
    "naive_bayes": "complement_nb_model",
}
IMAGE_MODELS = {"linear": ("image_logistic_model", 0.01), "svm": ("image_svm_model", 10.0)}
"""For dense image features: the block, and what the plan's C is multiplied by."""


class Fitting(Statements):
    """Writes the statements that fit models fold by fold."""

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
        elif self.sizes:
            self.say("sizes = tuple(len(labels) for labels in TARGET_CLASSES.values())")
            width = "sum(sizes)"
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
        loss: str = plan.loss
        if loss == "auto":
            loss = "squared" if self.ordinal else self.objective.loss
            if loss == "quantile" and plan.family != "lightgbm":
                loss = "absolute"
        arguments = [
            model, "X", goal, "X_test", "folds_of",
            f"problem={problem_text}", f"width={width}", "seeds=SEEDS", "rounds=ROUNDS",
            "deadline=deadline", f"refit={refit}",
            f"balanced={plan.class_weight == 'balanced'}", "means=means",
        ]  # fmt: skip
        if self.sizes:
            arguments.append("sizes=sizes")
        if problem == "regression":
            arguments.append(f"loss={literal(loss)}")
            if loss == "quantile":
                arguments.append("alpha=QUANTILE")
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
        if self.spec.image_column and family in IMAGE_MODELS:
            self.use("adapters", "fit_plain")
            return f"partial(fit_plain, inner={self.use('image_features', IMAGE_MODELS[family][0])})"
        if self.sparse and family in TEXT_MODELS:
            self.use("adapters", "fit_plain")
            return f"partial(fit_plain, inner={self.use('text', TEXT_MODELS[family])})"
        return self.use(*_MODELS[family])

    def _folds(self, goal: str) -> str:
        scheme = self.plan.validation
        if scheme == "time" and self.spec.time_column:
            times = "dates.iloc[: len(y)], dates.iloc[len(y) :]"
            return f"{self.use('validation', 'time_folds')}({times}, FOLDS, seed)"
        if scheme == "group" and self.spec.group_column:
            return f"{self.use('validation', 'group_folds')}(train[GROUP].to_numpy(), FOLDS, seed)"
        if self.ranked:
            return f"{self.use('validation', 'origin_folds')}({goal}, origin, FOLDS, seed)"
        if scheme == "stratified":
            return f"{self.use('validation', 'stratified_folds')}({goal}, FOLDS, seed)"
        return f"{self.use('validation', 'shuffled_folds')}(y, FOLDS, seed)"


class Answers(Statements):
    """Writes the statements that make the metric's kind of answer from raw predictions."""

    # --- answering -------------------------------------------------------------------------------

    def answering(self) -> None:
        """From raw predictions to the metric's kind of answer, the claimed score and the two files."""
        score = self.use("scores", self.objective.score)
        if self.objective.options:
            score = f"partial({score}, {self.objective.options})"
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
        if self.sizes:
            self._several_classes(score)
            return
        if self.spec.prediction == "label" and self.objective.answer == "label":
            if self.objective.greater:
                self.call("decide", "label_thresholds", "y[done]", "oof[done]", score, target="cuts")
            else:
                self.say("cuts = np.full(len(TARGETS), 0.5)")
            self._claim(f"{score}(y[done], (oof[done] >= cuts).astype(int))")
            self.say(f"soft = {self.use('decide', 'around_half')}(predicted, cuts)")
            self._rows()
            self.say("answer = (predicted >= cuts).astype(int)")
            if self.spec.target_classes:
                labels = self.use("targets", "several_labels")
                self._write("submission.csv", f"{labels}(answer, TARGET_CLASSES, sample)", True)
            else:
                self._write("submission.csv", "dict(zip(TARGETS, answer.T, strict=True))", True)
            self._write("soft.csv", "dict(zip(TARGETS, soft.T, strict=True))", True)
            return
        self._claim(f"{score}(y[done], oof[done])")
        self._rows()
        self.say("answer = dict(zip(TARGETS, predicted.T, strict=True))")
        self._write("submission.csv", "answer", True)
        self._write("soft.csv", "answer", True)

    def _several_classes(self, score: str) -> None:
        """The likeliest label of each target; no soft.csv, so that blends vote."""
        tuned = self.objective.greater and self.objective.score != "score_accuracy"
        self.call(
            "decide", "likeliest", "y[done]", "oof[done]", "predicted", "sizes", score, str(tuned),
            target="known, answer",
        )  # fmt: skip
        self._claim(f"np.mean([{score}(a, b) for a, b in zip(y[done].T, known.T, strict=True)])")
        self._rows()
        labels = self.use("targets", "several_labels")
        self._write("submission.csv", f"{labels}(answer, TARGET_CLASSES, sample)", True)

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
        self.call("decide", "best_labels", "predicted", "classes", "TOP", target="answer")
        self._write("submission.csv", "{TARGETS[0]: answer}", True)
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
