package platform_test

import "golang.org/x/sys/windows"

// Winsock has numbers of its own; the ones that package syscall defines under
// the Unix names never come from the system.
const (
	eINVAL      = windows.WSAEINVAL
	eNOPROTOOPT = windows.WSAENOPROTOOPT
	eOPNOTSUPP  = windows.WSAEOPNOTSUPP
	ePERM       = windows.WSAEACCES
	eBADF       = windows.WSAENOTSOCK
)
