package testkit

import (
	"errors"

	"golang.org/x/sys/windows"
)

// withSocket calls f with a new TCP socket.
func withSocket(f func(fd uintptr) error) error {
	var data windows.WSAData
	if err := windows.WSAStartup(0x202, &data); err != nil {
		return err
	}
	s, err := windows.Socket(windows.AF_INET, windows.SOCK_STREAM, windows.IPPROTO_TCP)
	if err != nil {
		return err
	}
	defer windows.Closesocket(s)
	return f(uintptr(s))
}

func getOption(fd uintptr, level, number int) (int, error) {
	return windows.GetsockoptInt(windows.Handle(fd), level, number)
}

func setOption(fd uintptr, level, number, value int) error {
	return windows.SetsockoptInt(windows.Handle(fd), level, number, value)
}

// missing reports whether a socket does not have an option.
func missing(err error) bool {
	return errors.Is(err, windows.WSAENOPROTOOPT) || errors.Is(err, windows.WSAEOPNOTSUPP)
}
