package sockopt

// windowsCause reads Winsock's codes, which syscall's ETIMEDOUT and its like,
// invented numbers on Windows, never equal.
//
// Source: winsock2.h, winerror.h and Microsoft's "Windows Sockets Error Codes".
func windowsCause(code uintptr) Cause {
	switch code {
	case 10060, // WSAETIMEDOUT
		10052, // WSAENETRESET: keepalive found the peer gone
		10065, // WSAEHOSTUNREACH
		10051, // WSAENETUNREACH
		121:   // ERROR_SEM_TIMEOUT
		return PeerTimeout
	case 10054, // WSAECONNRESET
		10053, // WSAECONNABORTED
		64:    // ERROR_NETNAME_DELETED
		return Reset
	}
	return OtherCause
}
