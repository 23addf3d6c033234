"""How a speaker's BGP sessions are, as figures beside node_exporter's own. Pure.

What runs on the machine is `components.host.speakers.bgpfigures`, pushed as it stands: it asks the
daemon four times a minute. It tells, of each session by its `peer` (the neighbour's address) and
`name`:

| figure, each with `layered_cloud_bgp_` before it | value |
|---|---|
| `session_up` | 1 while the session is established, else 0 |
| `session_state` | 1, with the state's word (RFC 4271, 8.2.2) as `state` |
| `session_prefixes_received`, `session_prefixes_announced` | prefixes that were taken and told |
| `session_changed_timestamp_seconds` | when it came up or went down, in Unix time |
| `session_bfd_up` | 1 while BFD sees the neighbour, else 0; absent without BFD |

and `layered_cloud_bgp_answers`, 0 while the `daemon` does not answer, of whose sessions then
nothing is told.
"""

from __future__ import annotations

from pathlib import Path

from components.host.bgp import Peering
from components.host.part import Check, Health, Part, Service, Text
from components.host.speakers.bgpfigures.session import TOLD
from components.host.text import environment

PROGRAM = "/usr/lib/layered-cloud/bgpfigures"
UNIT = "layered-cloud-bgp.service"
UNIT_FILE = f"/etc/systemd/system/{UNIT}"

_SOURCES = Path(__file__).parent / "bgpfigures"
_TEMPLATES = environment(Path(__file__).parent / "templates")


def part(peering: Peering, *, bfd: bool) -> Part | None:
    """The program on a machine whose daemon is that of `peering`; None where no node_exporter would
    tell what it writes. `bfd` says that some of its sessions are watched by BFD."""
    if not peering.figures:
        return None
    words = [peering.daemon, *(["bfd"] if bfd else [])]
    unit = _TEMPLATES.get_template("figures.service.j2").render(
        program=Path(PROGRAM), words=words, told=TOLD
    )
    return Part(
        name="bgp-figures",
        files=(
            Text(path=UNIT_FILE, content=unit),
            *(
                Text(path=f"{PROGRAM}/{path.name}", content=path.read_text(encoding="utf-8"))
                for path in sorted(_SOURCES.glob("*.py"))
            ),
        ),
        checks=(
            Check(
                name="bgp-figures",
                argv=(
                    *("/usr/bin/env", f"--chdir={Path(PROGRAM).parent}"),
                    *("/usr/bin/python3", "-B", "-m", Path(PROGRAM).name, *words, "--check"),
                ),
                watches=(PROGRAM,),
            ),
        ),
        services=(
            Service(
                name=UNIT,
                on_change="restart",
                watches=(UNIT_FILE, PROGRAM),
                health=Health(argv=("systemctl", "is-active", "--quiet", UNIT)),
                guarded=False,
            ),
        ),
    )
