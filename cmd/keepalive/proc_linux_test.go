package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// A process that cannot be asked under the number that /proc shows has not closed its
// sockets: they are listed, counted, and not known.
func TestWhereProcIsOfAnotherPIDNamespace(t *testing.T) {
	const ends = "KEEPALIVE_TEST_ENDS"
	if !testkit.IsChild(t) {
		testkit.Root(t)
		client, server := testkit.Pair(t, "tcp4", "127.0.0.1:0")
		t.Setenv(ends, client.LocalAddr().String()+" "+server.LocalAddr().String())
	}
	if !testkit.InChild(t, func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID}
	}) {
		return
	}
	local, peer, _ := strings.Cut(os.Getenv(ends), " ")
	const why = "/proc is perhaps that of another PID namespace"
	code, out, errs := command("ls", "--json", "--local", local, "--peer", peer)
	assert.Equal(t, exit.Unknown, code)
	assert.Contains(t, out, `"idle_seconds":null`)
	assert.Contains(t, out, why)
	assert.Contains(t, errs, why)
	code, out, errs = command("check", "--path", "aws-nlb-tcp", "--local", local, "--peer", peer)
	assert.Equal(t, exit.Unknown, code)
	assert.Contains(t, errs, "checked 1: 0 bad, 1 unknown")
	assert.Contains(t, strings.Join(strings.Fields(out), " "), "another PID namespace")
	code, _, errs = command("watch", "--rounds", "1", "--json", "--local", local, "--peer", peer)
	assert.Equal(t, exit.Unknown, code)
	assert.Contains(t, errs, why)
}

// The sockets of a thread that has left its process's descriptors are not those of the
// process that /proc shows, and an empty list is none.
func TestAThreadWithDescriptorsOfItsOwn(t *testing.T) {
	t.Parallel()
	if !testkit.InChild(t, nil) {
		return
	}
	pid := fmt.Sprint(os.Getpid())
	code, _, errs := command("ls", "--pid", pid)
	assert.Equal(t, exit.Nothing, code, errs)
	ready := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := unix.Unshare(unix.CLONE_FILES)
		if err == nil {
			var fd int
			if fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0); err == nil {
				err = unix.Listen(fd, 1)
			}
		}
		ready <- err
		select {} // the thread keeps its socket
	}()
	require.NoError(t, <-ready)
	for _, args := range [][]string{{"ls", "--listening", "--pid", pid}, {"check", "--path", "aws-nlb-tcp", "--pid", pid}, {"watch", "--rounds", "1", "--pid", pid}} {
		code, _, errs := command(args...)
		assert.Equal(t, exit.Unknown, code, errs)
		assert.Contains(t, errs, "threads of that process have descriptors of their own")
	}
}

// Without /proc nothing is known of processes.
func TestExitCodesWithoutProc(t *testing.T) {
	if !testkit.IsChild(t) {
		testkit.Root(t)
	}
	if !testkit.InChild(t, func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS, Cloneflags: unix.CLONE_NEWNET} // others have connections, too
	}) {
		return
	}
	testkit.IP(t, "link set lo up")
	testkit.Pair(t, "tcp4", "127.0.0.1:0")
	require.NoError(t, unix.Unmount("/proc", unix.MNT_DETACH))
	for unix.Unmount("/proc", unix.MNT_DETACH) == nil { // there may be one below
	}
	walk(t, []walked{
		{"ls --all-netns", exit.Denied}, {"ls --json --all-netns", exit.Denied}, {"ls --netns 1", exit.Denied}, {"ls --pid 1", exit.Denied},
		{"check --path aws-nlb-tcp --all-netns", exit.Denied}, {"check --path aws-nlb-tcp --pid 1", exit.Denied},
		{"check --path aws-nlb-tcp --peer 127.0.0.1", exit.Denied}, {"ls --columns state,peer", exit.OK},
		{"watch --rounds 1 --all-netns", exit.Denied}, {"trace --for 1s --all-netns", exit.Denied},
	})
	code, out, errs := command("ls", "--columns", "state,peer")
	assert.Equal(t, exit.OK, code)
	assert.NotContains(t, out+errs, "?", "nobody asked for what is not known")
}
