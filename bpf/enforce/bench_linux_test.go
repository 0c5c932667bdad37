package enforce_test

import (
	"fmt"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/bpf/enforce"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// benchedGroup makes a policy that is in effect for sockets made within f.
func benchedGroup(b *testing.B, p enforce.Policy, f func()) {
	cg := cgroup(b)
	h, err := enforce.Hold(cg, p)
	require.NoError(b, err)
	b.Cleanup(func() { h.Close() })
	home, err := exec.Command("sh", "-c", "sed -n s/^0:://p /proc/self/cgroup").Output()
	require.NoError(b, err)
	mount, err := enforce.CgroupMount()
	require.NoError(b, err)
	enter := func(dir string) {
		require.NoError(b, exec.Command("sh", "-c", fmt.Sprintf("echo $PPID > %s/cgroup.procs", dir)).Run())
	}
	enter(cg)
	defer enter(mount + string(home[:len(home)-1]))
	f()
}

// BenchmarkSetsockopt compares a program's setsockopt of TCP_KEEPIDLE with a policy and
// without one.
//
//	go test ./bpf/enforce -run xxx -bench Setsockopt -benchtime 200x
func BenchmarkSetsockopt(b *testing.B) {
	var many enforce.Policy
	for i := range enforce.MaxRules - 1 {
		many.Rules = append(many.Rules, enforce.Rule{Peer: fmt.Sprintf("10.0.0.%d:443", i), Config: config})
	}
	many.Rules = append(many.Rules, enforce.Rule{Config: config})
	for _, row := range []struct {
		name   string
		policy enforce.Policy
	}{
		{"override", one(enforce.Rule{Config: config})},
		{"default", one(enforce.Rule{Mode: enforce.Default, Config: config})},
		{"clamp", one(enforce.Rule{Mode: enforce.Clamp, Config: config, Least: sockopt.Config{Idle: time.Second}})},
		{"32 rules", many},
	} {
		b.Run(row.name, func(b *testing.B) {
			var ours, theirs int
			var err error
			theirs, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			require.NoError(b, err)
			defer unix.Close(theirs)
			benchedGroup(b, row.policy, func() {
				ours, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			})
			require.NoError(b, err)
			defer unix.Close(ours)
			const calls = 5000
			perCall := func(fd int) func() float64 {
				return func() float64 {
					start := time.Now()
					for range calls {
						_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 99)
					}
					return float64(time.Since(start)) / calls
				}
			}
			var c testkit.Comparison
			for b.Loop() {
				c.Round(perCall(ours), perCall(theirs))
			}
			c.Report(b)
		})
	}
}
