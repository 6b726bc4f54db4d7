"""The command line: `linguacodus`, one module per command group."""

import sys


def main() -> None:
    """Run the command line; a problem the user can mend is one message on stderr and exit code 2."""
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
