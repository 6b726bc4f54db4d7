"""The command line: `linguacodus`, one module per command group."""

import sys


def main() -> None:
    """Run the command line.

    A problem the user can mend is one message on stderr and exit code 2; a bug is one too, exit code 1,
    with the traceback in a file.
    """
    from linguacodus_core.cli.app import app
    from linguacodus_core.errors import LinguacodusError

    try:
        app()
    except LinguacodusError as error:
        from linguacodus_core.cli.console import complain

        complain(error)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        from linguacodus_core.cli.console import complain_of_a_bug

        complain_of_a_bug(error)
        sys.exit(1)
