//go:build !linux

package kernel

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/tcpkeepalive/keepalive/platform"
)

// This file has what is the same on all systems except Linux; for Linux see
// kind_linux.go, defaults_linux.go and retries_linux.go.

func systemDefaults() (platform.Settings, error) { return defaultsBySysctl(Current()) }

// defaultsBySysctl reads every default for which the table has a sysctl and its
// unit.
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

func systemRetries() (Retries, error) { return Retries{}, errNoRetries() }

func systemRetriesOf(uintptr) (Retries, error) { return systemRetries() }

// The numbers are the same on all these systems.
const (
	solSocket    = 0xffff
	soAcceptConn = 2
	protocolTCP  = 6 // IPPROTO_TCP
	tcpNoDelay   = 1 // TCP_NODELAY
)

// kindOf reads an option that TCP has and no other protocol has. The sockets of other
// protocols do not have the option, or they refuse the level with EINVAL, as
// ip_ctloutput (ip_output.c) and uipc_ctloutput (uipc_usrreq.c) of the BSDs do.
func kindOf(k Kernel, fd uintptr) (Kind, error) {
	_, err := k.Get(fd, protocolTCP, tcpOnly)
	switch {
	case err == nil:
		return TCP, nil
	case noSuchOption(err), errors.Is(err, syscall.EINVAL):
		return NotTCP, nil
	}
	return NotTCP, fmt.Errorf("getsockopt %s: %w", tcpOnlySymbol, err)
}
