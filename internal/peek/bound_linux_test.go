package peek_test

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/peek"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/platform"
)

const closerEnv = "KEEPALIVE_TEST_CLOSER"

// TestCloser is the process of the tests below, not a test: it dials as often as it
// is asked to, names the connection, and closes it when it is asked again.
func TestCloser(t *testing.T) {
	address := os.Getenv(closerEnv)
	if address == "" {
		t.Skip("for other tests")
	}
	for lines := bufio.NewReader(os.Stdin); ; {
		if _, err := lines.ReadString('\n'); err != nil {
			return
		}
		c, err := net.Dial("tcp4", address)
		require.NoError(t, err)
		rc, err := c.(*net.TCPConn).SyscallConn()
		require.NoError(t, err)
		require.NoError(t, rc.Control(func(fd uintptr) {
			var st unix.Stat_t
			require.NoError(t, unix.Fstat(int(fd), &st))
			fmt.Println("peek at", fd, st.Ino)
		}))
		_, err = lines.ReadString('\n')
		require.NoError(t, err)
		c.Close()
	}
}

// closer starts it, and returns what opens and closes a connection.
func closer(t *testing.T) (open func() (peek.Descriptor, uint32, net.Conn), close func()) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestCloser$")
	cmd.Env = append(os.Environ(), closerEnv+"="+l.Addr().String())
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	testkit.Start(t, cmd)
	lines := bufio.NewScanner(out)
	say := func() {
		_, err := io.WriteString(in, "\n")
		require.NoError(t, err)
	}
	return func() (o peek.Descriptor, inode uint32, server net.Conn) {
		say()
		for lines.Scan() {
			if n, _ := fmt.Sscanf(lines.Text(), "peek at %d %d", &o.FD, &inode); n == 2 {
				o.PID = cmd.Process.Pid
				break
			}
		}
		server, err := l.Accept()
		require.NoError(t, err)
		t.Cleanup(func() { server.Close() })
		return o, inode, server
	}, say
}

// busyLoops takes every processor away from those who share it with them.
func busyLoops(t *testing.T, n int) {
	for range n {
		cmd := exec.Command("/bin/sh", "-c", "while :; do :; done")
		testkit.Start(t, cmd)
	}
}

// The worst that can happen to a program that borrows a socket is that it stops
// while it has it. The other process's FIN leaves within 100 ms all the same, also
// where others want the processors. That is shown four times; in between a round may
// take longer, up to two seconds: then the killed child had to wait for a processor.
func TestAStoppedPeekerDelaysNoFIN(t *testing.T) {
	needPidfd(t)
	const enough, most = 4, 21
	for _, loops := range []int{0, 2} {
		t.Run(fmt.Sprintf("beside %d busy loops", loops), func(t *testing.T) {
			open, shut := closer(t)
			busyLoops(t, loops)
			var took []time.Duration
			for quick := 0; quick < enough; {
				require.Less(t, len(took), most, "%v", took)
				o, inode, server := open()
				var p peek.Peeker
				require.NoError(t, p.StopChildren(1))
				done := make(chan error)
				go func() {
					_, err := settings(&p, o, inode)
					done <- err
				}()
				testkit.Until(t, "the child holds the socket", p.ChildStopped)
				began := time.Now()
				shut()
				require.NoError(t, server.SetReadDeadline(began.Add(2*time.Second)))
				_, err := server.Read(make([]byte, 1))
				waited := time.Since(began)
				require.ErrorIs(t, err, io.EOF)
				if took = append(took, waited); waited <= 100*time.Millisecond {
					quick++
				}
				if err := <-done; err != nil { // asked once more, it was closed
					assert.ErrorIs(t, err, fs.ErrNotExist)
				}
				p.Close()
			}
			t.Log(took)
		})
	}
}

// Nothing of the program's is in the child: no descriptor, so that what the program
// closes meanwhile is closed; no signal reaches it; and nothing of it is left. It lives
// for 50 ms, so that a busy machine may need several children until one was seen whole.
func TestAPeekersChildHasNothingOfTheProgram(t *testing.T) {
	needPidfd(t)
	o, inode, _ := startPeeked(t, "plain")
	for range 50 {
		var p peek.Peeker
		require.NoError(t, p.StopChildren(1))
		done := make(chan error)
		go func() {
			_, err := settings(&p, o, inode)
			done <- err
		}()
		testkit.Until(t, "the child holds the socket", p.ChildStopped)
		child := 0
		for _, pid := range childrenOfThisProcess(t) {
			if pid != o.PID {
				child = pid
			}
		}
		fds, fdsErr := os.ReadDir(fmt.Sprintf("/proc/%d/fd", child))
		status, statusErr := os.ReadFile(fmt.Sprintf("/proc/%d/status", child))
		require.NoError(t, <-done)
		p.Close()
		assert.NotContains(t, childrenOfThisProcess(t), child, "nobody has to wait for it")
		alive := regexp.MustCompile(`(?m)^State:\s[^ZX]`).Match(status)
		if child == 0 || fdsErr != nil || statusErr != nil || len(fds) == 0 || !alive {
			continue // too late
		}
		assert.LessOrEqual(t, len(fds), 2, "the process, and the socket")
		// All but SIGKILL and SIGSTOP, which nobody can block.
		assert.Regexp(t, `(?m)^SigBlk:\s+f*fffffffffffbfeff$`, string(status))
		return
	}
	t.Fatal("no child was seen")
}

// A child that was killed is begun again, five times at most.
func TestAPeekersChildIsKilledSomeTimes(t *testing.T) {
	needPidfd(t)
	o, inode, _ := startPeeked(t, "plain")
	var p peek.Peeker
	defer p.Close()
	require.NoError(t, p.StopChildren(5))
	_, err := settings(&p, o, inode)
	require.ErrorContains(t, err, "killed 5 times")
	assert.True(t, p.ChildStopped(), "so many there were")
	_, err = settings(&p, o, inode)
	require.NoError(t, err)
}

// What kills a child at once is no lack of time, and is named.
func TestAPeekersChildThatASandboxKills(t *testing.T) {
	needPidfd(t)
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("the filter is for amd64 and arm64")
	}
	if !testkit.InChild(t, nil) {
		return
	}
	o, inode, _ := startPeeked(t, "plain")
	testkit.KillCall(t, unix.SYS_PIDFD_GETFD)
	var p peek.Peeker
	defer p.Close()
	_, err := settings(&p, o, inode)
	assert.ErrorContains(t, err, "the child was ended by SIGSYS")
}

// A table that asks for more than a child has room for would be a table of which the
// rest is never read.
func TestPeekersHaveRoomForEveryTable(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, table := range platform.Tables() {
		if table.GOOS != "linux" && table.GOOS != "android" {
			continue
		}
		seen++
		n, err := peek.QuestionsOf(kernel.RulesOf(table))
		assert.NoError(t, err)
		assert.NotZero(t, n)
	}
	assert.NotZero(t, seen)
	large := *kernel.Current()
	large.Specs = nil
	for i := range 20 {
		spec := platform.Current().Specs[0]
		spec.Number = 1000 + i
		large.Specs = append(large.Specs, spec)
	}
	_, err := peek.QuestionsOf(&large)
	assert.ErrorContains(t, err, "there is room for 10")
}

func childrenOfThisProcess(t *testing.T) (pids []int) {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	require.NoError(t, err)
	for _, task := range tasks {
		list, _ := os.ReadFile("/proc/self/task/" + task.Name() + "/children")
		for _, f := range strings.Fields(string(list)) {
			var pid int
			fmt.Sscan(f, &pid)
			pids = append(pids, pid)
		}
	}
	return pids
}

// Many peeks, of two processes, with some that fail, take few children; a program
// that does much else meanwhile does not disturb them.
func TestManyPeeks(t *testing.T) {
	needPidfd(t)
	first, firstInode, _ := startPeeked(t, "plain")
	second, secondInode, _ := startPeeked(t, "plain")
	stop := make(chan struct{})
	defer close(stop)
	for range 4 {
		go func() { // garbage, goroutines, and stacks that grow
			for {
				select {
				case <-stop:
					return
				default:
					_ = fmt.Sprint(make([]byte, 1<<16)[:100])
				}
			}
		}()
	}
	var peeks []peek.Peek
	for i := range 5000 {
		switch i % 4 {
		case 0:
			peeks = append(peeks, peek.Peek{From: []peek.Descriptor{first}, Inode: firstInode})
		case 1:
			peeks = append(peeks, peek.Peek{From: []peek.Descriptor{second}, Inode: secondInode})
		case 2:
			peeks = append(peeks, peek.Peek{From: []peek.Descriptor{second}, Inode: 1})
		case 3:
			peeks = append(peeks, peek.Peek{From: []peek.Descriptor{{PID: 1 << 30}}, Inode: 1})
		}
	}
	var p peek.Peeker
	defer p.Close()
	p.Read(peeks)
	for i, q := range peeks {
		switch i % 4 {
		case 2:
			require.ErrorIs(t, q.Err, peek.ErrChanged)
		case 3:
			require.ErrorIs(t, q.Err, fs.ErrNotExist)
		default:
			require.NoError(t, q.Err)
			require.Equal(t, 1234*time.Second, q.Settings.Idle)
		}
	}
}
