import pytest

from linguacodus_core.curation.syntax import flaw


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("x = 1\nprint(x)", ""),
        ("await f()", ""),
        ("print 'hello'", "python 2"),
        ("import os\nprint x", "python 2"),
        ("try:\n    pass\nexcept IOError, e:\n    pass", "python 2"),
        ("raise ValueError, 'no'", "python 2"),
        ("x = 0777", "python 2"),
        ("n = 10L", "python 2"),
        ("if a <> b:\n    pass", "python 2"),
        ("def f(:", "broken"),
        ("print 'x' in a string is fine\n" * 0 + "x = (1,", "broken"),
        ("library(dplyr)\nlibrary(ggplot2)\nx <- read.csv('a')", "language: r"),
        ("x = '\x00'", "broken"),
    ],
)
def test_python_3_is_told_from_everything_else(code: str, reason: str) -> None:
    assert flaw(code)[0] == reason


def test_a_flaw_says_where_the_parser_stopped() -> None:
    assert flaw("x = 1\ny = = 2")[1] == "line 2: invalid syntax"


def test_print_in_a_string_makes_no_python_2() -> None:
    assert flaw("s = '''\nprint x\n'''\ndef f(:")[0] == "broken"


def test_code_nested_too_deep_is_broken_and_raises_nothing() -> None:
    assert flaw("(" * 5000)[0] == "broken"
