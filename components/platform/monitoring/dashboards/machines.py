"""Every machine: processor, memory, disks, legs, clock and certificates. Pure.

Source: node_exporter's collectors (cpu, loadavg, meminfo, filesystem, diskstats, netdev, timex,
stat, vmstat) as they are on by default in 1.5, and this program's own file of certificates.
"""

from __future__ import annotations

from components.platform.addon import Site
from components.platform.monitoring.dashboards.model import (
    BAD,
    DOUBTFUL,
    FINE,
    Choice,
    Dashboard,
    Panel,
    Section,
)
from components.platform.promql import growth, mean_rate, rate

_CHOSEN = 'job="node-exporter", role=~"$role", instance=~"$machine"'
END = "layered_cloud_certificate_end_timestamp_seconds"
NEAR = ((86400, DOUBTFUL), (7 * 86400, FINE))
"""Seconds that are left: less than a day is bad, less than a week doubtful."""
_CHOICES = (
    Choice(name="role", title="Role", series='up{job="node-exporter"}', label="role"),
    Choice(
        name="machine",
        title="Machine",
        series='up{job="node-exporter", role=~"$role"}',
        label="instance",
    ),
)


def page(_: Site) -> Dashboard:
    """Monitoring needs the exporter of every machine (`access.node_exporter`)."""
    return Dashboard(
        name="machines",
        title="Layered cloud: machines",
        about="Processor, memory, disks, legs and clocks of every machine of the stack.",
        choices=_CHOICES,
        sections=(
            Section(title="Processor and memory", panels=_work()),
            Section(title="File systems and disks", panels=_disks()),
            Section(title="Legs", panels=_legs()),
            Section(title="Clocks and certificates", panels=_clocks()),
        ),
    )


def _of(name: str, more: str = "") -> str:
    return f"{name}{{{_CHOSEN}{more}}}"


def _share(mode: str) -> str:
    series = _of("node_cpu_seconds_total", f', mode="{mode}"')
    return mean_rate(series, "instance")


def _work() -> tuple[Panel, ...]:
    cores = _of("node_cpu_seconds_total", ', mode="idle"')
    free, all_of_it = _of("node_memory_MemAvailable_bytes"), _of("node_memory_MemTotal_bytes")
    return (
        Panel(
            title="Processor",
            unit="percentunit",
            queries={"{{instance}}": f"1 - {_share('idle')}"},
            most=1,
        ),
        Panel(
            title="Processor: taken by the host",
            unit="percentunit",
            queries={"{{instance}}": _share("steal")},
            hint="The machine would have worked, and the Proxmox host ran others.",
        ),
        Panel(
            title="Load, by core",
            unit="none",
            queries={
                "{{instance}}": f"{_of('node_load5')} / on (instance) count by (instance) ({cores})"
            },
            hint="Processes that want to run, or wait for a disk, over five minutes.",
        ),
        Panel(
            title="Memory in use",
            unit="percentunit",
            queries={"{{instance}}": f"1 - {free} / {all_of_it}"},
            most=1,
        ),
        Panel(
            title="Memory left",
            unit="bytes",
            queries={"{{instance}}": free},
        ),
        Panel(
            title="Processes killed for want of memory, within an hour",
            unit="none",
            queries={"{{instance}}": growth(_of("node_vmstat_oom_kill"), "1h", "instance")},
        ),
    )


def _disks() -> tuple[Panel, ...]:
    device = ("instance", "device")
    legend = "{{instance}} {{device}}"
    size, left = _of("node_filesystem_size_bytes"), _of("node_filesystem_avail_bytes")
    nodes, free = _of("node_filesystem_files"), _of("node_filesystem_files_free")
    waited = [
        rate(_of(f"node_disk_{way}_time_seconds_total"), *device)
        + " / "
        + rate(_of(f"node_disk_{way}s_completed_total"), *device)
        for way in ("read", "write")
    ]
    return (
        Panel(
            title="File systems in use",
            unit="percentunit",
            queries={"{{instance}} {{mountpoint}}": f"1 - {left} / {size}"},
            most=1,
        ),
        Panel(
            title="File systems: room left",
            unit="bytes",
            queries={"{{instance}} {{mountpoint}}": left},
        ),
        Panel(
            title="File systems: inodes in use",
            unit="percentunit",
            queries={"{{instance}} {{mountpoint}}": f"1 - {free} / ({nodes} > 0)"},
            most=1,
        ),
        Panel(
            title="Disks: share of the time at work",
            unit="percentunit",
            queries={legend: rate(_of("node_disk_io_time_seconds_total"), *device)},
            most=1,
        ),
        Panel(
            title="Disks: time of a read or write",
            unit="s",
            queries={f"{legend} read": waited[0], f"{legend} write": waited[1]},
        ),
        Panel(
            title="Disks: bytes",
            unit="Bps",
            queries={
                f"{legend} {what}": rate(_of(f"node_disk_{what}_bytes_total"), *device)
                for what in ("read", "written")
            },
        ),
    )


def _legs() -> tuple[Panel, ...]:
    leg = ', device!="lo"'
    return tuple(
        Panel(
            title=title,
            unit="Bps" if what == "bytes" else "pps",
            queries={
                f"{{{{instance}}}} {{{{device}}}} {way}": rate(
                    _of(f"node_network_{way}_{what}_total", leg), "instance", "device"
                )
                for way in ("receive", "transmit")
            },
        )
        for title, what in (
            ("Bytes", "bytes"),
            ("Packets dropped", "drop"),
            ("Packets broken", "errs"),
        )
    )


def _clocks() -> tuple[Panel, ...]:
    end = _of(END)
    return (
        Panel(
            title="Clock: off by",
            unit="s",
            queries={"{{instance}}": _of("node_timex_offset_seconds")},
            least=None,
            hint="As chrony tells the kernel.",
        ),
        Panel(
            title="Clock: off by at most",
            unit="s",
            queries={"{{instance}}": _of("node_timex_maxerror_seconds")},
            hint="It grows while nobody tells the time.",
        ),
        Panel(
            title="Clock: nobody tells the time",
            unit="none",
            queries={"{{instance}}": f"{_of('node_timex_sync_status')} == 0"},
            shape="names",
            base=BAD,
        ),
        Panel(
            title="Since the machine booted",
            unit="s",
            queries={"{{instance}}": f"time() - {_of('node_boot_time_seconds')}"},
        ),
        Panel(
            title="Certificates: time left",
            unit="s",
            queries={"{{instance}} {{file}}": f"sort({end} - time())"},
            shape="bars",
            width=16,
            base=BAD,
            steps=NEAR,
        ),
    )
