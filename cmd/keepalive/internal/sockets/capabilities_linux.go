package sockets

import "golang.org/x/sys/unix"

// mayTrace reports whether this process has the capabilities that are needed to read the
// processes of other users.
func mayTrace() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData // of 32 capabilities each
	if unix.Capget(&header, &sets[0]) != nil {
		return false
	}
	for _, c := range []int{unix.CAP_SYS_PTRACE, unix.CAP_DAC_READ_SEARCH} {
		if sets[c/32].Effective&(1<<(c%32)) == 0 {
			return false
		}
	}
	return true
}
