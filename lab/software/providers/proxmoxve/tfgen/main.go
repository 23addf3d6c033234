// tfgen writes the plugin's schema.json and bridge-metadata.json.
package main

import (
	"context"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfgen"

	"layered-cloud.test/pulumi-resource-proxmoxve/info"
)

// The version that the SDK asks for; the linker sets it.
var version string

func main() {
	tfgen.MainWithMuxer(info.Name, info.Provider(context.Background(), version, nil))
}
