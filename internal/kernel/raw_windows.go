package kernel

import (
	"errors"
	"syscall"
	"unsafe"

	win "golang.org/x/sys/windows"
)

func (system) Get(fd uintptr, level, number int) (int, error) {
	return win.GetsockoptInt(win.Handle(fd), level, number)
}

func (system) Set(fd uintptr, level, number, value int) error {
	return win.SetsockoptInt(win.Handle(fd), level, number, value)
}

func (system) SetKeepAliveVals(fd uintptr, vals [3]uint32) error {
	arg := win.TCPKeepalive{OnOff: vals[0], Time: vals[1], Interval: vals[2]}
	var returned uint32
	return win.WSAIoctl(win.Handle(fd), syscall.SIO_KEEPALIVE_VALS,
		(*byte)(unsafe.Pointer(&arg)), uint32(unsafe.Sizeof(arg)), nil, 0, &returned, nil, 0)
}

func noSuchOption(err error) bool {
	return errors.Is(err, win.WSAENOPROTOOPT) || errors.Is(err, win.WSAEOPNOTSUPP)
}
