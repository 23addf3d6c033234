"""What the watcher of the legs sends and hears: ARP on each leg, messages of the peer."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .judge import Leg, Peer, Said

ETH_P_ARP = 0x0806
BROADCAST = b"\xff" * 6
REQUEST, REPLY = 1, 2
ARP = struct.Struct("!HHBBH6s4s6s4s")
"""RFC 826, for Ethernet and IPv4."""
IP_FREEBIND = 15
"""linux/in.h: the address may come later."""
VRRP = 112


@dataclass(kw_only=True)
class Segment:
    """ARP on one interface.

    A neighbour that answered is asked by itself (RFC 1122, 2.3.2.1, unicast poll), everybody when
    it did not: ARP is what a neighbour on Ethernet cannot refuse, while a provider's router may
    drop or limit ICMP.
    """

    interface: str
    address: str
    macs: dict[str, bytes] = field(default_factory=dict)
    link: socket.socket | None = None

    def open(self) -> socket.socket | None:
        """The socket, once there is such an interface."""
        if self.link is None:
            made = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ARP))
            try:
                made.bind((self.interface, ETH_P_ARP))
            except OSError:
                made.close()
                return None
            made.setblocking(False)
            self.link = made
        return self.link

    def ask(self, targets: Iterable[str], missed: Collection[str] = ()) -> None:
        """Who has these addresses? `missed` did not answer the last time."""
        link = self.open()
        if link is None:
            return
        try:
            own = link.getsockname()[4]
            for target in targets:
                known = self.macs.get(target)
                if known is not None:
                    self._send(link, own, target, known)
                if known is None or target in missed:
                    self._send(link, own, target, BROADCAST)
        except OSError:
            # Down, or gone: the next one under this name is another interface.
            link.close()
            self.link = None

    def _send(self, link: socket.socket, own: bytes, target: str, to: bytes) -> None:
        ours, theirs = socket.inet_aton(self.address), socket.inet_aton(target)
        packet = ARP.pack(1, 0x0800, 6, 4, REQUEST, own, ours, b"\0" * 6, theirs)
        link.sendto(packet, (self.interface, ETH_P_ARP, 0, 0, to))

    def answers(self) -> Iterator[str]:
        """The addresses whose holders have answered us since the last call."""
        while self.link is not None:
            try:
                packet = self.link.recv(64)
            except BlockingIOError:
                return
            except OSError:
                self.link.close()
                self.link = None
                return
            if len(packet) < ARP.size:
                continue
            *_, kind, mac, sender, _, receiver = ARP.unpack_from(packet)
            if kind == REPLY and receiver == socket.inet_aton(self.address):
                address = socket.inet_ntoa(sender)
                self.macs[address] = mac
                yield address


@dataclass(kw_only=True)
class Adverts:
    """Whether the peer speaks VRRP to us, by unicast, as the two of a pair do."""

    interface: str
    own: str
    peer: str
    door: socket.socket | None = None

    def heard(self) -> bool:
        """Whether an advert of the peer has come since the last call."""
        if self.door is None:
            made = socket.socket(socket.AF_INET, socket.SOCK_RAW, VRRP)
            made.setblocking(False)
            made.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
            try:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self.interface.encode())
                made.bind((self.own, 0))
            except OSError:
                made.close()
                return False
            self.door = made
        came = False
        with contextlib.suppress(OSError):
            while True:
                _, (sender, _) = self.door.recvfrom(256)
                came = came or sender == self.peer
        return came

    def close(self) -> None:
        """Nothing more is of interest."""
        if self.door is not None:
            self.door.close()
            self.door = None


@dataclass(kw_only=True)
class Path:
    """Messages between the two machines over one network they share, and over no other."""

    name: str
    interface: str
    own: str
    peer: str
    port: int
    door: socket.socket | None = None

    def open(self) -> socket.socket | None:
        """The socket, once there is such an interface."""
        if self.door is None:
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            made.setblocking(False)
            made.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
            try:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self.interface.encode())
                made.bind((self.own, self.port))
            except OSError:
                made.close()
                return None
            self.door = made
        return self.door

    def send(self, message: bytes) -> None:
        """To the peer; a network that is away takes nothing."""
        door = self.open()
        if door is not None:
            with contextlib.suppress(OSError):
                door.sendto(message, (self.peer, self.port))

    def messages(self) -> Iterator[bytes]:
        """What the peer has sent since the last call."""
        while self.door is not None:
            try:
                message, (sender, _) = self.door.recvfrom(4096)
            except BlockingIOError:
                return
            except OSError:  # what an earlier message met: nobody listens there
                continue
            if sender == self.peer:
                yield message


def told(
    now: float, legs: Iterable[Leg], seen: Iterable[int], heard: Collection[str], **more: bool
) -> bytes:
    """Our own message: ages in seconds, as clocks differ."""
    return json.dumps(
        {
            "legs": {
                leg.name: {
                    "last": None if leg.last is None else now - leg.last,
                    "since": None if leg.since is None else now - leg.since,
                    "seen": count,
                }
                for leg, count in zip(legs, seen, strict=True)
            },
            "hears": sorted(heard),
            **more,
        }
    ).encode()


FAREWELL = json.dumps({"leaves": True}).encode()
"""The last message of a machine that is no longer of a pair."""


def understood(message: bytes, now: float) -> Peer | None:
    """A message of the peer that came at `now`; None for one that is none."""
    try:
        said: Any = json.loads(message)
        return Peer(
            at=now,
            legs={
                str(name): Said(
                    last=None if leg["last"] is None else now - float(leg["last"]),
                    since=None if leg["since"] is None else now - float(leg["since"]),
                    seen=int(leg["seen"]),
                )
                for name, leg in said["legs"].items()
            },
            fit=bool(said["fit"]),
            yields=bool(said["yields"]),
            hears=frozenset(map(str, said["hears"])),
            # Not told by a peer that has an earlier release's watcher.
            takes=bool(said.get("takes", False)),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
