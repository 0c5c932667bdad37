//go:build !linux

package sockets

func OfProcess(int) Missing { return nil }

func hasHiddenFDs(int) bool { return false }
