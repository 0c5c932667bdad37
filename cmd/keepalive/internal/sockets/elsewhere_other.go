//go:build !linux

package sockets

func OfProcess(int) missing { return nil }

func hasHiddenFDs(int) bool { return false }
