//go:build !linux

package sockets

// mayTrace returns false, because only Linux has these capabilities.
func mayTrace() bool { return false }
