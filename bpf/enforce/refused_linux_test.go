package enforce_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/bpf/enforce"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

const cgroupEnv = "KEEPALIVE_TEST_CGROUP"

// denied attaches in a child that may not, and returns why.
func denied(t *testing.T) string {
	h, err := enforce.Hold(os.Getenv(cgroupEnv), idleOf(51))
	if h != nil {
		h.Close()
	}
	assert.ErrorIs(t, err, fs.ErrPermission)
	return err.Error()
}

// Each refusal says what is missing.
func TestRefusals(t *testing.T) {
	if os.Getenv(cgroupEnv) == "" {
		t.Setenv(cgroupEnv, cgroup(t))
	}
	t.Run("nobody", func(t *testing.T) {
		if testkit.InChildAsNobody(t) {
			assert.Contains(t, denied(t), "this process lacks CAP_BPF and CAP_NET_ADMIN")
		}
	})
	t.Run("CAP_NET_ADMIN alone", func(t *testing.T) {
		if testkit.InChildWithoutCaps(t, unix.CAP_SYS_ADMIN, unix.CAP_BPF) {
			assert.Contains(t, denied(t), "this process lacks CAP_BPF:")
		}
	})
	t.Run("CAP_BPF alone", func(t *testing.T) {
		if testkit.InChildWithoutCaps(t, unix.CAP_SYS_ADMIN, unix.CAP_NET_ADMIN) {
			assert.Contains(t, denied(t), "this process lacks CAP_NET_ADMIN:")
		}
	})
	t.Run("CAP_BPF and CAP_NET_ADMIN", func(t *testing.T) {
		if !testkit.InChildWithoutCaps(t, unix.CAP_SYS_ADMIN, unix.CAP_SYS_RESOURCE, unix.CAP_PERFMON, unix.CAP_SYS_PTRACE) {
			return
		}
		h, err := enforce.Hold(os.Getenv(cgroupEnv), idleOf(51))
		if assert.NoError(t, err, "they suffice") {
			h.Close()
		}
	})
	t.Run("a user namespace", func(t *testing.T) {
		if testkit.InChild(t, func(cmd *exec.Cmd) {
			cmd.SysProcAttr = &syscall.SysProcAttr{
				Cloneflags:  syscall.CLONE_NEWUSER,
				UidMappings: []syscall.SysProcIDMap{{HostID: 0, Size: 1}},
				GidMappings: []syscall.SysProcIDMap{{HostID: 0, Size: 1}},
			}
		}) {
			assert.Contains(t, denied(t), "this process is in a user namespace, where CAP_BPF and CAP_NET_ADMIN do not count")
		}
	})
	t.Run("a kernel without bpf", func(t *testing.T) {
		if testkit.InChild(t, nil) {
			testkit.FailCall(t, unix.SYS_BPF, unix.ENOSYS)
			_, err := enforce.Hold(os.Getenv(cgroupEnv), idleOf(51))
			assert.ErrorIs(t, err, errors.ErrUnsupported)
			assert.ErrorContains(t, err, "this kernel lacks a map of maps (Linux 4.12)")
		}
	})
}

func TestInvalidPolicies(t *testing.T) {
	t.Parallel()
	long := make([]byte, 64)
	for i := range long {
		long[i] = 'x'
	}
	for _, tt := range []struct {
		policy enforce.Policy
		want   string
	}{
		{enforce.Policy{}, "the policy has 0 rules: want 1 to 32"},
		{enforce.Policy{Rules: make([]enforce.Rule, 33)}, "the policy has 33 rules: want 1 to 32"},
		{one(enforce.Rule{Name: "a", Config: sockopt.Config{Idle: 10 * time.Hour}}), "rule a: sockopt: idle=36000s is too large"},
		{one(enforce.Rule{Peer: "example.com:1"}), `rule 1: peer "example.com:1"`},
		{one(enforce.Rule{Local: "fe80::1%eth0"}), "a policy cannot tell interfaces apart"},
		{one(enforce.Rule{Command: "0123456789abcdef"}), "the kernel keeps 15 bytes of it"},
		{one(enforce.Rule{Name: string(long)}), "its name is 64 bytes long"},
		{one(enforce.Rule{Mode: enforce.Leave, Config: config}), "it has settings, which mode leave would not set"},
		{one(enforce.Rule{Mode: 9}), "there is no mode Mode(9)"},
		{one(enforce.Rule{Least: config}), "the least settings are for mode clamp, and it has mode override"},
		{one(enforce.Rule{Mode: enforce.Clamp, Config: config, Least: sockopt.Config{Idle: time.Hour}}), "the least idle is more than the most"},
		{one(enforce.Rule{Mode: enforce.Clamp, Least: sockopt.Config{Disabled: true}}), "which is no bound"},
		{one(enforce.Rule{Mode: enforce.Clamp, Least: sockopt.Config{UserTimeout: sockopt.NoUserTimeout}}), "which is the longest"},
	} {
		err := tt.policy.Validate()
		assert.ErrorContains(t, err, tt.want)
		assert.Regexp(t, "^enforce: ", err)
		assert.Equal(t, err, enforce.Attach(t.TempDir(), "/nowhere", tt.policy), "before it looks at the control group")
	}
	assert.NoError(t, enforce.Policy{Rules: make([]enforce.Rule, 32)}.Validate())
}
