//go:build !linux && !darwin && !dragonfly && !freebsd && !netbsd && !openbsd

package platform

import "errors"

func sysctl(string) (uint32, error) { return 0, errors.ErrUnsupported }

func systemDefaults() (Settings, error) { return defaultsBySysctl(Current()) }

func systemDefaultsOf(uintptr) (Settings, error) { return systemDefaults() }
