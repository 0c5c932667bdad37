package enforce

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// refused says what is missing where the kernel refuses something: a capability or a
// feature, which is named with the release that it came with. The error wraps
// fs.ErrPermission or errors.ErrUnsupported accordingly.
func refused(feature string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES) && !errors.As(err, new(*ebpf.VerifierError)):
		return fmt.Errorf("the kernel refuses %s: %s: %w", feature, missing(), err)
	case errors.Is(err, ebpf.ErrNotSupported), errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOTSUP):
		return fmt.Errorf("this kernel lacks %s: %w (%w)", feature, errors.ErrUnsupported, err)
	}
	return fmt.Errorf("%s: %w", feature, err)
}

// missing says which permission a process lacks.
func missing() string {
	var lacks []string
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData // of 32 capabilities each
	if err := unix.Capget(&header, &sets[0]); err != nil {
		return fmt.Sprintf("it takes CAP_BPF and CAP_NET_ADMIN (capget: %v)", err)
	}
	has := func(c int) bool { return sets[c/32].Effective&(1<<(c%32)) != 0 }
	if !has(unix.CAP_BPF) && !has(unix.CAP_SYS_ADMIN) {
		lacks = append(lacks, "CAP_BPF")
	}
	if !has(unix.CAP_NET_ADMIN) && !has(unix.CAP_SYS_ADMIN) {
		lacks = append(lacks, "CAP_NET_ADMIN")
	}
	switch uids, err := os.ReadFile("/proc/self/uid_map"); {
	case len(lacks) > 0:
		return "this process lacks " + strings.Join(lacks, " and ")
	case err == nil && strings.Join(strings.Fields(string(uids)), " ") != "0 0 4294967295":
		return "this process is in a user namespace, where CAP_BPF and CAP_NET_ADMIN do not count: run it outside"
	}
	return "a security module, lockdown or a seccomp filter forbids it, or RLIMIT_MEMLOCK is too low (before Linux 5.11)"
}

// supported returns an error on systems whose kernel loads the programs and then does not
// do what they ask for.
func supported() error {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return err
	}
	var major, minor int
	release := unix.ByteSliceToString(u.Release[:])
	if _, err := fmt.Sscanf(release, "%d.%d", &major, &minor); err == nil && (major < 5 || major == 5 && minor < 9) {
		return fmt.Errorf("this kernel (%s) lacks bpf_setsockopt of keepalive options in sock_ops programs (Linux 5.9): %w", release, errors.ErrUnsupported)
	}
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		return fmt.Errorf("policies were never tried on a big-endian machine: %w", errors.ErrUnsupported)
	}
	// Before Linux 5.11, maps and programs count against this limit. Without CAP_SYS_RESOURCE
	// it stays, and where it is too low the kernel says so.
	if major == 5 && minor < 11 {
		_ = unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY})
	}
	return nil
}
