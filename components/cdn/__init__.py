"""The CDN in front: its ranges, the service's names, and the certificate shown to it."""

from components.cdn.certificate import Certificate
from components.cdn.component import CdnRanges, CdnRecords, cloudflare_provider
from components.cdn.verify import RangesRefused, usable_ranges

__all__ = [
    "CdnRanges",
    "CdnRecords",
    "Certificate",
    "RangesRefused",
    "cloudflare_provider",
    "usable_ranges",
]
