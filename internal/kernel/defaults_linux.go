package kernel

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/netns"
	"github.com/tcpkeepalive/keepalive/internal/running"
	"github.com/tcpkeepalive/keepalive/platform"
)

func systemDefaults() (platform.Settings, error) {
	fd, err := running.Socket()
	if err != nil {
		return platform.Settings{}, err
	}
	defer unix.Close(fd)
	return Current().Read(System(), uintptr(fd))
}

// inOurNamespace reports whether the socket is in the network namespace of the
// calling thread. Before Linux 5.14, which has no cookie to compare, it returns
// false.
func inOurNamespace(fd int) (bool, error) {
	fresh, err := running.Socket()
	if err != nil {
		return false, err
	}
	defer unix.Close(fresh)
	var ours uint64
	theirs, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	if err == nil {
		ours, err = unix.GetsockoptUint64(fresh, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	}
	if err != nil && !noSuchOption(err) {
		return false, fmt.Errorf("getsockopt SO_NETNS_COOKIE: %w", err)
	}
	return err == nil && ours == theirs, nil
}

// inNamespaceOf calls ask on a thread in the network namespace of fd.
func inNamespaceOf[T any](fd int, ask func() (T, error)) (answer T, err error) {
	ns, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCGSKNS, 0)
	if errno != 0 {
		return answer, fmt.Errorf("the socket may be in another network namespace, whose sysctls cannot be read: ioctl SIOCGSKNS: %w", errno)
	}
	file := os.NewFile(ns, "of the socket")
	defer file.Close()
	err = netns.Do(file, func() (err error) {
		answer, err = ask()
		return err
	})
	return answer, err
}
