"""The same wish as a playbook, with the inventory and the configuration of Ansible. Pure.

Written for Ansible's good where there was a choice: facts are not gathered, since nothing here
reads them; files are copied, not rendered; the interpreter is named, so that none is looked for.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmark.wish import Piece


@dataclass(frozen=True, kw_only=True)
class Host:
    """A host as whoever logs in knows it: `host_key` is `ssh-ed25519 AAAA…`."""

    name: str
    address: str
    host_key: str


def sources(wanted: Sequence[Piece]) -> dict[str, str]:
    """The files beside the playbook, by the names that it calls them."""
    return {f"files/{_source(each)}": each.text for each in wanted}


def _source(piece: Piece) -> str:
    return piece.path.strip("/").replace("/", "_")


def playbook(wanted: Sequence[Piece]) -> str:
    """The playbook: a task a file, one a daemon, a handler a daemon."""
    units = [each.unit for each in wanted if each.unit is not None]
    play = {
        "name": "The wish",
        "hosts": "all",
        "gather_facts": False,
        "tasks": [
            *(_copied(each) for each in wanted),
            *(_unit(f"{unit} runs", unit, enabled=True, state="started") for unit in units),
        ],
        "handlers": [_unit(f"reload {unit}", unit, state="reloaded") for unit in units],
    }
    return yaml.safe_dump([play], sort_keys=False)


def _copied(piece: Piece) -> dict[str, Any]:
    wanted = {"src": _source(piece), "dest": piece.path, "owner": "root", "group": "root"}
    task: dict[str, Any] = {
        "name": piece.path,
        "ansible.builtin.copy": {
            **wanted,
            "mode": "0644",
            **({"validate": f"{' '.join(piece.checker)} %s"} if piece.checker else {}),
        },
    }
    if piece.unit is not None:
        task["notify"] = f"reload {piece.unit}"
    return task


def _unit(name: str, unit: str, **wanted: object) -> dict[str, Any]:
    return {"name": name, "ansible.builtin.systemd_service": {"name": unit, **wanted}}


def inventory(hosts: Sequence[Host], *, key: Path, known_hosts: Path) -> str:
    """The inventory, as YAML; host keys are checked, as they are by our pushes."""
    common = f"-F /dev/null -o UserKnownHostsFile={known_hosts} -o StrictHostKeyChecking=yes"
    variables = {
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(key),
        "ansible_ssh_common_args": f"{common} -o IdentitiesOnly=yes",
        "ansible_python_interpreter": "/usr/bin/python3",
    }
    listed = {each.name: {"ansible_host": each.address} for each in hosts}
    return json.dumps({"all": {"hosts": listed, "vars": variables}}, indent=1) + "\n"


def known(hosts: Sequence[Host]) -> str:
    """The hosts' keys as ssh(1) reads them."""
    return "".join(f"{each.address} {each.host_key}\n" for each in hosts)


def configuration(folder: Path, *, forks: int | None = None) -> str:
    """ansible.cfg with its places within `folder`: as Ansible comes, or, with `forks`, with that
    many and pipelining."""
    tuned = forks is not None
    lines = [
        "[defaults]",
        f"inventory = {folder / 'hosts.json'}",
        f"home = {folder / 'home'}",
        *([f"forks = {forks}"] if tuned else []),
        "",
        "[ssh_connection]",
        f"control_path_dir = {folder / 'cp'}",
        *(["pipelining = True"] if tuned else []),
    ]
    return "\n".join(lines) + "\n"
