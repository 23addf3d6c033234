"""The machines' texts: a minimal cloud-init user-data (cloudinit.readthedocs.io), and what is asked
on a machine before and after its restart."""

from __future__ import annotations

from pathlib import Path

from components.host.seed import Seed
from components.host.text import environment

_ENVIRONMENT = environment(Path(__file__).parent / "templates")


def render_user_data(seed: Seed) -> str:
    """User-data that sets the name, the host key and the one key that may log in as root.

    Nothing that grows or changes with time belongs here: Proxmox applies
    user-data when a machine is made, and operators' keys, resolvers and packages are pushed.
    """
    return _ENVIRONMENT.get_template("user-data.yaml.j2").render(**vars(seed))


def render_restart(when: str, **values: object) -> str:
    """`spared`: ends once it holds none of `vips`. `well`: once its `role` does its work again."""
    return _ENVIRONMENT.get_template(f"restart-{when}.sh.j2").render(**values)
