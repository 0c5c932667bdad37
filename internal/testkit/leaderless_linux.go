package testkit

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Leaderless starts a process whose first thread has ended while others still run, and
// which has a connection between these addresses. It ends with the test. The process is
// this program, run for the same test; in that process the call does not return.
func Leaderless(t *testing.T, prepare func(*exec.Cmd)) (pid int, local, peer string) {
	t.Helper()
	if IsChild(t) {
		if lo, err := net.InterfaceByName("lo"); err == nil && lo.Flags&net.FlagUp == 0 {
			IP(t, "link set lo up") // a new network namespace
		}
		client, _ := Pair(t, "tcp4", "127.0.0.1:0")
		endFirstThread()
		fmt.Println("leaderless at", client.LocalAddr(), client.RemoteAddr())
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}
	cmd := childFor(t)
	cmd.SysProcAttr = new(syscall.SysProcAttr)
	if prepare != nil {
		prepare(cmd)
	}
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	Start(t, cmd)
	t.Cleanup(func() { in.Close() })
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if n, _ := fmt.Sscanf(lines.Text(), "leaderless at %s %s", &local, &peer); n == 2 {
			return cmd.Process.Pid, local, peer
		}
	}
	t.Fatal("the child did not get that far")
	return
}

// endFirstThread keeps threads busy until a goroutine runs on the first thread, and ends
// that thread with a system call that Go's runtime takes for a blocking one.
func endFirstThread() {
	first := make(chan bool)
	for {
		go func() {
			runtime.LockOSThread()
			isFirst := unix.Gettid() == unix.Getpid()
			first <- isFirst
			if isFirst {
				unix.Syscall(unix.SYS_EXIT, 0, 0, 0)
			}
			select {}
		}()
		if <-first {
			return
		}
	}
}
