"""The machines' only text: a minimal cloud-init user-data (cloudinit.readthedocs.io)."""

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
