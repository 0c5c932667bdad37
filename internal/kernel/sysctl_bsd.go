//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package kernel

import "golang.org/x/sys/unix"

func sysctl(name string) (uint32, error) { return unix.SysctlUint32(name) }
