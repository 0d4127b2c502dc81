"""A personal store in a process of its own, with the time that a file tells: the tests' program.

    python run_store.py DATA PASSPHRASE_FILE CLOCK_FILE COMMANDS_FILE

runs every command line of COMMANDS_FILE (a JSON list of lists of words) as `personal-store` would,
and writes on its standard output a JSON list of what each of them answered.

With LEAK in the environment it is a store that a careless hand changed: it announces its week where
the parts of joint randomness belong.
"""

import contextlib
import io
import json
import os
import struct
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from personal_store import contribute, transport
from personal_store.cli import program
from personal_store.clock import SystemClock


def tell_time(file):
    """Have this process believe what a file says about the time, and be as patient as a test."""
    SystemClock.now = lambda _self: datetime.fromisoformat(file.read_text())
    transport.TIMEOUT_S = 300.0


def leak():
    """Write the vector in the clear into the public share, which has room for eight numbers."""
    shard = contribute.shard

    def careless(vector, task, **others):
        told = struct.pack(f"<{len(vector)}Q", *vector)
        return replace(shard(vector, task, **others), public_share=told)

    contribute.shard = careless


def main():
    """Run the commands."""
    data, passphrase, clock, commands = map(Path, sys.argv[1:])
    tell_time(clock)
    if "LEAK" in os.environ:
        leak()
    answers = []
    for words in json.loads(commands.read_text()):
        sys.argv = ["personal-store", "--data", str(data), "--passphrase-file", str(passphrase)]
        sys.argv += words
        with contextlib.redirect_stdout(io.StringIO()) as said:
            program.main()
        answers.append(said.getvalue())
    sys.stdout.write(json.dumps(answers))


if __name__ == "__main__":
    main()
