// pulumi-resource-proxmoxve: the Terraform provider for Proxmox VE, served through Pulumi's bridge.
package main

import (
	"context"
	_ "embed"

	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"

	"layered-cloud.test/pulumi-resource-proxmoxve/info"
)

// Both files are what tfgen wrote when this was built.
var (
	//go:embed schema.json
	schema []byte
	//go:embed bridge-metadata.json
	metadata []byte
)

// The version that the SDK asks for; the linker sets it.
var version string

func main() {
	ctx := context.Background()
	pf.MainWithMuxer(ctx, info.Name, info.Provider(ctx, version, metadata), schema)
}
