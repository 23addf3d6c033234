"""What a stack still lacks before it can be built: blanks that a preview does not need.

Shipped stacks carry such blanks on purpose, because no default could be right. They are warnings
at preview and errors at `up`.
"""

from __future__ import annotations

from collections.abc import Iterator

from settings.models.stack import Stack
from settings.problems import ABSENT, Problem, problem

_EXAMPLES = ("example.org", "example.com", "example.net")


def pending(stack: Stack) -> list[Problem]:
    """Every blank that has to be filled in before `up`."""
    return [*_checksum(stack), *_repository_keys(stack), *_examples(stack)]


def _checksum(stack: Stack) -> Iterator[Problem]:
    image = stack.proxmox.image
    if set(image.sha256) == {"0"}:
        yield problem(
            "proxmox.image.sha256",
            ABSENT,
            "is all zeros, a blank to fill in",
            f"write the image's checksum: download {image.url}, compare it with the publisher's "
            f"own sums beside it, then: sha256sum {image.url.rpartition('/')[2]}",
        )


def _repository_keys(stack: Stack) -> Iterator[Problem]:
    for key in ("kubernetes_repository", "containerd_repository"):
        repository = getattr(stack.software, key)
        if repository is not None and repository.signed_by is None:
            yield problem(
                f"software.{key}.signed_by",
                ABSENT,
                f"is missing: the image does not know the key of {repository.uris[0]}",
                "write the armored public key, as the repository publishes it",
            )


def _examples(stack: Stack) -> Iterator[Problem]:
    given: list[tuple[str, str | None]] = [
        ("proxmox.endpoint", stack.proxmox.endpoint),
        ("cdn.zone", stack.cdn.zone),
    ]
    for path, text in given:
        if text is not None and any(example in text for example in _EXAMPLES):
            yield problem(
                path, text, "is an example (RFC 2606), a blank to fill in", "write your own"
            )
