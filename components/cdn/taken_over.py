"""A record or ruleset that this stack made and its state does not know, made again.

An update that is killed after Cloudflare made a record and before the state was written leaves a
record behind that the next update cannot make: Cloudflare refuses an identical one (code 81058).
So does one that was handed over by its comment. So it is with the one ruleset that a zone has in a
phase (code 20217). The hook below runs when something cannot be made for that reason. It deletes
what stands there if it is this stack's, and has the engine try once more at once; anybody else's is
left alone, and Cloudflare's words stand. A ruleset without rules, which the dashboard leaves
behind, is nobody's.

Importing it would need its id among the resource's options, where it would be for good: the engine
imports anew whatever it did not import under that id.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import pulumi
import requests

from components.cdn.rulesets import FoundRule, FoundRuleset, strangers

API = "https://api.cloudflare.com/client/v4"
SECONDS = (5.0, 20.0)
"""To connect, and for an answer."""


class Standing(ABC):
    """What may stand where something of ours is to be made."""

    refused: ClassVar[Sequence[str]]
    """Cloudflare's code and words for that, of which the provider shows at least one."""

    @property
    @abstractmethod
    def where(self) -> str:
        """What it is called in messages."""

    @property
    @abstractmethod
    def hand_over(self) -> str:
        """What somebody else who made it may do."""

    @abstractmethod
    def standing(self, session: requests.Session, zone: str) -> list[str]:
        """The paths below `zone`, a zone's own URL, of what is this stack's. Raises
        `requests.RequestException` when the API does not answer, or refuses."""


@dataclass(frozen=True, kw_only=True)
class Record(Standing):
    """The record that is to be made; `mark` is its comment."""

    refused = ("81058", "An identical record already exists")
    name: str
    type: str
    content: str
    mark: str

    @property
    def where(self) -> str:
        """Its name, type and content."""
        return f"{self.name} ({self.type} {self.content})"

    @property
    def hand_over(self) -> str:
        """By its comment."""
        return f"write the comment {self.mark} on it, and this stack takes it over"

    def standing(self, session: requests.Session, zone: str) -> list[str]:
        """The identical one, with this stack's mark."""
        wanted = {"type": self.type, "name.exact": self.name, "content.exact": self.content}
        answer = session.get(f"{zone}/dns_records", params=wanted, timeout=SECONDS)
        answer.raise_for_status()
        return [
            f"dns_records/{each['id']}"
            for each in answer.json()["result"]
            if each.get("comment") == self.mark
        ]


@dataclass(frozen=True, kw_only=True)
class Ruleset(Standing):
    """The ruleset that is to be made in a phase; `mark` is its description."""

    refused = ("20217", "exceeded maximum number of zone rulesets")
    phase: str
    mark: str

    @property
    def where(self) -> str:
        """Its phase."""
        return f"the ruleset of the phase {self.phase}"

    @property
    def hand_over(self) -> str:
        """By emptying it."""
        return "take its rules out, and this stack takes it over"

    def standing(self, session: requests.Session, zone: str) -> list[str]:
        """The phase's own, if nobody else has a rule in it."""
        path = f"{zone}/rulesets/phases/{self.phase}/entrypoint"
        answer = session.get(path, timeout=SECONDS)
        answer.raise_for_status()
        live = answer.json()["result"]
        found = FoundRuleset(
            phase=self.phase,
            description=live.get("description") or "",
            rules=[
                FoundRule(ref=each.get("ref") or "", description=each.get("description") or "")
                for each in live.get("rules") or []
            ],
        )
        return [] if any(strangers(found, self.mark)) else [f"rulesets/{live['id']}"]


def take_over(base_url: str, token: str, zone_id: str, what: Standing) -> bool:
    """Delete what stands in the way, if it is this stack's; whether it was.

    Raises `requests.RequestException` when the API does not answer, or refuses.
    """
    zone = f"{base_url.rstrip('/')}/zones/{zone_id}"
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {token}"
        standing = what.standing(session, zone)
        for each in standing:
            session.delete(f"{zone}/{each}", timeout=SECONDS).raise_for_status()
    return bool(standing)


def hook(
    name: str,
    what: Standing,
    *,
    base_url: str,
    token: pulumi.Input[str],
    zone_id: pulumi.Input[str],
) -> pulumi.ErrorHook:
    """What the engine asks when it cannot be made. `name` is the hook's own."""
    tried: list[bool] = []

    async def asked(args: pulumi.ErrorHookArgs) -> bool:
        said = "\n".join(args.errors)
        stands = any(each in said for each in what.refused)
        if args.failed_operation != "create" or not stands or tried:
            return False
        tried.append(True)
        try:
            known = await pulumi.Output.all(token, zone_id).future()
            assert known is not None  # noqa: S101 - what failed to be made had both
            done = await asyncio.to_thread(take_over, base_url, known[0], known[1], what)
        except Exception as error:
            # Raised, it would stand in the place of Cloudflare's own words.
            pulumi.log.warn(f"{what.where}: what stands there could not be read: {error}")
            return False
        if done:
            pulumi.log.warn(
                f"{what.where}: this stack's already, though its state did not know it: taken over"
            )
        else:
            pulumi.log.warn(f"{what.where}: somebody else made it. Delete it, or {what.hand_over}")
        return done

    return pulumi.ErrorHook(name, asked)
