import ast

import pytest

from linguacodus_core.curation.cells import join, plain


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("%matplotlib inline\nx = 1", "x = 1"),
        ("!pip install lightgbm\nimport lightgbm", "import lightgbm"),
        ("%%time\nmodel.fit(X, y)", "model.fit(X, y)"),
        ("\n%%timeit -n 3\nf()", "f()"),
        ("%%bash\nls -l\ncat x", ""),
        ("%%html\n<b>x</b>", ""),
        ("%%writefile train.py\nimport os", "import os"),
        ("%%writefile notes.txt\nhello you", ""),
        ("%time model.fit(X, y)", "model.fit(X, y)"),
        ("%timeit -n 10 f(x)", "f(x)"),
        ("files = !ls ../input", "files = None"),
        ("result = %time f(x)", "result = f(x)"),
        ("train.describe?", ""),
        ("?train", ""),
        ("help(x)\ntrain??", "help(x)"),
        ("if gpu:\n    !nvidia-smi\nx = 2", "if gpu:\n    pass\nx = 2"),
        ("!pip install a \\\n    b\nx = 1", "x = 1"),
    ],
)
def test_magics_and_shell_lines_go_and_code_stays(cell: str, expected: str) -> None:
    assert plain(cell) == expected


@pytest.mark.parametrize(
    "cell",
    [
        'print("%d of %d"\n% (a, b))',
        's = """\n!not a shell line\n"""',
        "x = a if b != 3 else c  # why?",
        "text = '50%'\nrate = 7 % 3",
    ],
)
def test_python_that_only_looks_like_magic_is_left_alone(cell: str) -> None:
    assert plain(cell) == cell
    assert join([cell]) == cell


def test_cells_are_joined_in_order() -> None:
    joined = join(["import pandas as pd", "%matplotlib inline", "df = pd.read_csv('a')\ndf?", "df.head()"])
    assert [type(node).__name__ for node in ast.parse(joined).body] == ["Import", "Assign", "Expr"]


def test_a_broken_cell_stays_broken() -> None:
    assert join(["def f(:\n  !ls"]) == "def f(:\n  pass"
