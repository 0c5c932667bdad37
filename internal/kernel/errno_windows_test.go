package kernel_test

import "golang.org/x/sys/windows"

// Winsock has numbers of its own; the ones that package syscall defines under
// the Unix names never come from the system.
const (
	errINVAL      = windows.WSAEINVAL
	errNOPROTOOPT = windows.WSAENOPROTOOPT
	errOPNOTSUPP  = windows.WSAEOPNOTSUPP
	errPERM       = windows.WSAEACCES
	errBADF       = windows.WSAENOTSOCK
)
