"""Debian's and Ubuntu's trees made with mmdebstrap, from this machine's own package sources."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import cast

from lab.prerequisites import missing
from lab.software import versions
from lab.software.progress import Progress
from lab.software.store import TIED, BuildError
from settings.models import DISTRIBUTIONS, DistributionName

SLIM = (
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/lintian/*",
    "path-exclude=/usr/share/bug/*",
)
"""dpkg options (dpkg.cfg(5)) that leave documentation and translations out."""

_APT = (
    'APT::Install-Recommends "false"',
    'Acquire::Languages "none"',
    'Acquire::Retries "3"',
)


RECIPE = json.dumps({"slim": SLIM, "apt": _APT, "revision": 1})
"""What decides a tree's contents beside its packages and hooks. Raise the revision when
`bootstrap` makes something else of the same."""


def require_tools(*names: str) -> None:
    """Raises `BuildError` naming every tool that is missing, and the package it comes in."""
    lacking = missing(names)
    if lacking:
        packages = " ".join(sorted(set(lacking.values())))
        raise BuildError(f"{', '.join(lacking)} not found: run `apt-get install {packages}`")


def own_sources(suite: str = versions.DEBIAN_SUITE, root: Path = Path("/etc/apt")) -> str:
    """This machine's own Debian package sources for a suite, as sources.list(5) text.

    Both forms are read: one-line (`*.list`) and deb822 (`*.sources`). Entries of other suites or
    of other vendors are left out. Empty when there are none, which leaves the choice of a mirror
    to mmdebstrap.
    """
    one_line: list[str] = []
    stanzas: list[str] = []
    folder = root / "sources.list.d"
    for path in [root / "sources.list", *sorted(folder.glob("*.list"))]:
        if path.is_file():
            one_line += [ln for ln in path.read_text().splitlines() if _one_line_fits(ln, suite)]
    for path in sorted(folder.glob("*.sources")):
        for stanza in path.read_text().split("\n\n"):
            lines = [ln for ln in stanza.splitlines() if ln.strip() and not ln.startswith("#")]
            if _stanza_fits(lines, suite):
                stanzas.append("\n".join(lines))
    if stanzas:
        return "\n\n".join(stanzas) + "\n"
    return "".join(f"{line}\n" for line in one_line)


def answers(url: str) -> bool:
    """Whether there is such a file, asked as apt asks."""
    with tempfile.TemporaryDirectory() as folder:
        argv = ["/usr/lib/apt/apt-helper", "download-file", url, f"{folder}/file"]
        return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def sources_of(
    suite: str,
    keyring: Path | None = None,
    root: Path = Path("/etc/apt"),
    there: Callable[[str], bool] = answers,
) -> str:
    """The same for any distribution of the stacks': this machine's own sources for it, or else what
    its mirror has beside the lab's own suite.

    Another Debian release stands there under its own name; Ubuntu, by the custom of mirrors that
    carry both, under ubuntu/ in the place of debian/, signed with a key in `keyring`. Empty where
    the mirror has it not.
    """
    row = DISTRIBUTIONS[cast("DistributionName", suite)]
    text = own_sources(suite, root)
    if text or suite == versions.DEBIAN_SUITE:
        return text
    text = re.sub(rf"\b{versions.DEBIAN_SUITE}\b", suite, own_sources(root=root))
    if row.family == "debian":
        return text
    place = re.search(r"(\S+://\S+?/)debian(-security)?/?(?=\s|$)", text)
    if place is None or not there(f"{place[1]}ubuntu/dists/{suite}/InRelease"):
        return ""
    suites = f"{suite} {suite}-updates {suite}-security"
    parts = " ".join(row.components)
    signed = "" if keyring is None else f"Signed-By: {keyring}\n"
    return f"Types: deb\nURIs: {place[1]}ubuntu\nSuites: {suites}\nComponents: {parts}\n{signed}"


def _ours(suites: Iterable[str], suite: str) -> bool:
    known = {suite, f"{suite}-updates", f"{suite}-security"}
    return any(name.rstrip("/") in known for name in suites)


def _one_line_fits(line: str, suite: str) -> bool:
    words = line.split()
    if not words or words[0] != "deb":
        return False
    after_options = line.partition("]")[2].split() if "[" in line else words[1:]
    return len(after_options) >= 3 and _ours(after_options[1:2], suite)


def _stanza_fits(lines: Sequence[str], suite: str) -> bool:
    fields = {
        key.strip().lower(): value.strip()
        for key, colon, value in (line.partition(":") for line in lines)
        if colon and not key.startswith((" ", "\t"))
    }
    if fields.get("enabled", "yes").lower() in {"no", "false"}:
        return False
    return "deb" in fields.get("types", "").split() and _ours(
        fields.get("suites", "").split(), suite
    )


def proxy_options() -> list[str]:
    """This machine's own apt proxy settings as apt.conf(5) lines, none when it has none."""
    answer = subprocess.run(
        ["apt-config", "dump", "--no-empty", "--format", '%f "%v"%n'],
        capture_output=True,
        text=True,
        check=False,
    )
    wanted = ("Acquire::http::Proxy", "Acquire::https::Proxy", "Acquire::http::ProxyAutoDetect")
    return [line for line in answer.stdout.splitlines() if line.startswith(wanted)]


def bootstrap(
    target: Path,
    work: Path,
    progress: Progress,
    *,
    include: Sequence[str],
    variant: str = "minbase",
    hooks: Sequence[str] = (),
    slim: bool = True,
    arguments: Sequence[str] = (),
    suite: str = versions.DEBIAN_SUITE,
    keyring: Path | None = None,
) -> None:
    """Make a Debian tree: a directory, or a tar when the target's name ends in `.tar`.

    `hooks` are customize hooks of mmdebstrap(1): shell with `$1` the tree. `suite` is a release of
    the stacks' distributions, `keyring` the keys that it is signed with, where this machine may not
    have them. Raises `BuildError` with the tool's words.
    """
    require_tools("mmdebstrap")
    sources = sources_of(suite, keyring)
    argv = ["mmdebstrap", f"--variant={variant}", f"--include={','.join(include)}"]
    argv += [f"--aptopt={line}" for line in (*_APT, *proxy_options())]
    if slim:
        argv += [f"--dpkgopt={line}" for line in SLIM]
    argv += [f"--customize-hook={hook}" for hook in hooks]
    components = DISTRIBUTIONS[cast("DistributionName", suite)].components
    argv += [] if keyring is None else [f"--keyring={keyring}"]
    argv += [] if sources else [f"--components={','.join(components)}"]
    argv += [*arguments, suite, str(target)]
    if sources:
        path = work / ("own.sources" if "Types:" in sources else "own.list")
        path.write_text(sources)
        argv.append(str(path))
    run_shown(argv, progress, what="mmdebstrap")
    if sources:
        path.unlink()


def run_shown(
    argv: Sequence[str], progress: Progress, *, what: str, cwd: Path | None = None
) -> None:
    """Run a tool with its last line shown as progress; raises `BuildError` with its last words."""
    said: list[str] = []
    with subprocess.Popen(
        [*TIED, *argv],
        close_fds=False,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line.rstrip())
            progress.detail(line.strip())
    if process.returncode != 0:
        raise BuildError("\n".join(said[-20:]) + f"\n({what} said this)")
