package platform

import "golang.org/x/sys/unix"

func kindOf(k Kernel, fd uintptr) (Kind, error) {
	protocol, err := k.Get(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL)
	switch {
	case err != nil:
		return NotTCP, &OptionError{Call: "getsockopt", Symbol: "SO_PROTOCOL", Err: err}
	case protocol == unix.IPPROTO_TCP:
		return TCP, nil
	case protocol == unix.IPPROTO_MPTCP:
		return MultipathTCP, nil
	}
	return NotTCP, nil
}
