"""Any code is read: deep, long, odd, self-referring; only what is no Python is refused."""

import subprocess
import sys
import time

import pytest

from linguacodus_core.extraction.fields import as_text
from linguacodus_core.extraction.static import static_fields
from linguacodus_core.extraction.syntax import evidence

ODD = {
    "nothing": "",
    "deep brackets": "x = " + "[" * 90 + "]" * 90,
    "deep calls": "x = " + "f(" * 90 + ")" * 90,
    "a long chain of methods": "x = a" + ".b()" * 250,
    "a long sum": "x = " + " + ".join(["a"] * 500),
    "deep lambdas": "f = " + "lambda x: " * 300 + "x",
    "a huge mapping": "x = {" + ", ".join(f"'k{n}': {n}" for n in range(20_000)) + "}",
    "a huge text": "x = '" + "a" * 1_000_000 + "'",
    "a function that calls itself": "def f():\n    return f()\nf().fit()",
    "functions that call each other": "def f(): return g()\ndef g(): return f()\nf().fit(X)",
    "a class that is its own base": "class A(A): pass\nA().fit()",
    "classes that hold each other": "class A:\n    def m(self): return B()\nclass B:\n    def m(self): return A()\nB().m()",
    "names bound to themselves": "x = x\na = b\nb = a\ndf.drop(columns=a, axis=1)\nparams = {**params}\nxgb.train(params, d)",
    "a loop over itself": "for x in x:\n    df[x] = df[x].fillna(0)",
    "growing lists": "\n".join(f"x{n} = x{n - 1} + ['c{n}']" for n in range(1, 400))
    + "\ndf = df.drop(columns=x399)",
    "new syntax": "match x:\n    case [1, *r]:\n        y = 2\nif (n := 3):\n    pass\ntry:\n    pass\nexcept* E:\n    z = 1\n",
    "asynchronous code": "async def f():\n    async with a as b:\n        async for c in b:\n            await c\n",
    "annotations without a value": "x: int\ny: int = 3",
    "star expressions": "a, *b = f(*c, **d)\nprint(*b)",
    "many branches": "if a:\n    x = 1\n" + "".join(f"elif a == {n}:\n    x = {n}\n" for n in range(300)),
}


@pytest.mark.parametrize("code", ODD.values(), ids=ODD.keys())
def test_odd_code_is_read(code: str, no_hang: None) -> None:
    as_text(static_fields(code))


@pytest.mark.parametrize(
    "code", ["print 'x'", "def f(:", "a\x00b", "x = " + "(" * 5000 + ")" * 5000, "  x = 1\n y"]
)
def test_what_is_no_python_is_a_syntax_error(code: str) -> None:
    with pytest.raises(SyntaxError):
        evidence(code)


def test_models_behind_deep_code_are_still_found() -> None:
    deep = "x = " + "f(" * 120 + "SVC()" + ")" * 120
    found = evidence("from sklearn.svm import SVC\n" + deep + "\nm = SVC()\nm.fit(X, y)")
    assert [m.family for m in found.models] == ["svm"]


def test_evidence_does_not_hang_on_the_order_of_sets() -> None:
    code = (
        "from linguacodus_core.extraction.syntax import evidence\n"
        "print(evidence('''import lightgbm as lgb\\nfrom sklearn.svm import SVC\\nimport torch, timm\\n"
        "m = lgb.train({'a': 1, 'num_leaves': 3}, d, num_boost_round=5)\\ns = SVC(C=1, gamma=2).fit(X, y)\\n"
        "df['x'] = df['a'] / df['b']\\n''').model_dump_json())"
    )
    outputs = set()
    for seed in ("1", "2", "3"):
        run = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PATH": ""},
        )
        outputs.add(run.stdout)
    assert len(outputs) == 1


def test_a_long_notebook_takes_no_minutes() -> None:
    cell = "df['a{0}'] = df['b'] / (df['c'] + {0})\nmodel{0} = LGBMRegressor(num_leaves={0}).fit(df, y)\nplt.plot(df['a{0}'])\n"
    start = time.monotonic()
    found = evidence("".join(cell.format(n) for n in range(1, 400)))
    assert time.monotonic() - start < 5
    assert found.models[0].family == "lightgbm"
