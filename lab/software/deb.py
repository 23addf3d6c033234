"""Debian binary packages of what the lab builds itself, with the upstreams' names and paths."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lab.software import versions
from lab.software.debian import require_tools, run_shown
from lab.software.progress import Progress

MAINTAINER = "layered-cloud lab <lab@lab.test>"


@dataclass(frozen=True, kw_only=True)
class Package:
    """One binary package (deb-control(5)).

    `programs` maps absolute paths on the machine to executables of ours; `texts` absolute paths to
    contents (mode 0644); `directories` are made empty. `scripts` maps maintainer scripts
    (`postinst`, `prerm`, `postrm`) to their text.
    """

    name: str
    version: str
    description: str
    programs: Mapping[str, Path] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    directories: Sequence[str] = ()
    depends: Sequence[str] = ()
    provides: Sequence[str] = ()
    conflicts: Sequence[str] = ()
    replaces: Sequence[str] = ()
    scripts: Mapping[str, str] = field(default_factory=dict)
    section: str = "admin"
    homepage: str = ""

    @property
    def file_name(self) -> str:
        """`NAME_VERSION_ARCHITECTURE.deb`."""
        return f"{self.name}_{self.version}_{versions.ARCHITECTURE}.deb"

    def control(self, installed_kib: int) -> str:
        """The control file; `installed_kib` is the estimate of deb-control(5)."""
        fields = {
            "Package": self.name,
            "Version": self.version,
            "Architecture": versions.ARCHITECTURE,
            "Maintainer": MAINTAINER,
            "Installed-Size": str(installed_kib),
            "Depends": ", ".join(self.depends),
            "Provides": ", ".join(self.provides),
            "Conflicts": ", ".join(self.conflicts),
            "Replaces": ", ".join(self.replaces),
            "Section": self.section,
            "Priority": "optional",
            "Homepage": self.homepage,
            "Description": self.description,
        }
        return "".join(f"{name}: {value}\n" for name, value in fields.items() if value)

    def build(self, directory: Path, progress: Progress) -> Path:
        """Write the package into a directory; gives its path.

        Not compressed: it is read once over a local link. Raises `BuildError`.
        """
        require_tools("dpkg-deb")
        tree = directory / f".{self.name}"
        for path, source in self.programs.items():
            target = tree / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            target.chmod(0o755)
        for path, text in self.texts.items():
            target = tree / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
            target.chmod(0o644)
        for path in self.directories:
            (tree / path.lstrip("/")).mkdir(parents=True, exist_ok=True)
        size = sum(p.stat().st_size for p in tree.rglob("*") if p.is_file()) // 1024
        control = tree / "DEBIAN"
        control.mkdir(parents=True)
        (control / "control").write_text(self.control(size))
        for script, text in self.scripts.items():
            (control / script).write_text(text)
            (control / script).chmod(0o755)
        for folder in [tree, *(p for p in tree.rglob("*") if p.is_dir())]:
            folder.chmod(0o755)
        result = directory / self.file_name
        run_shown(
            ["dpkg-deb", "--root-owner-group", "-Znone", "--build", str(tree), str(result)],
            progress,
            what="dpkg-deb",
        )
        shutil.rmtree(tree)
        return result
