"""One layer's set of files as a transaction: prepare, check, swap, serve, commit, or put back.

    preparing   repositories are in place, packages are being installed
    swapping    the files are being swapped and the services reloaded
    unconfirmed all is well here, but a new connection has yet to say so (`ConfirmPolicy`)

The phase and the way back stand in LAYER/pending.json before anything changes, so that a push
killed at any point is put back by its unit's ExecStopPost, by the next push, or at boot.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from . import files, packages, restore, services, view
from .errors import Failure, joined, of_system
from .run import run
from .store import Json, Store, generation

EARLY = "/etc/apt/"
UNITS = ("/etc/systemd/system", "/usr/local/lib/systemd/system")
PACKAGE = Path(__file__).parent


class Transaction:
    """One push of `configuration` with `secrets` in place of its placeholders."""

    def __init__(
        self, store: Store, configuration: Json, secrets: Json, *, confirmed: bool = False
    ) -> None:
        self.store = store
        self.confirm = None if confirmed else configuration["confirm"]
        self.configuration = configuration
        self.secrets = secrets
        self.layer: str = configuration["layer"]
        self.generation = generation(configuration)
        self.since = time.time()
        self.old = store.read(self.layer, "manifest")
        self.wanted = files.wanted(configuration, secrets)
        self.pending: Json = {}
        self.done: list[str] = []
        self.mended: list[str] = []

    def push(self) -> str:
        """Bring the machine to the set; says what was done.

        Raises `Failure`; then the old set is in force again.
        """
        self._refuse_foreign()
        if self.in_force():
            return "unchanged"
        try:
            self._begin()
            self._prepare()
            changed = self._changed()
            self._check(changed)
            services.guard(self.configuration, changed, self.pending["replaced"])
            self._swap(changed)
            self._serve(changed)
            self._commit(bool(changed))
        except Failure as failure:
            raise failure.then(self._back()) from None
        except OSError as error:
            raise of_system(error).then(self._back()) from error
        return "; ".join(self.done) or "nothing on the machine had to change"

    def _back(self) -> str:
        """Put the old set back; says how that went, and what was mended on the way."""
        try:
            account = restore.roll_back(self.store, self.layer)
        except Failure as stuck:
            account = stuck.text()
        except OSError as error:
            account = of_system(error).text()
        return joined(account or "Nothing was changed on the machine.", *self.mended)

    def _refuse_foreign(self) -> None:
        for file in self.wanted:
            owner = self.store.owner_of(file.path, besides=self.layer)
            if owner is not None:
                raise Failure(
                    f"{file.path} belongs to the layer {owner!r} on this machine; "
                    "a file has one owner: take it out of one of the two"
                )

    def in_force(self) -> bool:
        """Whether the manifest names this very request and the machine is true to it."""
        return (
            self.old is not None
            and self.old["generation"] == self.generation
            and not files.changed(self.wanted)
            and not packages.unsatisfied(packages.due(self.configuration))
            and all(services.settled(service) for service in self.configuration["services"])
        )

    def _begin(self) -> None:
        names = [service["name"] for service in self.configuration["services"]]
        self.pending = {
            "generation": self.generation,
            "phase": "preparing",
            "entries": [],
            "old_manifest": self.old,
            "old_configuration": self.store.read(self.layer, "configuration"),
            "services": self.configuration["services"],
            "steps": self.configuration["steps"],
            "before": {name: services.state(name) for name in names},
            "left": {name: services.state(name) for name in self._left(names)},
            "replaced": False,
        }
        self._note()

    def _left(self, names: list[str]) -> list[str]:
        """Services that the last set brought up, and that no set on this machine names any more."""
        kept = set(names)
        for layer, manifest in self.store.manifests():
            if layer != self.layer:
                kept |= {service["name"] for service in manifest["services"]}
        return [name for name in (self.old or {"brought": []})["brought"] if name not in kept]

    def _note(self, **change: object) -> None:
        self.pending.update(change)
        self.store.write(self.layer, "pending", self.pending)

    def _swap_in(self, swap: list[files.Wanted], remove: list[str]) -> None:
        paths = [file.path for file in swap] + remove
        entries = [files.back_up(self.store, self.layer, path) for path in paths]
        self._note(entries=self.pending["entries"] + entries)
        files.make_ready(swap)
        files.swap(swap)
        for path in remove:
            Path(path).unlink(missing_ok=True)

    def _prepare(self) -> None:
        early = [file for file in self.wanted if file.path.startswith(EARLY)]
        self._swap_in(files.changed(early), self._obsolete(early=True))
        wanted = packages.due(self.configuration)
        before = self._versions_before(wanted)
        holds = [name for name in self.configuration["holds"] if name in wanted]
        self.mended += packages.install(wanted, holds, self.configuration["seconds"])
        self.done += self.mended
        now = packages.versions(list(before))
        self._note(replaced=any(now.get(name) != version for name, version in before.items()))

    def _versions_before(self, wanted: Json) -> Json:
        """The versions that what runs now was started from.

        Written down before anything is installed and kept until a commit: a push that is cut in
        between leaves new programs on the disk and the old ones running, and the next must know.
        """
        if not packages.unsatisfied(wanted):
            return self.store.read(self.layer, "packages") or {}
        before = packages.versions(list(wanted)) | (self.store.read(self.layer, "packages") or {})
        self.store.write(self.layer, "packages", before)
        return before

    def _obsolete(self, *, early: bool) -> list[str]:
        """Files that the last set made and this one no longer has."""
        keep = {file.path for file in self.wanted}
        return [
            path
            for path, record in (self.old or {"files": {}})["files"].items()
            if path not in keep
            and record["created"]
            and path.startswith(EARLY) == early
            and Path(path).exists()
        ]

    def _late(self) -> list[files.Wanted]:
        return [file for file in self.wanted if not file.path.startswith(EARLY)]

    def _changed(self) -> list[str]:
        return [file.path for file in files.changed(self._late())] + self._obsolete(early=False)

    def _check(self, changed: list[str]) -> None:
        first = self.old is None or self.pending["replaced"]
        due = [
            check
            for check in self.configuration["checks"]
            if first or files.touches(check["watches"], changed)
        ]
        staged = self.store.directory(self.layer) / "staged"
        files.stage(staged, [file for file in self._late() if file.path in changed])
        view.check(staged, self._obsolete(early=False), due, PACKAGE)

    def _swap(self, changed: list[str]) -> None:
        self._note(phase="swapping")
        if self.confirm and changed:
            restore.arm(self.layer, self.generation, self.confirm["seconds"])
        late = [file for file in self._late() if file.path in changed]
        # While its unit's file is there: systemd disables nothing that it does not find.
        self.done += services.leave(self.pending["left"], "disable")
        self._swap_in(late, self._obsolete(early=False))
        if changed:
            self.done.append(f"{len(changed)} file(s) changed")

    def _serve(self, changed: list[str]) -> None:
        # Before the others are reloaded: what leaves may have a last word for them.
        self.done += services.leave(self.pending["left"], "stop")
        if files.touches(UNITS, changed):
            run(["systemctl", "daemon-reload"], 60)
        paths = [entry["path"] for entry in self.pending["entries"]]
        self._steps("before", paths)
        for service in self.configuration["services"]:
            said = services.apply(service, changed, self.pending["replaced"], self.since)
            self.done.extend([said] if said else [])
        for service in self.configuration["services"]:
            services.await_health(service, self.since)
            if not services.settled(service):
                name = services.unit(service["name"])
                raise Failure(f"{name} does not stay up", services.journal(name, self.since))
        self._steps("after", paths)

    def _steps(self, when: str, paths: list[str]) -> None:
        for step in self.configuration["steps"]:
            watched = step["always"] or self.old is None or files.touches(step["watches"], paths)
            if step["when"] == when and watched:
                services.step(step)

    def _commit(self, changed: bool) -> None:
        shutil.rmtree(self.store.directory(self.layer) / "staged", ignore_errors=True)
        old_files = (self.old or {"files": {}})["files"]
        absent = {e["path"] for e in self.pending["entries"] if e["kind"] == "absent"}
        before = self.pending["before"]
        brought = set((self.old or {"brought": []})["brought"])
        brought |= {name for name, was in before.items() if not (was["active"] and was["enabled"])}
        confirm = self.confirm if changed else None
        manifest = {
            "machine": self.configuration["machine"],
            "layer": self.layer,
            "resource": self.configuration["resource"],
            "generation": self.generation,
            "confirmed": confirm is None,
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "files": {
                file.path: {
                    **file.record(),
                    "created": old_files.get(file.path, {}).get("created", file.path in absent),
                }
                for file in self.wanted
            },
            "packages": packages.recorded(self.configuration),
            "holds": self.configuration["holds"],
            "services": self.configuration["services"],
            "brought": sorted(
                brought & {s["name"] for s in self.configuration["services"] if s["enable"]}
            ),
        }
        documents = {"configuration": self.configuration, "manifest": manifest}
        if confirm:
            self.pending["phase"] = "unconfirmed"
            documents["pending"] = self.pending
        self.store.write_all(self.layer, documents)
        self.store.remove(self.layer, "packages")
        if confirm:
            restore.arm(self.layer, self.generation, confirm["seconds"])
            self.done.append(f"awaiting confirmation for {confirm['seconds']} s")
        else:
            if self.confirm:
                restore.disarm(self.layer)
            self.store.remove(self.layer, "pending")
            self.store.remove(self.layer, "restored")
