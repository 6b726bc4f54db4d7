"""Notebooks of every format become cells; what is no notebook says why."""

import json

import pytest

from linguacodus_core.sources.notebook import Cell, NotReadable, read_notebook, read_script


def book(cells: list[dict[str, object]], **more: object) -> bytes:
    return json.dumps({"nbformat": 4, "nbformat_minor": 2, "metadata": {}, "cells": cells} | more).encode()


def test_code_and_markdown_cells_come_in_order_without_outputs() -> None:
    cells = [
        {"cell_type": "markdown", "source": "# Title"},
        {"cell_type": "code", "source": ["import os\n", "os.getcwd()"], "outputs": [{"text": "secret"}]},
        {"cell_type": "raw", "source": "raw"},
        {"cell_type": "code", "source": ""},
        {"cell_type": "code", "source": None},
    ]
    assert read_notebook(book(cells)).cells == [
        Cell("markdown", "# Title"),
        Cell("code", "import os\nos.getcwd()"),
        Cell("code", ""),
        Cell("code", ""),
    ]


def test_worksheets_of_format_3() -> None:
    sheets = [
        {
            "cells": [
                {"cell_type": "heading", "level": 2, "source": ["Data"]},
                {"cell_type": "code", "input": ["x = 1\n", "y = 2"], "language": "python", "outputs": []},
            ]
        },
        {"cells": [{"cell_type": "markdown", "source": "end"}]},
    ]
    content = json.dumps({"nbformat": 3, "metadata": {"name": ""}, "worksheets": sheets}).encode()
    assert read_notebook(content).cells == [
        Cell("markdown", "## Data"),
        Cell("code", "x = 1\ny = 2"),
        Cell("markdown", "end"),
    ]


@pytest.mark.parametrize(
    ("metadata", "language"),
    [
        ({"language_info": {"name": "R"}, "kernelspec": {"language": "python"}}, "R"),
        ({"kernelspec": {"language": "julia", "name": "julia-1.9"}}, "julia"),
        ({"kernelspec": {"name": "ir"}}, "ir"),
        ({"kernelspec": None}, None),
        (["no", "mapping"], None),
    ],
)
def test_the_language_is_what_the_notebook_names(metadata: object, language: str | None) -> None:
    assert read_notebook(book([], metadata=metadata)).language == language


def test_the_language_of_format_3_stands_in_its_cells() -> None:
    sheets = [{"cells": [{"cell_type": "code", "input": "1", "language": "R"}]}]
    assert read_notebook(json.dumps({"worksheets": sheets}).encode()).language == "R"


def test_half_characters_can_be_written_as_utf8() -> None:
    content = b'{"cells": [{"cell_type": "code", "source": "a\\ud83d b\\ud83d\\ude00"}]}'
    assert read_notebook(content).cells == [Cell("code", "a\ufffd b\U0001f600")]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (b" \n", "empty file"),
        (b"<html>not found</html>", "no JSON"),
        (b'{"cells": [', "no JSON"),
        (b"\xff\x00\xfe", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[1, 2]", "no object"),
        (b'{"error": "gone"}', "no list of cells"),
        (b'{"cells": {"a": 1}}', "no list of cells"),
        (b'{"cells": ["import os"]}', "no list of cells"),
    ],
)
def test_what_is_no_notebook_says_why(content: bytes, reason: str) -> None:
    with pytest.raises(NotReadable, match=reason):
        read_notebook(content)


def test_scripts_are_text() -> None:
    assert read_script("\ufeffx = 'ä'\n".encode()) == "x = 'ä'\n"


@pytest.mark.parametrize(
    ("content", "reason"), [(b"\n", "empty file"), (b"x = '\xe4'", "no UTF-8: .* at byte 5")]
)
def test_what_is_no_script_says_why(content: bytes, reason: str) -> None:
    with pytest.raises(NotReadable, match=reason):
        read_script(content)
