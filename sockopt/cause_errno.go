package sockopt

import (
	"errors"
)

// An errnoCause maps a system's error number to the cause of a connection's end.
type errnoCause struct {
	number   uintptr
	cause    Cause
	transfer bool // only as the error of a read or write
}

// causeIn looks up the number in err. It returns OtherCause if the table does
// not have it.
func causeIn(table []errnoCause, err error, transfer bool) Cause {
	var number errno
	if !errors.As(err, &number) {
		return OtherCause
	}
	for _, e := range table {
		if e.number == uintptr(number) && (transfer || !e.transfer) {
			return e.cause
		}
	}
	return OtherCause
}

// winsockCauses has the codes of Winsock. On Windows, syscall.ETIMEDOUT and its
// like are invented numbers that never come from the system.
//
// Source: winsock2.h, winerror.h and Microsoft's "Windows Sockets Error Codes".
var winsockCauses = []errnoCause{
	{number: 10060, cause: PeerTimeout}, // WSAETIMEDOUT
	{number: 10052, cause: PeerTimeout}, // WSAENETRESET: keepalive found the peer gone
	{number: 10065, cause: PeerTimeout}, // WSAEHOSTUNREACH
	{number: 10051, cause: PeerTimeout}, // WSAENETUNREACH
	{number: 121, cause: PeerTimeout},   // ERROR_SEM_TIMEOUT
	{number: 10054, cause: Reset},       // WSAECONNRESET
	{number: 10053, cause: Reset},       // WSAECONNABORTED
	{number: 64, cause: Reset},          // ERROR_NETNAME_DELETED
}
