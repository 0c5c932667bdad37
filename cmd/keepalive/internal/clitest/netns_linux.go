package clitest

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/lab"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// HolderEnv makes HoldConnection hold a connection.
const HolderEnv = "KEEPALIVE_TEST_NETNS_HOLDER"

// HeldAddress is the local address of the connections that HoldIn holds.
const HeldAddress = "127.77.0.1"

// HoldConnection is the test TestNamespaceHolder of a package whose tests call HoldIn: a
// process that has a connection in the namespace it was started in.
func HoldConnection(t *testing.T) {
	if os.Getenv(HolderEnv) == "" {
		t.Skip("for other tests")
	}
	if os.Getenv(HolderEnv) == "container" {
		testkit.IP(t, "link set lo up")
	}
	// An address that no other test has: the same port may be in use elsewhere.
	l, err := net.Listen("tcp4", HeldAddress+":0")
	require.NoError(t, err)
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(HeldAddress)}}
	c, err := d.Dial("tcp4", l.Addr().String())
	require.NoError(t, err)
	_, err = l.Accept()
	require.NoError(t, err)
	cfg := sockopt.Config{Idle: 1234 * time.Second, Interval: 75 * time.Second, Count: 9}
	if os.Getenv(HolderEnv) == "quick" {
		cfg = Quick
	}
	require.NoError(t, sockopt.Set(c, cfg))
	fmt.Println("connected", c.LocalAddr())
	bufio.NewReader(os.Stdin).ReadString('\n')
}

// HoldIn starts one in ns, whose default idle time is 1234 s then.
func HoldIn(t *testing.T, ns *lab.Namespace, how string) (pid int, address string) {
	t.Helper()
	ns.Sysctl("net.ipv4.tcp_keepalive_time", "1234")
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestNamespaceHolder$")
	cmd.Env = append(os.Environ(), HolderEnv+"="+how)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, ns.Do(cmd.Start))
	t.Cleanup(func() {
		in.Close()
		cmd.Process.Kill()
		cmd.Wait()
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if n, _ := fmt.Sscanf(lines.Text(), "connected %s", &address); n == 1 {
			return cmd.Process.Pid, address
		}
	}
	t.Fatal("the child said nothing")
	return
}

// InOwnMounts runs the rest of a test in mount and PID namespaces of its own, where
// names below /run/netns are nobody else's and no process may not be looked at.
func InOwnMounts(t *testing.T) bool {
	t.Helper()
	if !testkit.IsChild(t) {
		testkit.Root(t)
	}
	if !testkit.InChild(t, func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS, Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNET}
	}) {
		return false
	}
	require.NoError(t, unix.Mount("proc", "/proc", "proc", 0, ""))
	leaveNamedNamespaces()
	require.NoError(t, unix.Mount("tmpfs", "/run", "tmpfs", 0, ""))
	require.NoError(t, os.MkdirAll("/run/netns", 0o755))
	testkit.IP(t, "link set lo up")
	return true
}

// leaveNamedNamespaces takes those of this machine out of the test's own mounts, where
// they would only be hidden.
func leaveNamedNamespaces() {
	names, _ := filepath.Glob("/run/netns/*")
	for _, name := range append(names, "/run/netns") {
		for unix.Unmount(name, unix.MNT_DETACH) == nil {
		}
	}
}

// Named gives a namespace a name, as ip netns does. It takes InOwnMounts.
func Named(t *testing.T, ns *lab.Namespace, name string) {
	t.Helper()
	require.NoError(t, os.WriteFile("/run/netns/"+name, nil, 0o444))
	require.NoError(t, unix.Mount(ns.Path(), "/run/netns/"+name, "", unix.MS_BIND, ""))
}
