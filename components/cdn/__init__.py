"""The CDN in front: its ranges, the service's names, and the certificate shown to it."""

from components.cdn.certificate import Certificate, CertificateArgs
from components.cdn.component import Cdn, CdnRanges, CdnRecords

__all__ = ["Cdn", "CdnRanges", "CdnRecords", "Certificate", "CertificateArgs"]
