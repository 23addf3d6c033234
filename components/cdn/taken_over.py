"""A record that this stack made and its state does not know, made again.

An update that is killed after Cloudflare made a record and before the state was written leaves a
record behind that the next update cannot make: Cloudflare refuses an identical one (code 81058).
So does one that was handed over by its comment. The hook below runs when a record cannot be made
for that reason. It deletes the identical record if it has this stack's mark, and has the engine try
once more at once; a record without the mark is left alone, and Cloudflare's words stand.

Importing it would need its id among the record's options, where it would be for good: the engine
imports anew whatever it did not import under that id.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pulumi
import requests

API = "https://api.cloudflare.com/client/v4"
IDENTICAL = ("81058", "An identical record already exists")
"""Cloudflare's code and words, of which the provider shows at least one."""
SECONDS = (5.0, 20.0)
"""To connect, and for an answer."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """The A or AAAA record that is to be made; `mark` is its comment."""

    name: str
    type: str
    content: str
    mark: str


def take_over(base_url: str, token: str, zone_id: str, record: Record) -> bool:
    """Delete the record that stands in the way, if it is this stack's; whether it was.

    Raises `requests.RequestException` when the API does not answer, or refuses.
    """
    path = f"{base_url.rstrip('/')}/zones/{zone_id}/dns_records"
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {token}"
        wanted = {
            "type": record.type,
            "name.exact": record.name,
            "content.exact": record.content,
        }
        answer = session.get(path, params=wanted, timeout=SECONDS)
        answer.raise_for_status()
        standing = [
            each["id"] for each in answer.json()["result"] if each.get("comment") == record.mark
        ]
        for each in standing:
            session.delete(f"{path}/{each}", timeout=SECONDS).raise_for_status()
    return bool(standing)


def hook(
    name: str,
    record: Record,
    *,
    base_url: str,
    token: pulumi.Input[str],
    zone_id: pulumi.Input[str],
) -> pulumi.ErrorHook:
    """What the engine asks when the record cannot be made. `name` is the hook's own."""
    tried: list[bool] = []

    async def asked(args: pulumi.ErrorHookArgs) -> bool:
        said = "\n".join(args.errors)
        identical = any(each in said for each in IDENTICAL)
        if args.failed_operation != "create" or not identical or tried:
            return False
        tried.append(True)
        where = f"{record.name} ({record.type} {record.content})"
        try:
            known = await pulumi.Output.all(token, zone_id).future()
            assert known is not None  # noqa: S101 - what failed to be made had both
            done = await asyncio.to_thread(take_over, base_url, known[0], known[1], record)
        except Exception as error:
            # Raised, it would stand in the place of Cloudflare's own words.
            pulumi.log.warn(f"{where}: what stands there could not be read: {error}")
            return False
        if done:
            pulumi.log.warn(
                f"{where}: this stack's already, though its state did not know it: taken over"
            )
        else:
            pulumi.log.warn(
                f"{where}: somebody else made it. Delete it, or write the comment {record.mark} "
                "on it, and this stack takes it over"
            )
        return done

    return pulumi.ErrorHook(name, asked)
