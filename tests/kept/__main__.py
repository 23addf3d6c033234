"""Keeps the states that a release leaves behind: `python -m tests.kept VERSION [REVISION]`.

Of the checkout as it is, or of a revision of it. Run once for each release (docs/releases.md).
"""

from __future__ import annotations

import sys
from contextlib import nullcontext

from lab.paths import CHECKOUT
from tests.kept import states


def main(argv: list[str]) -> None:
    """Writes tests/fixtures/states/VERSION."""
    version, *name = argv
    with states.revision(name[0]) if name else nullcontext(CHECKOUT) as source:
        for stack in states.STACKS:
            content, resources = states.made(source, stack)
            states.write(version, stack, content, resources)
            print(f"{version} {stack}: {len(resources)} resources", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
