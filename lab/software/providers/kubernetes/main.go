// pulumi-resource-kubernetes: Pulumi's Kubernetes provider, served from its published module.
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
)

// Both files are the module's own, taken from it when this is built.
var (
	//go:embed schema.json
	schema []byte
	//go:embed terraform-mapping.json
	mapping []byte
)

// The version that the SDK asks for; the linker sets it.
var version string

func main() {
	// The module's schema leaves its version to whoever releases the plugin.
	versioned := append([]byte(`{"version":"`+version+`",`), schema[1:]...)
	provider.Serve("kubernetes", version, versioned, mapping)
}
