"""Velero: where backups go, with which key, when, and what of volumes is in them."""

from __future__ import annotations

from typing import Any

import pytest

from components.platform import secrets, velero
from components.platform.addon import Addon
from settings.models import Velero
from tests.components import stacks
from tests.components.platform.platform_args import plain, site


def made(**changes: Any) -> Addon:
    given = plain().velero
    assert given is not None
    chosen = plain().model_copy(update={"velero": given.model_copy(update=changes)})
    found = velero.addon(site(chosen))
    assert found is not None
    return found


def store(**changes: Any) -> dict[str, Any]:
    (found,) = made(**changes).values["configuration"]["backupStorageLocation"]
    return dict(found)


def test_a_stack_without_it_has_none() -> None:
    assert velero.addon(site(stacks.lab().platform)) is None


def test_the_key_to_the_store_is_the_file_that_the_chart_mounts() -> None:
    addon = made()
    (name,) = addon.secrets
    assert addon.values["credentials"]["existingSecret"] == name
    lines = "velero/store/access-key-id=ID\nvelero/store/secret-access-key=a{b}c=\n"
    filled = secrets.filled(f"velero/{name}", addon.secrets[name], addon.forms[name], lines)
    assert filled == {"cloud": "[default]\naws_access_key_id=ID\naws_secret_access_key=a{b}c=\n"}
    wanted = {f"velero/{name}/{key}" for key in addon.secrets[name]}
    assert wanted <= set(plain().references())


def test_the_store_is_told_as_texts() -> None:
    assert store()["bucket"] == "backups"
    assert store()["config"] == {
        "region": "us-east-1",
        "s3ForcePathStyle": "true",
        "s3Url": "https://s3.example.org",
        "checksumAlgorithm": "",
    }
    assert store(endpoint=None, path_style=False)["config"] == {
        "region": "us-east-1",
        "s3ForcePathStyle": "false",
    }


@pytest.mark.parametrize("volumes", [True, False])
def test_volumes_are_backed_up_by_an_agent_on_every_node_or_not_at_all(volumes: bool) -> None:
    values = made(volumes=volumes).values
    assert values["deployNodeAgent"] is volumes
    assert values["configuration"]["defaultVolumesToFsBackup"] is volumes
    assert values["snapshotsEnabled"] is False


def test_a_backup_is_taken_on_schedule_and_kept_for_its_days() -> None:
    schedule = made(schedule="30 1 * * 0", days=7).values["schedules"]["all"]
    assert schedule == {"schedule": "30 1 * * 0", "template": {"ttl": "168h0m0s"}}


def test_a_field_of_the_schedule_is_within_its_bounds() -> None:
    good = plain().model_dump(mode="json")["velero"]
    assert Velero.model_validate({**good, "schedule": "0,30 */4 1-15 * 6"}).schedule
    with pytest.raises(ValueError, match="has 13 where 1 to 12 is possible"):
        Velero.model_validate({**good, "schedule": "0 2 * 1-13 *"})
