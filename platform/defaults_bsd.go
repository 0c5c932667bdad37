//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package platform

import "golang.org/x/sys/unix"

func sysctl(name string) (uint32, error) { return unix.SysctlUint32(name) }

func systemDefaults() (Settings, error) { return defaultsBySysctl(Current()) }

func systemDefaultsOf(uintptr) (Settings, error) { return systemDefaults() }
