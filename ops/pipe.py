"""A program that is asked one thing, with a bound on its time and on its words."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Sequence
from typing import IO

MOST = 64_000_000
"""Bytes of one answer, of all questions to a machine."""
MOST_WORDS = 64_000
"""Bytes of standard error: the first ones."""
_PIECE = 65_536


class Silent(RuntimeError):
    """It was ended: it took or said too much; the text says which."""


class _Drain(threading.Thread):
    """Reads a pipe to its end, and keeps no more than `most` bytes of it. With a process it ends
    it as soon as there are more."""

    def __init__(
        self, pipe: IO[bytes], most: int, ends: subprocess.Popen[bytes] | None = None
    ) -> None:
        super().__init__(daemon=True)
        self._pipe, self._most, self._ends = pipe, most, ends
        self.data = bytearray()
        self.more = False
        self.start()

    def run(self) -> None:
        while piece := self._pipe.read(_PIECE):
            self.data += piece[: self._most - len(self.data)]
            if len(self.data) == self._most:
                self.more = True
                if self._ends is not None:
                    self._ends.kill()
                    return


def said(
    argv: Sequence[str], given: bytes, seconds: float, most: int = MOST
) -> tuple[int, bytes, bytes]:
    """Its exit status, standard output and error. `given` is its standard input, `seconds` what it
    may take, `most` the bytes that it may answer.

    Raises:
        Silent: it took longer, or answered more.
        OSError: it cannot be run.
    """
    process = subprocess.Popen(
        list(argv),
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        assert process.stdin is not None  # noqa: S101 - a pipe, as was asked for
        assert process.stdout is not None  # noqa: S101
        assert process.stderr is not None  # noqa: S101
        out = _Drain(process.stdout, most, process)
        err = _Drain(process.stderr, MOST_WORDS)
        giving = threading.Thread(target=_give, args=(process.stdin, given), daemon=True)
        giving.start()
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Silent(f"no answer within {seconds:g} s") from None
        finally:
            process.kill()
            for each in (giving, out, err):
                each.join()
    if out.more:
        raise Silent(f"it answers more than {most // 1_000_000} MB, and nothing of it was taken")
    return status, bytes(out.data), bytes(err.data)


def _give(pipe: IO[bytes], given: bytes) -> None:
    try:
        left = memoryview(given)
        while left:
            left = left[pipe.write(left) :]
    except OSError:
        # It ended before it read all of it, and says why itself.
        pass
    finally:
        pipe.close()
