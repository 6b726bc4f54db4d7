"""The command line: `linguacodus`, one module per command group."""

import sys

STOPPED = 130
REFUSED = 3
EARLY = "stopped before the first submission; the same command goes on where it was"


class Stopped(Exception):
    """Ctrl-C, with what the user should know."""


def main() -> None:
    """Run the command line.

    A problem the user can mend is one message on stderr and exit code 2, a tuned model that the gate refuses
    one with exit code 3; a bug is one too, exit code 1, with the traceback in a file; Ctrl-C is one line and
    exit code 130.
    """
    try:
        _run()
    except Stopped as stopped:
        _leave_stopped(str(stopped))
    except KeyboardInterrupt:
        _leave_stopped(_words_of_stop())
    except SystemExit as left:
        if left.code != STOPPED:  # Typer makes it of a KeyboardInterrupt
            raise
        _leave_stopped(_words_of_stop())


def _run() -> None:
    from linguacodus_core.errors import GateRefused, LinguacodusError

    try:
        from linguacodus_core.cli.app import app

        app()
    except Stopped:
        raise
    except LinguacodusError as error:
        from linguacodus_core.cli.console import complain

        complain(error)
        sys.exit(REFUSED if isinstance(error, GateRefused) else 2)
    except Exception as error:
        from linguacodus_core.cli.console import complain_of_a_bug

        complain_of_a_bug(error)
        sys.exit(1)


def _words_of_stop() -> str:
    if sys.argv[1:3] == ["dataset", "rebuild"]:
        return "stopped; the same command goes on where it was"
    if sys.argv[1:2] == ["finetune"]:
        return "stopped; the same command goes on from the last checkpoint"
    return EARLY if sys.argv[1:2] == ["generate"] else "stopped"


def _leave_stopped(words: str) -> None:
    sys.stderr.write(f"\n{words}\n")
    sys.exit(STOPPED)
