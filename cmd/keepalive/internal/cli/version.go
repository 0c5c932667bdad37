package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/tcpkeepalive/keepalive/platform"
)

// versionText is what --version prints: which program this is, and whose options
// it goes by.
func versionText() string {
	return fmt.Sprintf("keepalive %s, %s, %s/%s\nplatform table: %s",
		moduleVersion(debug.ReadBuildInfo()), runtime.Version(), runtime.GOOS, runtime.GOARCH, platform.Current().Name)
}

// addVersion is cobra's --version without cobra's template: a program that
// executes one keeps all methods of all types, a quarter of its size, and every
// list pays for that.
func addVersion(root *cobra.Command) {
	asked := root.Flags().BoolP("version", "v", false, "version for keepalive")
	run := root.RunE
	root.RunE = func(cmd *cobra.Command, args []string) error {
		if *asked {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), versionText())
			return err
		}
		return run(cmd, args)
	}
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
