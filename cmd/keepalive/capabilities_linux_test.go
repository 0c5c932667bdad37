package main

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// TestNoRemedyThatOneHas: root of a user namespace has all capabilities, and yet may not
// look at processes outside of it.
func TestNoRemedyThatOneHas(t *testing.T) {
	if !testkit.IsChild(t) {
		testkit.Root(t)
	}
	if !testkit.InChild(t, func(cmd *exec.Cmd) {
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{HostID: 65534, Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{HostID: 65534, Size: 1}},
			Credential:  &syscall.Credential{NoSetGroups: true}, // root there
		}
	}) {
		return
	}
	assert.Zero(t, os.Getuid())
	for _, args := range [][]string{{"ls", "--all-netns"}, {"check", "--path", "aws-nlb-tcp", "--all-netns"}} {
		code, _, errs := command(args...)
		assert.Equal(t, exit.Denied, code, "%q", args)
		assert.Regexp(t, `note: the network namespace of processes \(\d+\) cannot be seen from here: readlink /proc/1/ns/net: permission denied; it takes more than CAP_SYS_PTRACE`, errs, "%q", args)
		assert.NotContains(t, errs, "root (CAP_SYS_PTRACE", "%q", args)
	}
	for _, args := range [][]string{{"ls", "--pid", "1"}, {"trace", "--pid", "1"}} {
		code, _, errs := command(args...)
		assert.Equal(t, exit.Denied, code, "%q", args)
		assert.Contains(t, errs, "this takes more than CAP_SYS_PTRACE", "%q", args)
	}
}
