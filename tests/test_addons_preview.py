"""What a preview of the whole program by the real engine shows of optional addons, and hides."""

from __future__ import annotations

import pytest

from tests import whole
from tests.offline import told

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
    given = whole.SECRETS["platformSecrets"].replace("=hush", f"={HIDDEN}")
    text, everything = told(variant, given)
    for word in SHOWN[variant]:
        assert word in text
    assert HIDDEN not in everything
