"""What a VyOS router's cloud-init is told. Pure.

Sources: VyOS' documentation, automation/cloud-init (`write_files` and `vyos_config_commands` alone;
a value in single quotes), and configuration/system/login and service/ssh, which makes a host key
only where there is none.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from components.host.seed import Seed
from components.host.text import environment

USER: Final = "layered"
"""As whom the program logs in."""

_TEMPLATES = environment(Path(__file__).parent / "templates")


def user_data(seed: Seed) -> str:
    """Its name, its host key, and one user whom the deploy key lets in. The image's own user, with
    a password that everybody knows, goes."""
    algorithm, key = seed.authorized_key.split()[:2]
    login = f"system login user {USER} authentication public-keys deploy"
    commands = (
        f"set system host-name '{seed.hostname}'",
        f"set {login} type '{algorithm}'",
        f"set {login} key '{key}'",
        "delete system login user vyos",
        "set service ssh disable-password-authentication",
    )
    return _TEMPLATES.get_template("user-data.yaml.j2").render(seed=seed, commands=commands)
