"""The `proxmoxve` provider: what the program uses of pulumi-proxmoxve 8.6.0.

`VmLegacy`, `FileLegacy` and `download.File`, and the look-ups of nodes and datastores. Requests,
defaults and replacement rules follow the Terraform provider that pulumi-proxmoxve wraps.
"""
