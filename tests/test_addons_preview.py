"""What a preview of the whole program by the real engine shows of optional addons, and hides."""

from __future__ import annotations

import pytest

from lab.engine import workspace
from lab.engine.engine import OFFLINE
from lab.software import goitems
from tests import whole
from tests.preview_of_workers import stand_in

pytestmark = pytest.mark.timeout(300)

SHOWN = {
    "meshed by istio": ("mesh-mutual-tls", "mesh-entrance-echo", "istio-injection", "exclusive"),
    "meshed by linkerd": (
        "linkerd-control-plane-issuer",
        "platform-mesh-issuer",
        "linkerd.io/inject",
        "skip-inbound-ports",
    ),
    "saved": ("velero-store-secret", "backupStorageLocation", "ttl"),
    "delivered": ("argocd-repository-secret", "delivery-cluster", "https://git.lab.test/cloud.git"),
    "handed over": ("delivery-repository", "delivery-cluster", "deletionPolicy"),
    "stored": (
        "csi-proxmox-token-secret",
        "storageclass.kubernetes.io/is-default-class",
        "token_secret_file",
    ),
}
"""By the variant (`whole.VARIANTS`): words of its plan."""
HIDDEN = "a-word-that-nobody-may-see"


@pytest.mark.parametrize("variant", sorted(SHOWN))
def test_a_preview_shows_the_addon_and_hides_its_secrets(variant: str) -> None:
    if not goitems.PULUMI.item.ready:
        pytest.skip("Pulumi is not built: python -m lab.software build --only pulumi")
    stack, changes = whole.VARIANTS[variant]
    secrets = {f"layered-cloud:{key}": value for key, value in whole.SECRETS.items()}
    given = secrets["layered-cloud:platformSecrets"].replace("=hush", f"={HIDDEN}")
    secrets["layered-cloud:platformSecrets"] = given
    with workspace(
        stack,
        config=whole.config_of(stack, changes),
        secrets=secrets,
        throw_away=True,
        env={OFFLINE: "1"},
    ) as engine:
        stand_in(engine)
        done = engine.preview(diff=True)
        everything = done.text + done.log.read_text(encoding="utf-8")
    for word in SHOWN[variant]:
        assert word in done.text
    assert HIDDEN not in everything
