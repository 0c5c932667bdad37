//go:build !linux

package listener_test

import "testing"

// isPlain reports whether c is a socket of plain TCP: package net makes no others here.
func isPlain(testing.TB, any) bool { return true }
