"""The program's first breath: `personal-store` and `python -m personal_store` start here.

Loading the command line takes half a second on a small machine. Ctrl-C within it ends as at any
other time: with a sentence, without a traceback.
"""

import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs
    from types import FrameType

_AGAIN_AFTER_S = 0.05
"""How long a finalizer or a compiler's callback is given to end before Ctrl-C is said again."""


def main() -> None:
    """Load the command line and run it."""
    sys.unraisablehook = _interrupt_again
    signal.signal(signal.SIGALRM, _interrupt)
    try:
        # Imported here: what is interrupted is this.
        from personal_store.cli.program import main as run  # noqa: PLC0415

        run()
    except KeyboardInterrupt:
        is_english = os.environ.get("LC_ALL", os.environ.get("LANG", "")).startswith("en")
        sys.stderr.write("Interrupted.\n" if is_english else "Interrompu.\n")
        sys.exit(130)
    finally:
        # Past this point there is nothing left to interrupt, and nobody left to say so.
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # CPython remembers a Ctrl-C that fell inside a code string (a dataclass being made) and,
        # after `python -m`, would end by killing itself rather than with our exit code. Running
        # another code string makes it forget.
        exec("")  # noqa: S102 - an empty program


def _interrupt_again(ignored: "UnraisableHookArgs") -> None:
    """Repeat a Ctrl-C that fell where no exception can leave; everything else is shown as usual.

    Inside a finalizer or a callback the interpreter prints a traceback and goes on, deaf.
    """
    if ignored.exc_type is KeyboardInterrupt:
        signal.setitimer(signal.ITIMER_REAL, _AGAIN_AFTER_S, _AGAIN_AFTER_S)
    else:
        sys.__unraisablehook__(ignored)


def _interrupt(_signal: int, frame: "FrameType | None") -> None:
    """Interrupt the program, but not the hook that asked for it: there it would be lost."""
    while frame is not None:
        if frame.f_code is _interrupt_again.__code__:
            return  # until the next time
        frame = frame.f_back
    signal.setitimer(signal.ITIMER_REAL, 0)
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
