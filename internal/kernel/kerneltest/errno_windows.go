package kerneltest

import "golang.org/x/sys/windows"

// Winsock has its own numbers; those that package syscall defines under the Unix
// names never come from the system.
const (
	EINVAL      = windows.WSAEINVAL
	ENOPROTOOPT = windows.WSAENOPROTOOPT
	EOPNOTSUPP  = windows.WSAEOPNOTSUPP
	EPERM       = windows.WSAEACCES
	EBADF       = windows.WSAENOTSOCK
	EADDRINUSE  = windows.WSAEADDRINUSE
)
