"""Whether a machine is what the stack says of its image: its files are for that. Pure.

Source: os-release(5).
"""

from __future__ import annotations

from components.host.baseline.model import BaselineModel
from components.host.part import Check, Part

_ASK = r"""
. /etc/os-release
[ "${VERSION_CODENAME-}" != "$1" ] || exit 0
echo "the machine is ${VERSION_CODENAME:-${ID-no release that it names}}, and the stack says that"
echo "its image is $1 (distribution): write what it is, or have the machine made anew"
exit 1
"""


def part(model: BaselineModel) -> Part:
    """The first thing that a push asks, of every machine."""
    ask = ("/bin/sh", "-c", _ASK, "distribution", model.distribution.name)
    return Part(name="distribution", checks=(Check(name="distribution", argv=ask),))
