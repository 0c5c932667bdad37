//go:build !linux

package cli

// mayTrace: only Linux has these capabilities.
func mayTrace() bool { return false }
