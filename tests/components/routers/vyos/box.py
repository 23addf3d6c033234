"""A VyOS router of the tests' own: its shell is a real one, and the programs that a text calls are
stand-ins that do what VyOS' documentation (cli, automation/command-scripting) and the sources of
vyatta-cfg and vyos-1x (config_mgmt.py) say of them. Its configuration is three files: what is in
force, what is saved, and what a session has."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

_TEMPLATE = r"""
shopt -s expand_aliases
vy_configure() { vy configure; }
vy_cfg() {
    local verb=$1
    shift
    case $verb in
        compare | commit-confirm | confirm | save | discard | run) vy "$verb" "$@" ;;
        exit) vy teardown ;;
        *) echo "Invalid command: [$verb]"; return 1 ;;
    esac
}
alias configure='eval $(vy_configure)'
# vyatta-cfg-run makes an alias of every word, and of its beginnings.
for word in confirm comment commit commit-confirm compare copy delete discard edit exit load merge \
    rename rollback rollback-soft run save set show; do
    for length in $(seq 1 ${#word}); do
        case ${word:0:length} in for | do | done | if | fi | case | while | tr) continue ;; esac
        alias "${word:0:length}=vy_cfg ${word:0:length}"
    done
    alias "$word=vy_cfg $word"
done
"""
_VY = r"""#!/bin/bash
# What a configuration session can be told.
cd "$VYOS" || exit 1
same() { cmp -s <(sort "$1") <(sort "$2"); }
case $1 in
configure) cp active session; rm -f touched ;;
teardown) rm -f session touched ;;
discard) cp active session; rm -f touched ;;
run) [ "$2 $3" = "show version" ] && cat version ;;
compare)
    if [ "$2" = saved ]; then
        same active saved || { echo differs; exit; }
        echo "No changes between working and saved configurations."
    else
        same session active && echo "No changes between working and active configurations." ||
            diff <(sort active) <(sort session)
    fi ;;
commit-confirm)
    [ ! -e timer ] || { echo "Another confirm is pending"; exit 1; }
    # ask_yes_no asks again and again at the end of its input.
    read -r answer && [ "$answer" = y ] || { echo "Please respond with yes/y or no/n"; exit 1; }
    echo "$2" >timer
    [ ! -e refuses-commit ] || { cat refuses-commit; echo "Commit failed"; exit 0; }
    cp session active; rm -f touched; echo committed >>history ;;
confirm) rm -f timer; echo confirmed >>history ;;
save) [ -e refuses-save ] || cp active saved ;;
esac
"""
# A line of a configuration is words with tabs between them.
_SET = r"""#!/bin/sh
if [ -e "$VYOS/refuses" ] && read -r path <"$VYOS/refuses"; then
    case $* in
    "$path"*)
        echo "Configuration path: [$*] is not valid"
        exit 1
        ;;
    esac
fi
: >"$VYOS/touched"
IFS='	'
echo "$*" >>"$VYOS/session"
"""
_DELETE = r"""#!/bin/sh
cli-shell-api exists "$@" || { echo "Nothing to delete"; exit 1; }
: >"$VYOS/touched"
IFS='	'
awk -v p="$*" '$0 != p && index($0, p "\t") != 1' "$VYOS/session" >"$VYOS/next"
mv "$VYOS/next" "$VYOS/session"
"""
_API = r"""#!/bin/sh
verb=$1
shift
IFS='	'
case $verb in
exists)
    awk -v p="$*" '$0 == p || index($0, p "\t") == 1 { found = 1 } END { exit !found }' \
        "$VYOS/session"
    ;;
sessionChanged) [ -e "$VYOS/touched" ] ;;
returnActiveValue)
    awk -v p="$*" 'index($0, p "\t") == 1 { printf "%s", substr($0, length(p) + 2) }' \
        "$VYOS/active"
    ;;
esac
"""
_PROGRAMS: Mapping[str, str] = {
    "bin/vy": _VY,
    "opt/vyatta/sbin/my_set": _SET,
    "opt/vyatta/sbin/my_delete": _DELETE,
    "bin/cli-shell-api": _API,
    "bin/sg": r"""#!/bin/sh
[ "$1 $2" = "vyattacfg -c" ] && exec /bin/sh -c "$3"
""",
    # Who logs in is no root: a program that needs to be is called by it.
    "bin/sudo": '#!/bin/sh\nexec env AS=root "$@"\n',
    # Everything that is somewhere else on a real one is in the folder.
    "bin/vbash": r"""#!/bin/sh
sed "s#/opt/vyatta/#$VYOS/opt/vyatta/#g; s#/tmp/vyos-config#$VYOS/vyos-config#g
s#/sys/class/net/#$VYOS/net/#g; s#/config/#$VYOS/config/#g" | exec bash "$@"
""",
    "bin/systemctl": r"""#!/bin/sh
[ "$*" = "is-active --quiet commit-confirm.timer" ] && [ -e "$VYOS/timer" ]
""",
    "bin/ip": r"""#!/bin/sh
[ "$5" = dev ] && exec grep " $6 " "$VYOS/addresses"
exec cat "$VYOS/addresses"
""",
    "bin/ping": r"""#!/bin/sh
for last; do :; done
grep -qxF "$last" "$VYOS/answers"
""",
    "bin/nft": r"""#!/bin/sh
[ "$AS" = root ] || { echo "Operation not permitted (you must be root)" >&2; exit 1; }
[ -e "$VYOS/no-firewall" ] || echo "counter drop comment \"$6 default-action drop\""
""",
}


class Box:
    """One router, in a folder. `addresses` are those that its interfaces have."""

    def __init__(self, folder: Path, addresses: Mapping[str, str], answers: Iterable[str]) -> None:
        self.folder = folder
        for name, text in _PROGRAMS.items():
            self.write(name, text).chmod(0o755)
        self.write("opt/vyatta/etc/functions/script-template", _TEMPLATE)
        self.write("version", "Version:          VyOS 1.4.0\nRelease train:    sagitta\n")
        self.write("vyos-config-status", "0\n")
        for interface in addresses:
            self.write(f"net/{interface}", "")
        self.write(
            "addresses",
            "".join(
                f"2: {each}    inet {at} scope global {each}\n" for each, at in addresses.items()
            ),
        )
        self.write("answers", "".join(f"{each}\n" for each in answers))
        for name in ("active", "saved"):
            self.write(name, "service\tssh\tport\t22\nsystem\tlogin\tuser\tlayered\n")

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def run(self, line: str, text: str) -> str:
        """What it prints to a command line that reads a text."""
        path = f"{self.folder}/bin:{os.environ['PATH']}"
        said = subprocess.run(
            ["/bin/sh", "-c", line],
            input=text,
            env={"PATH": path, "VYOS": str(self.folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )
        return said.stdout

    def lines(self, name: str = "active") -> list[str]:
        """The configuration, as it stands in a text."""
        text = (self.folder / name).read_text().replace(f"{self.folder}/config/", "/config/")
        return sorted(shlex.join(line.split("\t")) for line in text.splitlines())

    @property
    def waits(self) -> bool:
        """Whether it takes its change back unless somebody confirms."""
        return (self.folder / "timer").exists()

    def restart(self) -> None:
        """The time that nobody confirmed in is over; or its power was lost."""
        (self.folder / "timer").unlink(missing_ok=True)
        self.write("active", (self.folder / "saved").read_text())

    def history(self) -> list[str]:
        path = self.folder / "history"
        return path.read_text().splitlines() if path.exists() else []
