"""What becomes of columns, texts and images."""

from textwrap import dedent

import pytest

from linguacodus_core.extraction.evidence import Evidence
from linguacodus_core.extraction.syntax import evidence


def read(code: str) -> Evidence:
    return evidence(dedent(code))


def steps(code: str, *kinds: str) -> list[tuple[str, str, tuple[str, ...], str]]:
    found = read("import numpy as np\nimport pandas as pd\n" + dedent(code))
    return [(s.kind, s.how, s.columns, s.detail) for s in (found.of(*kinds) if kinds else found.steps)]


@pytest.mark.parametrize(
    ("code", "how", "columns", "detail"),
    [
        ("df['Age'] = df['Age'].fillna(df['Age'].median())", "median", ("Age",), ""),
        ("df['Age'].fillna(df['Age'].mean(), inplace=True)", "mean", ("Age",), ""),
        ("df.Embarked = df.Embarked.fillna(df.Embarked.mode()[0])", "mode", ("Embarked",), ""),
        ("df[['a', 'b']] = df[['a', 'b']].fillna(0)", "constant", ("a", "b"), "0"),
        ("df['a'] = df['a'].fillna('None')", "constant", ("a",), "'None'"),
        ("fill = df['a'].median()\ndf['a'] = df['a'].fillna(fill)", "median", ("a",), ""),
        ("df['a'] = df['a'].fillna(method='ffill')", "forward fill", ("a",), ""),
        ("df['a'] = df['a'].interpolate()", "interpolation", ("a",), ""),
        ("df['a'] = df.groupby('g')['a'].transform(lambda s: s.fillna(s.median()))", "median", ("a",), ""),
        (
            "df['a'] = df['a'].fillna(df.groupby('g')['a'].transform('mean'))",
            "mean of the group",
            ("a",),
            "g",
        ),
        ("df.loc[df['a'].isnull(), 'a'] = 80", "constant", ("a",), "80"),
        ("for c in ['a', 'b']:\n    df[c] = df[c].fillna(df[c].median())", "median", ("a", "b"), ""),
        (
            "num_cols = df.select_dtypes('number').columns\ndf[num_cols] = df[num_cols].fillna(-1)",
            "constant",
            ("numeric columns",),
            "-1",
        ),
        (
            "from sklearn.impute import SimpleImputer\ni = SimpleImputer(strategy='most_frequent')\ndf[['a']] = i.fit_transform(df[['a']])",
            "mode",
            ("a",),
            "",
        ),
        (
            "from sklearn.impute import KNNImputer\nX = KNNImputer(n_neighbors=5).fit_transform(df[['x', 'z']])",
            "nearest neighbours",
            ("x", "z"),
            "5",
        ),
    ],
)
def test_missing_values(code: str, how: str, columns: tuple[str, ...], detail: str) -> None:
    assert ("impute", how, columns, detail) in steps(code, "impute")


@pytest.mark.parametrize(
    ("code", "how", "columns"),
    [
        ("df = pd.get_dummies(df, columns=['Sex', 'Embarked'])", "one-hot", ("Sex", "Embarked")),
        (
            "from sklearn.preprocessing import LabelEncoder\nle = LabelEncoder()\nfor c in ['a', 'b']:\n    df[c] = le.fit_transform(df[c])",
            "label",
            ("a", "b"),
        ),
        ("df['Sex'] = df['Sex'].map({'male': 0, 'female': 1})", "mapped to numbers", ("Sex",)),
        ("df['Sex'] = df['Sex'].replace({'male': 0, 'female': 1})", "mapped to numbers", ("Sex",)),
        ("codes = {'lo': 0, 'hi': 1}\ndf.grade = df.grade.map(codes)", "mapped to numbers", ("grade",)),
        ("df['city'] = df['city'].astype('category')", "category type", ("city",)),
        ("df['city'] = df['city'].cat.codes", "label", ("city",)),
        (
            "from category_encoders import TargetEncoder\nt = TargetEncoder(cols=['zip'])\nX = t.fit_transform(X, y)",
            "target",
            ("zip",),
        ),
    ],
)
def test_encodings(code: str, how: str, columns: tuple[str, ...]) -> None:
    assert ("encode", how, columns, "") in steps(code, "encode")


def test_a_column_transformer_gives_encoders_their_columns_by_kind() -> None:
    found = steps(
        """
        from sklearn.compose import ColumnTransformer
        from sklearn.preprocessing import OneHotEncoder, StandardScaler
        pre = ColumnTransformer([("n", StandardScaler(), ["age", "fare"]), ("c", OneHotEncoder(), ["sex"])])
        """
    )
    assert ("scale", "standardised", ("age", "fare"), "") in found
    assert ("encode", "one-hot", ("sex",), "") in found


@pytest.mark.parametrize(
    ("code", "columns", "detail"),
    [
        ("df['size'] = df['sib'] + df['par'] + 1", ("size",), "sib + par + 1"),
        ("df['ratio'] = df.income / (df.debt + 1e-6)", ("ratio",), "income / (debt + 1e-06)"),
        ("df['alone'] = (df['size'] == 1).astype(int)", ("alone",), "size == 1"),
        ("df['has'] = df['cabin'].notnull() * 1", ("has",), None),
        ("df['dist'] = np.sqrt((df.x - df.a) ** 2)", ("dist",), "sqrt((x - a) ** 2)"),
        ("df['gone'] = df['cabin'].isnull().astype(int)", ("gone",), "cabin is missing"),
    ],
)
def test_arithmetic_becomes_a_formula(code: str, columns: tuple[str, ...], detail: str | None) -> None:
    found = [(s[2], s[3]) for s in steps(code, "feature")]
    assert (found[0] if detail is None else (columns, detail)) in found
    assert found[0][0] == columns


def test_columns_made_from_texts_and_functions_name_their_source() -> None:
    found = steps(
        """
        df['Title'] = df['Name'].str.extract('([A-Za-z]+)\\.')
        df['Deck'] = df['Cabin'].apply(lambda c: str(c)[0])
        df['copy'] = df['Age']
        df['flag'] = 1
        """,
        "feature",
    )
    assert [(how, columns, detail) for _, how, columns, detail in found] == [
        ("text part", ("Title",), "Name"),
        ("derived", ("Deck",), "Cabin"),
    ]


def test_predictions_in_a_column_are_no_feature() -> None:
    assert (
        steps(
            "m = Ridge().fit(X, y)\ndf['guess'] = m.predict(df[['a', 'b']])\nsub['y'] = sub['a'] * 2",
            "feature",
        )
        == []
    )


def test_dates_lags_windows_and_groups() -> None:
    found = steps(
        """
        df['year'] = df['date'].dt.year
        df['dow'] = df['date'].dt.dayofweek
        for n in [1, 7, 28]:
            df[f'lag_{n}'] = df['sales'].shift(n)
        df['mean7'] = df['sales'].rolling(7).mean()
        df['city_mean'] = df.groupby('city')['price'].transform('mean')
        agg = df.groupby('shop')['sales'].sum()
        df = df.merge(agg, on='shop')
        """
    )
    assert ("date", "parts", ("date",), "year") in found
    assert ("date", "parts", ("date",), "dayofweek") in found
    assert {s[3] for s in found if s[0] == "lag"} == {"1", "7", "28"}
    assert ("rolling", "", ("sales",), "7") in found
    assert ("aggregate", "mean", ("price",), "city") in found
    assert ("aggregate", "sum", ("sales",), "shop") in found
    assert ("merge", "", ("shop",), "") in found


def test_grouped_statistics_that_are_only_shown_are_no_features() -> None:
    assert (
        steps(
            "df.groupby('a')['b'].mean()\nprint(df.groupby('a').size())\nx = df['b'].rolling(7).mean()",
            "aggregate",
            "rolling",
        )
        == []
    )


def test_bins_outliers_filters_and_drops() -> None:
    found = steps(
        """
        df['AgeBand'] = pd.cut(df['Age'], 5)
        df['FareBand'] = pd.qcut(df['Fare'], q=4)
        df = df.drop(df[df['GrLivArea'] > 4000].index)
        df = df[df['price'] < 1000]
        df.drop(['Name', 'Ticket'], axis=1, inplace=True)
        df = df.drop(columns='Cabin')
        del df['Id']
        df.drop('shown', axis=1).head()
        df = df.drop_duplicates()
        """
    )
    assert ("bin", "intervals", ("Age",), "5") in found
    assert ("bin", "quantiles", ("Fare",), "4") in found
    assert ("outliers", "rows", ("GrLivArea",), "GrLivArea > 4000") in found
    assert ("filter", "", ("price",), "price < 1000") in found
    assert [s[2] for s in found if s[0] == "drop"] == [("Name", "Ticket"), ("Cabin",), ("Id",)]
    assert any(s[0] == "duplicates" for s in found)


def test_the_target_is_neither_a_dropped_column_nor_a_plain_transform() -> None:
    found = read(
        """
        import numpy as np
        y = np.log1p(train['SalePrice'])
        X = train.drop(['SalePrice', 'Id'], axis=1)
        m = Ridge().fit(X, y)
        sub['SalePrice'] = np.expm1(m.predict(test))
        """
    )
    assert [(s.how, s.columns) for s in found.of("target")] == [("log1p", ("SalePrice",))]
    assert [s.columns for s in found.of("drop")] == [("Id",)]
    assert [s.how for s in found.of("back")] == ["expm1"]


def test_the_columns_that_a_model_sees() -> None:
    found = steps(
        "features = ['Pclass', 'Sex', 'SibSp']\nX = pd.get_dummies(train[features])\nX_test = test[features]",
        "use",
    )
    assert found[0][2] == ("Pclass", "Sex", "SibSp")


def test_scaling_reduction_selection_and_balancing() -> None:
    found = steps(
        """
        from sklearn.preprocessing import *
        from sklearn.decomposition import PCA
        from sklearn.feature_selection import SelectKBest
        from imblearn.over_sampling import SMOTE
        X = MinMaxScaler().fit_transform(X)
        X = PCA(n_components=50).fit_transform(X)
        X = SelectKBest(k=20).fit_transform(X, y)
        X, y = SMOTE().fit_resample(X, y)
        X = PolynomialFeatures(2).fit_transform(X)
        """
    )
    assert [(kind, how, detail) for kind, how, _, detail in found] == [
        ("scale", "scaled to a fixed range", ""),
        ("reduce", "PCA", "50"),
        ("select", "the best by a univariate test", "20"),
        ("resample", "SMOTE", ""),
        ("polynomial", "", "2"),
    ]


def test_texts() -> None:
    found = steps(
        """
        import re
        from nltk.corpus import stopwords
        from nltk.stem import WordNetLemmatizer
        from sklearn.feature_extraction.text import TfidfVectorizer
        stop = set(stopwords.words('english'))
        def clean(text):
            text = re.sub(r'http\\S+', '', text.lower())
            return ' '.join(WordNetLemmatizer().lemmatize(w) for w in text.split() if w not in stop)
        df['text'] = df['text'].apply(clean)
        vec = TfidfVectorizer(ngram_range=(1, 2), max_features=20000)
        X = vec.fit_transform(df['text'])
        """
    )
    assert ("text", "TF-IDF", ("text",), "1- to 2-grams, at most 20,000 terms") in found
    assert {s[1] for s in found if s[0] == "clean"} >= {"URLs removed", "lower case", "stop words removed"}
    assert ("text", "lemmatisation", (), "") in found


def test_images() -> None:
    found = steps(
        """
        import albumentations as A
        import cv2
        SIZE = 256
        aug = A.Compose([A.Resize(SIZE, SIZE), A.HorizontalFlip(p=0.5), A.Normalize()])
        image = cv2.resize(image, (224, 224)) / 255.0
        from keras.preprocessing.image import ImageDataGenerator
        gen = ImageDataGenerator(rotation_range=10, horizontal_flip=False)
        """
    )
    assert ("image", "resized", (), "256x256") in found
    assert ("image", "resized", (), "224x224") in found
    assert ("scale", "divided by 255", (), "") in found
    assert [s[1] for s in found if s[0] == "augment"] == ["horizontal flips", "rotations"]


def test_what_becomes_of_predictions() -> None:
    found = steps(
        """
        model = LGBMRegressor().fit(X, y)
        a = np.clip(model.predict(test), 0, None)
        b = (model.predict(test) > 0.4).astype(int)
        c = model.predict(test).round()
        other = np.clip(x, 0, 1)
        """,
        "postprocess",
    )
    assert [how for _, how, _, _ in found] == ["clipped", "cut at 0.4 into classes", "rounded"]
