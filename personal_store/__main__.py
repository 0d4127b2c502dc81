"""The program's first breath: `personal-store` and `python -m personal_store` start here.

Loading the command line takes half a second on a small machine. Ctrl-C within it ends as at any
other time: with a sentence, without a traceback.
"""

import os
import signal
import sys


def main() -> None:
    """Load the command line and run it."""
    try:
        # Imported here: what is interrupted is this.
        from personal_store.cli import main as run  # noqa: PLC0415

        run()
    except KeyboardInterrupt:
        is_english = os.environ.get("LC_ALL", os.environ.get("LANG", "")).startswith("en")
        sys.stderr.write("Interrupted.\n" if is_english else "Interrompu.\n")
        sys.exit(130)
    finally:
        # Past this point there is nothing left to interrupt, and nobody left to say so.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # CPython remembers a Ctrl-C that fell inside a code string (a dataclass being made) and,
        # after `python -m`, would end by killing itself rather than with our exit code. Running
        # another code string makes it forget.
        exec("")  # noqa: S102 - an empty program


if __name__ == "__main__":
    main()
