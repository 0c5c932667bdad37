//go:build !unix && !windows

package platform

func current() *Table { return &nothing }
