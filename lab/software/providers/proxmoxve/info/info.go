// Package info says how the Terraform provider for Proxmox VE is bridged to Pulumi.
package info

import (
	"context"

	"github.com/bpg/terraform-provider-proxmox/fwprovider"
	"github.com/bpg/terraform-provider-proxmox/proxmoxtf/provider"
	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
	sdkv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

// Name is the package's name in Pulumi.
const Name = "proxmoxve"

// What the program uses, by Terraform's name and the SDK's token.
var resources = map[string]tokens.Type{
	"proxmox_virtual_environment_vm":   "proxmoxve:index/vmLegacy:VmLegacy",
	"proxmox_virtual_environment_file": "proxmoxve:index/fileLegacy:FileLegacy",
	"proxmox_download_file":            "proxmoxve:download/file:File",
}

// Provider describes both halves of the Terraform provider as one package of that version;
// metadata is the content of bridge-metadata.json. Whatever the program does not use is left out.
func Provider(ctx context.Context, version string, metadata []byte) tfbridge.ProviderInfo {
	info := tfbridge.ProviderInfo{
		P: pf.MuxShimWithPF(
			ctx,
			sdkv2.NewProvider(provider.ProxmoxVirtualEnvironment()),
			fwprovider.New(version)(),
		),
		Name:           Name,
		ResourcePrefix: "proxmox",
		GitHubOrg:      "bpg",
		Version:        version,
		MetadataInfo:   tfbridge.NewProviderMetadata(metadata),
		Resources:      map[string]*tfbridge.ResourceInfo{},
	}
	for name, token := range resources {
		info.Resources[name] = &tfbridge.ResourceInfo{Tok: token}
	}
	// A mapping wins over this list.
	ignore := func(name string, _ shim.Resource) bool {
		info.IgnoreMappings = append(info.IgnoreMappings, name)
		return true
	}
	info.P.ResourcesMap().Range(ignore)
	info.P.DataSourcesMap().Range(ignore)
	return info
}
