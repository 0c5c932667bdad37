package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/tcpkeepalive/keepalive/platform"
)

// versionText is what --version prints: which program this is, and whose options
// it goes by.
func versionText() string {
	return fmt.Sprintf("keepalive %s, %s, %s/%s\nplatform table: %s",
		moduleVersion(debug.ReadBuildInfo()), runtime.Version(), runtime.GOOS, runtime.GOARCH, platform.Current().Name)
}

// moduleVersion is that of the module, and of a build from a clone its commit.
func moduleVersion(info *debug.BuildInfo, ok bool) string {
	if !ok || info.Main.Version == "" {
		return "of unknown version"
	}
	if info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return info.Main.Version + " " + s.Value
		}
	}
	return info.Main.Version
}
