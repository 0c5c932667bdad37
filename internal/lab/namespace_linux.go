package lab

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/netns"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// A Namespace is a network namespace.
type Namespace struct {
	t  testing.TB
	fd int
}

// NewNamespace creates a namespace, with its loopback interface up, for the
// duration of the test. It needs root, or Main, and the program ip.
func NewNamespace(t testing.TB) *Namespace {
	t.Helper()
	needRoot(t)
	n := &Namespace{t: t, fd: -1}
	err := netns.OnThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return os.NewSyscallError("unshare", err)
		}
		fd, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		n.fd = fd
		return err
	})
	testkit.Need(t, err == nil, fmt.Sprintf("needs to make a network namespace: %v", err))
	t.Cleanup(func() { unix.Close(n.fd) })
	n.IP("link set lo up")
	return n
}

// Do runs f in the namespace. Sockets that f creates stay in it; goroutines that
// f starts do not run in it.
func (n *Namespace) Do(f func() error) error {
	return netns.OnThread(func() error {
		if err := unix.Setns(n.fd, unix.CLONE_NEWNET); err != nil {
			return os.NewSyscallError("setns", err)
		}
		return f()
	})
}

// Path returns the file of the namespace.
func (n *Namespace) Path() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), n.fd) }

// Run runs a program in the namespace with this standard input.
func (n *Namespace) Run(stdin, program string, args ...string) {
	n.t.Helper()
	path := testkit.Tool(n.t, program)
	err := n.Do(func() error {
		c := exec.Command(path, args...)
		c.Stdin = strings.NewReader(stdin)
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("%s %s: %w\n%s%s", program, strings.Join(args, " "), err, out, stdin)
		}
		return nil
	})
	require.NoError(n.t, err)
}

// IP runs the program ip once for all lines: with dozens of networks, starting programs
// takes most of the time.
func (n *Namespace) IP(lines ...string) {
	n.t.Helper()
	n.Run(strings.Join(lines, "\n"), "ip", "-batch", "-")
}

// Sysctl sets a sysctl of the namespace, such as net.ipv4.ip_forward.
func (n *Namespace) Sysctl(name, value string) {
	n.t.Helper()
	path := "/proc/sys/" + strings.ReplaceAll(name, ".", "/")
	require.NoError(n.t, n.Do(func() error { return os.WriteFile(path, []byte(value), 0o644) }))
}

// Connect joins this namespace and another with a pair of interfaces that have
// these names and addresses (10.0.0.1/24).
func (n *Namespace) Connect(name, address string, other *Namespace, otherName, otherAddress string) {
	n.t.Helper()
	n.IP(
		fmt.Sprintf("link add %s type veth peer name %s netns /proc/%d/fd/%d", name, otherName, os.Getpid(), other.fd),
		fmt.Sprintf("addr add %s dev %s", address, name),
		fmt.Sprintf("link set %s up", name),
	)
	other.IP(
		fmt.Sprintf("addr add %s dev %s", otherAddress, otherName),
		fmt.Sprintf("link set %s up", otherName),
	)
}
