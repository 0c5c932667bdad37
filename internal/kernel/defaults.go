package kernel

import "github.com/tcpkeepalive/keepalive/platform"

// SystemDefaults returns the value of each option on this system while it is not
// set.
//
//   - Linux, Android: the values of the calling thread's network namespace
//     (net.ipv4.tcp_keepalive_time, _intvl, _probes), read from a new socket,
//     which also works if /proc is not mounted or has false values.
//   - macOS, FreeBSD, NetBSD and, for the count, DragonFly BSD: the sysctls that
//     the table names.
//   - elsewhere, and where the unit is not certain: not Known.
//
// The error says why a value that should be known is not.
func SystemDefaults() (platform.Settings, error) { return systemDefaults() }
