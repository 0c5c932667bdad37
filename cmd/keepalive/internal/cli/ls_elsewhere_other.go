//go:build !linux

package cli

func tcpSockets(int) missing { return nil }

func hasHiddenFDs(int) bool { return false }
