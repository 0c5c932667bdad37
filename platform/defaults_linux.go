package platform

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// sysctl is not how Linux is asked: a fresh socket answers for its namespace
// without /proc, which may not be mounted, and which gVisor fills with zeros.
func sysctl(string) (uint32, error) { return 0, errors.ErrUnsupported }

func systemDefaults() (Settings, error) {
	fd, err := freshSocket()
	if err != nil {
		return Settings{}, err
	}
	defer unix.Close(fd)
	return Current().Read(System(), uintptr(fd))
}

func systemDefaultsOf(fd uintptr) (Settings, error) {
	fresh, err := freshSocket()
	if err != nil {
		return Settings{}, err
	}
	defer unix.Close(fresh)
	theirs, err := unix.GetsockoptUint64(int(fd), unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	if err == nil {
		var ours uint64
		ours, err = unix.GetsockoptUint64(fresh, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
		if err == nil && ours == theirs {
			return Current().Read(System(), uintptr(fresh))
		}
	}
	if err != nil && !noSuchOption(err) { // before Linux 5.14 there is no cookie to compare
		return Settings{}, fmt.Errorf("getsockopt SO_NETNS_COOKIE: %w", err)
	}
	return defaultsInNamespaceOf(int(fd))
}

func freshSocket() (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if errors.Is(err, unix.EAFNOSUPPORT) {
		fd, err = unix.Socket(unix.AF_INET6, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	}
	if err != nil {
		return -1, fmt.Errorf("socket for reading the system's defaults: %w", err)
	}
	return fd, nil
}

// defaultsInNamespaceOf asks a fresh socket inside the network namespace of fd.
func defaultsInNamespaceOf(fd int) (Settings, error) {
	ns, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCGSKNS, 0)
	if errno != 0 {
		return Settings{}, fmt.Errorf("the socket may be in another network namespace, whose defaults cannot be read: ioctl SIOCGSKNS: %w", errno)
	}
	defer unix.Close(int(ns))
	done := make(chan answer)
	go askInNamespace(int(ns), done)
	a := <-done
	return a.settings, a.err
}

// An answer is what a goroutine in another namespace found.
type answer struct {
	settings Settings
	err      error
}

// askInNamespace asks on a thread that stays locked, so it ends with its
// goroutine and no other one ever runs in the foreign namespace. The program's
// first thread never ends, and /proc/self shows its namespace as the program's:
// where that is the one at hand, it is held while another does the work.
func askInNamespace(ns int, done chan<- answer) {
	runtime.LockOSThread()
	if unix.Gettid() == unix.Getpid() {
		inner := make(chan answer)
		go askInNamespace(ns, inner)
		done <- <-inner
		runtime.UnlockOSThread()
		return
	}
	if err := unix.Setns(ns, unix.CLONE_NEWNET); err != nil {
		done <- answer{err: fmt.Errorf("setns to the socket's network namespace: %w", err)}
		return
	}
	settings, err := systemDefaults()
	done <- answer{settings, err}
}
