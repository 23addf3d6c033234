"""Backups of what is in the cluster: Velero."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Final

from pydantic import AfterValidator, Field

from settings.models.base import Form, Strict, Unit, fault
from settings.models.charts import Chart
from settings.models.image_names import ImageName
from settings.models.platform_logging import STORE_KEYS, STORE_SECRET, Bucket, Region
from settings.models.urls import StoreUrl

VELERO_NAMESPACE: Final = "velero"
"""Where Velero and its Secret are."""
_RANGES: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))


_DAYS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
"""Of each month, at most."""


def _possible(schedule: str) -> str:
    for field, (least, most) in zip(schedule.split(" "), _RANGES, strict=True):
        for each in field.replace("*", "").replace("/", ",").replace("-", ",").split(","):
            if each and not least <= int(each) <= most:
                raise fault(
                    f"has {each} where {least} to {most} is possible",
                    "write minute, hour, day of the month, month and day of the week (0 is Sunday)",
                )
        for first, last in re.findall(r"([0-9]+)-([0-9]+)", field):
            if int(first) > int(last):
                right = f"write {first}-{most},{least}-{last} if that was meant"
                raise fault(f"has {first}-{last}, which ends before it begins", right)
    minute, _, day, month, weekday = schedule.split(" ")
    if minute in ("*", "*/1"):
        raise fault("is every minute", f"write {schedule.replace(minute, '0', 1)}")
    if day.isdigit() and month.isdigit() and weekday == "*" and int(day) > _DAYS[int(month) - 1]:
        raise fault("is a day that never comes", "write another, such as 0 2 1 * *")
    return schedule


Schedule = Annotated[
    str,
    Form(
        r"(\*|[0-9]{1,2}(-[0-9]{1,2})?(,[0-9]{1,2}(-[0-9]{1,2})?)*)(/[1-9][0-9]?)?"
        r"( (\*|[0-9]{1,2}(-[0-9]{1,2})?(,[0-9]{1,2}(-[0-9]{1,2})?)*)(/[1-9][0-9]?)?){4}",
        "is no schedule",
        "write five fields as cron has them, such as 0 2 * * *",
    ),
    AfterValidator(_possible),
]
"""crontab(5), with numbers alone."""


class Velero(Strict):
    """Backups of the cluster's objects, and of volumes' files, to a bucket that speaks S3. Its key
    is in `platformSecrets` as `velero/store/access-key-id` and `velero/store/secret-access-key`."""

    elsewhere: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("access_key", "access_key_id", "secret_key", "secret_access_key", "credentials"),
        "put it into the secret platformSecrets, as velero/store/access-key-id and "
        "velero/store/secret-access-key",
    )

    chart: Chart
    """Velero's chart."""
    plugin: ImageName
    """The image of velero-plugin-for-aws, which speaks S3, with a tag or digest that stays."""
    bucket: Bucket
    """The bucket's name."""
    region: Region
    """Its region; what a store of your own goes by (often us-east-1)."""
    endpoint: StoreUrl | None = None
    """Who serves it. Null: Amazon's, by the region."""
    path_style: bool = True
    """Whether the bucket is the first part of the path, as most stores other than Amazon's want, or
    of the host name."""
    volumes: bool = False
    """Whether the files of all pods' volumes are backed up, too, by an agent on every node."""
    schedule: Schedule = "0 2 * * *"
    """When a backup is taken, in UTC."""
    days: Annotated[int, Unit("days")] = Field(default=30, ge=1, le=3650)
    """How long one is kept."""

    def references(self) -> list[str]:
        """The lines that `platformSecrets` must have, NAMESPACE/NAME/KEY each."""
        return [f"{VELERO_NAMESPACE}/{STORE_SECRET}/{key}" for key in STORE_KEYS]
