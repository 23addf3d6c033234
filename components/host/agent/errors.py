"""A failed push, told the way an operator reads it: the daemon's words first."""

from __future__ import annotations

from collections.abc import Iterable


class Failure(Exception):
    """`words` are the daemon's own, `what` says what failed, `after` what was done about it."""

    def __init__(self, what: str, words: str = "", after: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.words = words
        self.after = after

    def text(self, secrets: Iterable[str] = ()) -> str:
        """The whole message, with every value of `secrets` struck out."""
        parts = [part.strip() for part in (self.words, self.what, self.after)]
        return redact("\n".join(part for part in parts if part), secrets)


def redact(text: str, secrets: Iterable[str]) -> str:
    """`text` with every secret, and every line of a many-line secret, replaced."""
    pieces = {line.strip() for secret in secrets for line in (secret, *secret.splitlines())}
    for piece in sorted(pieces, key=len, reverse=True):
        if len(piece) >= 4:
            text = text.replace(piece, "<secret>")
    return text
