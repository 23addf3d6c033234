"""The directory a run works in: copies of the project and stack files, outside the checkout."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab.engine.errors import EngineError
from lab.engine.secrets import Crypter, of_this_process, passphrase_file


@dataclass(frozen=True, kw_only=True)
class WorkDir:
    """Paths of one stack of one backend. `base` holds what the stacks share; what is thrown away
    has the secrets' key of its process (`of_this_process`)."""

    base: Path
    stack: str
    throw_away: bool = False

    @property
    def path(self) -> Path:
        """Where Pulumi.yaml and Pulumi.STACK.yaml are, and the engine's working directory."""
        return self.base / self.stack

    @property
    def backend(self) -> Path:
        """The file backend: the state of all stacks."""
        return self.base / "backend"

    @property
    def home(self) -> Path:
        """PULUMI_HOME: plugins and nothing of the user's."""
        return self.base / "home"

    @property
    def logs(self) -> Path:
        """One file a run, the newest last by name."""
        return self.path / "logs"

    @property
    def passphrase(self) -> Path:
        """The passphrase's file, mode 0600."""
        return self.base / "passphrase"

    @property
    def users_home(self) -> Path:
        """HOME of a run: the Proxmox plugin keeps hosts' keys there; a new lab has new ones."""
        return self.base / "user"

    @property
    def made_with(self) -> Path:
        """Which plugins the state was made with."""
        return self.path / "plugins.json"

    @property
    def lock(self) -> Path:
        """Locked (flock) while a run is under way."""
        return self.path / "lock"

    def environment(self) -> dict[str, str]:
        """What the command line is told by its environment."""
        return {
            "HOME": str(self.users_home),
            "PULUMI_HOME": str(self.home),
            # A sidecar of attributes is not written in one go as the state is: a run killed between
            # its creation and its first byte leaves a state that no later run can read.
            "PULUMI_BACKEND_URL": f"file://{self.backend}?metadata=skip",
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(self.passphrase),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
        }

    def prepare(
        self,
        tree: Path,
        *,
        config: Mapping[str, Any] | None = None,
        secrets: Mapping[str, str] | None = None,
        project: Mapping[str, Any] | None = None,
        keep_ciphertext: bool = True,
    ) -> None:
        """Writes the files of the stack as the tree has them, with values laid over.

        `config` and `secrets` replace whole keys (`layered-cloud:networks`); a secret goes in as
        ciphertext. `project` is the project file's content when the tree has none. Without
        `keep_ciphertext` the stack file's own secrets, which another passphrase locks, are left
        out. Raises `EngineError` when the tree has no such stack.
        """
        for directory in (self.path, self.backend, self.home, self.users_home, self.logs):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        given = of_this_process()[0] if self.throw_away else None
        passphrase = passphrase_file(self.passphrase, given).read_text()
        if project is None:
            shutil.copyfile(tree / "Pulumi.yaml", self.path / "Pulumi.yaml")
        else:
            _write(self.path / "Pulumi.yaml", dict(project))
        settings = self._stack_file(tree, required=project is None)
        values = dict(settings.get("config") or {})
        ciphertext = {key for key, value in values.items() if _is_ciphertext(value)}
        crypter = Crypter(passphrase, self._salt())
        theirs = str(settings.get("encryptionsalt", ""))
        if ciphertext and not crypter.opens(theirs):
            if keep_ciphertext:
                names = ", ".join(sorted(ciphertext))
                raise EngineError(
                    f"Pulumi.{self.stack}.yaml holds secrets that another passphrase locks "
                    f"({names}): run this stack with the stock `pulumi up -s {self.stack}`, or "
                    "take them out of the file"
                )
            for key in ciphertext:
                del values[key]
        values |= config or {}
        values |= {key: {"secure": crypter.encrypt(each)} for key, each in (secrets or {}).items()}
        settings = {
            key: value for key, value in settings.items()
            if key not in ("secretsprovider", "encryptedkey")
        }  # fmt: skip
        settings |= {"config": values, "encryptionsalt": crypter.salt_text()}
        _write(self.path / f"Pulumi.{self.stack}.yaml", settings)

    def _stack_file(self, tree: Path, *, required: bool) -> dict[str, Any]:
        path = tree / f"Pulumi.{self.stack}.yaml"
        if path.exists():
            return dict(yaml.safe_load(path.read_text()) or {})
        if required:
            known = sorted(each.name.split(".")[1] for each in tree.glob("Pulumi.*.yaml"))
            raise EngineError(f"there is no stack {self.stack}: {path.name} is missing; "
                              f"stacks here: {', '.join(known) or 'none'}")  # fmt: skip
        return {}

    def _salt(self) -> bytes:
        path = self.path / "salt"
        if not path.exists():
            path.write_bytes(of_this_process()[1] if self.throw_away else os.urandom(8))
        return path.read_bytes()


def _is_ciphertext(value: object) -> bool:
    return isinstance(value, dict) and set(value) == {"secure"}


def _write(path: Path, content: Mapping[str, Any]) -> None:
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text(yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True))
    fresh.chmod(0o600)
    fresh.rename(path)
