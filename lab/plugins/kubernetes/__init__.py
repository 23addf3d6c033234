"""Stand-in for the `kubernetes` provider: objects by server-side apply, Helm releases by `helm`.

It follows pulumi-kubernetes 4.34 for what a program of this project uses; what it does not do
(Helm charts as templates, kustomize, YAML files, patches, rendering to a directory) it refuses by
name. It talks to the API server with the official Python client and runs the real `helm`.
"""
