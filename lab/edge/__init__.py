"""The CDN's edge in front of the lab: the name server that visitors ask and the caching proxy that
they reach, both as the Cloudflare API of the lab was told.

The daemons are real ones (knot, nginx). They keep no state of their own: what `lab.cloudflare`
wrote into its file is all they know, and a change of it is served within a second.
"""
