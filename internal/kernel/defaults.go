package kernel

import (
	"errors"
	"fmt"

	"github.com/tcpkeepalive/keepalive/platform"
)

// SystemDefaults returns what an option means here while nobody has set it.
//
//   - Linux, Android: the values of the calling thread's network namespace
//     (net.ipv4.tcp_keepalive_time, _intvl, _probes), asked of a fresh socket,
//     which also works where /proc is not mounted or not truthful.
//   - macOS, FreeBSD, NetBSD and, for the count, DragonFly BSD: the sysctls that
//     the table names.
//   - elsewhere, and where the unit is not certain: not Known.
//
// The error tells why a value that should be known is not.
func SystemDefaults() (platform.Settings, error) { return systemDefaults() }

// SystemDefaultsOf returns what an option means on the socket fd while nobody
// has set it there. Only Linux has more than one answer: that of the socket's
// network namespace. If it is another than the calling thread's, reading it
// takes CAP_NET_ADMIN there and CAP_SYS_ADMIN here; without, and in gVisor,
// nothing is Known and the error says so. Elsewhere it is the same as [SystemDefaults].
func SystemDefaultsOf(fd uintptr) (platform.Settings, error) { return systemDefaultsOf(fd) }

// defaultsBySysctl reads every default whose sysctl and unit the table knows.
func defaultsBySysctl(t *Rules) (platform.Settings, error) {
	var got platform.Settings
	var errs []error
	for i := range t.Specs {
		s := &t.Specs[i]
		if s.Sysctl == "" {
			continue
		}
		n, err := sysctl(s.Sysctl)
		if err != nil {
			if !errors.Is(err, errors.ErrUnsupported) {
				errs = append(errs, fmt.Errorf("sysctl %s: %w", s.Sysctl, err))
			}
			continue
		}
		hold(&got, s.Option, fromKernel(s.SysctlUnit, int64(n)))
	}
	return got, join(errs)
}
