"""Stand-ins for Pulumi's provider plugins, used where the real plugin is not installed.

Each module is one provider for exactly what the program uses; it calls the same endpoints as
the real one and replaces a resource where the real one replaces it. `server` is what they share.
"""
