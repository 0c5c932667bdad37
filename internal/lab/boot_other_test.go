//go:build !linux

package lab

import "testing"

func boot(*testing.M) {}
