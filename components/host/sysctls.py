"""Kernel settings that are applied when their file changes. Pure."""

from __future__ import annotations

from components.host.part import Step


def step(path: str, name: str = "apply sysctls") -> Step:
    """Applies the sysctl.d(5) file at `path`; nothing when a first set was put back with it. A
    second file of a push has a step of another `name`."""
    return Step(
        name=name,
        argv=("/bin/sh", "-c", f"[ ! -e {path} ] || exec /lib/systemd/systemd-sysctl {path}"),
        watches=(path,),
    )
