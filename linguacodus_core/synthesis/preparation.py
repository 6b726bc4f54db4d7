"""The first half of a program: reading, features, encoding."""

from linguacodus_core.synthesis.plan import BOOSTERS, TREES, Feature
from linguacodus_core.synthesis.statements import VECTORS, Statements
from linguacodus_core.synthesis.wording import call, literal

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


class Preparation(Statements):
    """Writes the statements that lead from the files to a matrix and a goal."""

    # --- reading ---------------------------------------------------------------------------------

    def reading(self) -> None:
        """Tables, targets, and the scale that the model is fitted on."""
        spec = self.spec
        self.say("started = time.monotonic()")
        as_written = ["ID"]
        if spec.decimal == ".":  # labels with a decimal comma have to be read as numbers
            if self._labels():
                as_written.append("TARGETS[0]")
            elif spec.target_classes:
                as_written.append("*TARGETS")
            if self.renamed:
                as_written.append("*RENAMED")
        if spec.image_column:
            as_written.append("IMAGE")
        self.say(f"raw = [name for name in [{', '.join(as_written)}] if name]")
        train = ("TRAIN_FILE", "raw", *self._dialect("TRAIN_FILE", spec.train_file))
        self.call("read", "read_table", *train, target="train")
        if self.renamed:
            self.say("train = train.rename(columns=RENAMED)  # as the submission calls them")
        test = ("TEST_FILE", "raw", *self._dialect("TEST_FILE", spec.test_file))
        self.call("read", "read_table", *test, target="test")
        sample = ("SAMPLE_FILE", "test", "ID", "COLUMNS", *self._dialect("SAMPLE_FILE", spec.sample_file))
        self.call("read", "read_sample", *sample, target="sample")
        if self.ranked:
            self.call("targets", "one_label_a_row", "train", "TARGETS[0]", target="train, origin")
        if self.problem in ("binary", "multiclass"):
            self.call("targets", "label_codes", "train[TARGETS[0]]", "CLASSES", target="y, classes")
            self.say("kept = y >= 0")
        elif self.problem == "multilabel" and spec.target_classes:
            self.call("targets", "several_codes", "train", "TARGET_CLASSES", target="y")
            self.say("kept = (y >= 0).all(axis=1)")
        else:
            self.call("targets", "number_target", "train", "TARGETS", target="y")
            self.say("kept = np.isfinite(y).all(axis=1)")
        if self.ranked:
            self.say("origin = origin[kept]")
        self.say("train, y = train[kept].reset_index(drop=True), y[kept]")
        if spec.tables:
            self.say("for name, key in SIDE_TABLES.items():")
            arguments = ["train", "test", "name", "key", "TARGETS"]
            if any(table.file in spec.dialects for table in spec.tables):
                arguments.append("**DIALECTS.get(name, {})")
            self.call("joins", "join_table", *arguments, target="train, test", indent=8)
        if self.problem == "multilabel" and not spec.target_classes:
            self.say("y = (y > 0.5).astype(int)")
        if self.ordinal:
            self.say("grades = np.unique(y)")
        if self.problem == "regression":
            self.call("targets", f"{self._scale()}_scale", "y", target="scaled, back")

    def _dialect(self, constant: str, file: str) -> list[str]:
        """The argument that says how a file is written, none for UTF-8 with commas."""
        return [f"**DIALECTS[{constant}]"] if file in self.spec.dialects else []

    # --- features --------------------------------------------------------------------------------

    def features(self) -> None:
        """The table of train and test with the plan's features, as numbers, dates and text."""
        spec, plan = self.spec, self.plan
        drop = [name for name in (*spec.targets, *spec.text_columns, spec.image_column) if name]
        if spec.id_column and spec.id_column != spec.time_column:
            drop.insert(0, spec.id_column)
        self.lines.append(call(self.use("table", "stack_tables"), "train", "test", "DROP", target="table"))
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
            self.say("level = expected = np.zeros(len(table))")
            self.say("if ahead:  # between known days the calendar tells the level")
            self.call("series", "periods_of", "dates", "len(y)", target="periods", indent=8)
            levels = self.use("series", "series_levels")
            self.say(f"    level, expected = {levels}(scaled[:, 0], series, periods, len(y))")
            self.lines[-1] = "    " + self.lines[-1]
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
        vectors = VECTORS[self.plan.text]
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
