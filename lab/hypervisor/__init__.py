"""A Proxmox VE of two hosts whose virtual machines are booted systemd containers."""
