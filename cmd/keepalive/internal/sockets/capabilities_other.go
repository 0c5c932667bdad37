//go:build !linux

package sockets

// mayTrace: only Linux has these capabilities.
func mayTrace() bool { return false }
