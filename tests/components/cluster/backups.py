"""A stack with backups, whose key is made for the test, and what opens one of them again."""

from __future__ import annotations

import io
import subprocess
import tarfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from components.cluster import backup
from components.host.part import Part
from settings.models import Backups
from tests import issued
from tests.components.cluster import nodes

URL = "ssh://backup@198.18.10.40:2222/backups"
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"
RECIPIENT = """\
-----BEGIN CERTIFICATE-----
MIIBizCCATGgAwIBAgIUeX7/3QJaRe7dgXYuWSXaV4U9rUIwCgYIKoZIzj0EAwIw
GjEYMBYGA1UEAwwPYmFja3VwLmxhYi50ZXN0MCAXDTI2MTEyNjE5MzEwM1oYDzIx
MjYxMTAyMTkzMTAzWjAaMRgwFgYDVQQDDA9iYWNrdXAubGFiLnRlc3QwWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAATiuggqMjr0lQpY2I0CTKWZLg/S7hdnIVkOXtTS
dmTf2jV0vvmvZfzkKDmzbc3Yorw9GVaQGlv7eZpvYn7Y7FoUo1MwUTAdBgNVHQ4E
FgQUbsBS5eUaoxNDiBRrm5z76ZTHwE4wHwYDVR0jBBgwFoAUbsBS5eUaoxNDiBRr
m5z76ZTHwE4wDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiApsTRG
CfN2ixLRZcqIoZ66Qmezn9uBaEbV4xo8raDNMAIhAIgp+ZjFJNFZQVOFMMNniS1Q
P6fGj10zVhJcrO3k9ZP8
-----END CERTIFICATE-----
"""


def wanted(**over: Any) -> Backups:
    """Of every six hours, to a server that no test has."""
    ssh = {"url": URL, "host_keys": [HOST_KEY], "keep": 28, **over.pop("ssh", {})}
    return Backups.model_validate({"recipient": RECIPIENT, "ssh": ssh, **over})


def part(wants: Backups, **over: Any) -> Part:
    """Of a control plane."""
    found = backup.part(nodes.control_plane(nodes.cluster(backups=wants), **over))
    assert found is not None
    return found


@dataclass(frozen=True)
class Keys:
    """An SSH key pair of a test."""

    private: str
    public: str


def ssh_keys(folder: Path, name: str) -> Keys:
    """Made by ssh-keygen."""
    path = folder / name
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)], check=True
    )
    return Keys(path.read_text(), path.with_suffix(".pub").read_text())


def recipient() -> issued.Pair:
    """Whom backups of a test are encrypted to."""
    now = datetime.now(UTC)
    return issued.made("backup", begins=now, ends=now + timedelta(days=36500))


def opened(message: Path, key: str, folder: Path) -> dict[str, bytes]:
    """What is in a backup, by name, opened with its key alone."""
    (folder / "key").write_text(key)
    words = ("cms", "-decrypt", "-binary", "-inform", "DER", "-in", str(message))
    done = subprocess.run(
        ["openssl", *words, "-inkey", str(folder / "key")], capture_output=True, check=True
    )
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        return {
            each.name.removeprefix("./"): file.read()
            for each in archive
            if (file := archive.extractfile(each)) is not None
        }
