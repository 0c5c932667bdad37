package inspect_test

import (
	"bufio"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/internal/testkit/freeport"
)

// naiveOwners reads every link below /proc the plain way.
func naiveOwners(t *testing.T, pid int) map[uint32][]int {
	t.Helper()
	found := map[uint32][]int{}
	links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	require.NoError(t, err)
	for _, link := range links {
		to, err := os.Readlink(link)
		var inode uint32
		if _, scanErr := fmt.Sscanf(to, "socket:[%d]", &inode); err != nil || scanErr != nil {
			continue
		}
		fd, err := strconv.Atoi(filepath.Base(link))
		require.NoError(t, err)
		found[inode] = append(found[inode], fd)
	}
	for _, fds := range found { // the last first
		slices.Sort(fds)
		slices.Reverse(fds)
	}
	return found
}

func ownersOf(o *inspect.Owners, inode uint32, pid int) (fds []int) {
	for owner := range o.Of(inode) {
		if owner.PID == pid {
			fds = append(fds, owner.FD)
		}
	}
	return fds
}

// Not parallel: descriptors must not change while they are compared.
func TestOwnersAreThoseThatProcShows(t *testing.T) {
	pid := os.Getpid()
	compare := func(rule string) {
		t.Helper()
		want := naiveOwners(t, pid)
		for _, pids := range [][]int{nil, {pid}} {
			o, err := inspect.FindOwners(pids...)
			require.NoError(t, err)
			for inode, fds := range want {
				assert.True(t, o.Has(inode), rule)
				assert.Equal(t, fds, ownersOf(o, inode, pid), rule)
			}
			assert.False(t, o.Has(0), "0 is no socket")
			assert.Empty(t, ownersOf(o, 0, pid))
		}
	}
	client, _ := testkit.Pair(t, "tcp4", "127.0.0.1:0")
	compare("few")

	// Duplicates behind gaps, and as many that the fast path is taken, with and
	// without something behind the range that it tries.
	rc, err := client.SyscallConn()
	require.NoError(t, err)
	var opened []int
	dup := func(to int) {
		require.NoError(t, rc.Control(func(fd uintptr) { err = unix.Dup3(int(fd), to, unix.O_CLOEXEC) }))
		require.NoError(t, err)
		opened = append(opened, to)
	}
	t.Cleanup(func() {
		for _, fd := range opened {
			unix.Close(fd)
		}
	})
	for fd := 200; fd < 800; fd++ {
		dup(fd)
	}
	compare("600 behind a gap")
	dup(15000)
	compare("one far behind")
	for fd := 800; fd < 4000; fd++ {
		dup(fd)
	}
	compare("several tasks")
	file, err := os.Open("/dev/null")
	require.NoError(t, err)
	defer file.Close()
	compare("files are no sockets")
}

func TestOwnersOfAProcess(t *testing.T) {
	t.Parallel()
	_, err := inspect.FindOwners(1 << 30)
	assert.ErrorIs(t, err, fs.ErrNotExist)
	o, err := inspect.FindOwners(os.Getpid())
	require.NoError(t, err)
	processes, descriptors := o.Denied()
	assert.Zero(t, processes)
	assert.Zero(t, descriptors)
}

func TestOwnersForNobody(t *testing.T) {
	t.Parallel()
	if !testkit.InChildAsNobody(t) {
		return
	}
	client, _ := testkit.Pair(t, "tcp4", "127.0.0.1:0")
	o, err := inspect.FindOwners()
	require.NoError(t, err)
	assert.NotEmpty(t, ownersOf(o, of(t, client).Inode, os.Getpid()))
	processes, _ := o.Denied()
	assert.NotZero(t, processes, "those of root")
	_, err = inspect.FindOwners(os.Getppid())
	assert.ErrorIs(t, err, fs.ErrPermission)
}

// Processes that end while they are looked at are no error.
func TestOwnersBesideProcessesThatEnd(t *testing.T) {
	t.Parallel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 100 {
			exec.Command("/bin/true").Run()
		}
	}()
	for running := true; running; {
		_, err := inspect.FindOwners()
		require.NoError(t, err)
		select {
		case <-done:
			running = false
		default:
		}
	}
}

// A listener that is inherited has two owners, which ss shows the last first.
func TestOwnersOfAnInheritedListener(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	file, err := l.(*net.TCPListener).File()
	require.NoError(t, err)
	defer file.Close()
	child := exec.Command("/bin/sleep", "60")
	child.ExtraFiles = []*os.File{file}
	require.NoError(t, child.Start())
	defer child.Wait()
	defer child.Process.Kill()
	inode := of(t, l).Inode
	require.Eventually(t, func() bool {
		o, err := inspect.FindOwners()
		require.NoError(t, err)
		owners := slices.Collect(o.Of(inode))
		at := slices.IndexFunc(owners, func(o inspect.Owner) bool { return o.Process == "sleep" })
		if at < 0 {
			return false // not yet started
		}
		assert.Equal(t, inspect.Owner{PID: child.Process.Pid, FD: 3, Process: "sleep"}, owners[at])
		assert.True(t, slices.ContainsFunc(owners, func(o inspect.Owner) bool { return o.PID == os.Getpid() }))
		assert.True(t, slices.IsSortedFunc(owners, func(a, b inspect.Owner) int { return b.PID - a.PID }), "%v", owners)
		return true
	}, 5*time.Second, 10*time.Millisecond)
}

// startServers starts nginx, redis-server and a Go program on free ports.
func startServers(t *testing.T) (ports []int) {
	dir := t.TempDir()
	freePort := func() int {
		port, err := freeport.Find()
		require.NoError(t, err)
		ports = append(ports, port)
		return port
	}
	start := func(name string, arguments ...string) {
		cmd := exec.Command(name, arguments...)
		testkit.Start(t, cmd)
		t.Cleanup(func() {
			cmd.Process.Signal(unix.SIGTERM) // nginx stops its workers
			cmd.Wait()
		})
	}
	conf := filepath.Join(dir, "nginx.conf")
	require.NoError(t, os.WriteFile(conf, fmt.Appendf(nil, `
daemon off; worker_processes 2; pid %[1]s/pid; error_log %[1]s/error.log;
events { worker_connections 64; }
http { access_log off; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  server { listen 127.0.0.1:%[2]d so_keepalive=30m:20s:5; } }`, dir, freePort()), 0o644))
	start(testkit.Tool(t, "nginx"), "-c", conf, "-p", dir)
	start(testkit.Tool(t, "redis-server"), "--port", strconv.Itoa(freePort()), "--bind", "127.0.0.1", "--save", "", "--dir", dir)
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestServerOfOwners$")
	cmd.Env = append(os.Environ(), fmt.Sprintf("KEEPALIVE_TEST_SERVE=127.0.0.1:%d", freePort()))
	testkit.Start(t, cmd)
	return ports
}

// TestServerOfOwners is the Go server of startServers, not a test.
func TestServerOfOwners(t *testing.T) {
	address := os.Getenv("KEEPALIVE_TEST_SERVE")
	if address == "" {
		t.Skip("for other tests")
	}
	l, err := net.Listen("tcp", address)
	require.NoError(t, err)
	for {
		if _, err := l.Accept(); err != nil {
			return
		}
	}
}

var ssOwner = regexp.MustCompile(`\("([^"]*)",pid=(\d+),fd=(\d+)\)`)

// TestOwnersAreThoseOfSS compares with ss -p, as root and as the user nobody, who sees few
// owners.
func TestOwnersAreThoseOfSS(t *testing.T) {
	ss := testkit.Tool(t, "ss")
	var ports []int
	if os.Geteuid() == 0 {
		ports = startServers(t)
		for _, port := range ports {
			var conn net.Conn
			require.Eventually(t, func() (ok bool) {
				var err error
				conn, err = net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
				return err == nil
			}, 10*time.Second, 10*time.Millisecond)
			t.Cleanup(func() { conn.Close() })
		}
		t.Setenv("KEEPALIVE_TEST_PORTS", strings.Trim(fmt.Sprint(ports), "[]"))
	}
	for _, who := range []string{"root", "nobody"} {
		t.Run(who, func(t *testing.T) {
			if who == "root" {
				testkit.Root(t)
			} else if !testkit.InChildAsNobody(t) {
				return
			}
			mine := map[string]bool{}
			for _, port := range strings.Fields(os.Getenv("KEEPALIVE_TEST_PORTS")) {
				mine[port] = true
			}
			want, got := map[string][]string{}, map[string][]string{}
			same := func() bool {
				clear(want)
				clear(got)
				out, err := exec.Command(ss, "-Htnap").Output()
				require.NoError(t, err)
				for lines := bufio.NewScanner(strings.NewReader(string(out))); lines.Scan(); {
					f := strings.Fields(lines.Text())
					if len(f) < 5 { // the rest of another process's name, which may have line breaks
						continue
					}
					if !mine[f[3][strings.LastIndexByte(f[3], ':')+1:]] && !mine[f[4][strings.LastIndexByte(f[4], ':')+1:]] {
						continue
					}
					owners := []string{}
					for _, m := range ssOwner.FindAllStringSubmatch(lines.Text(), -1) {
						owners = append(owners, m[1]+" "+m[2]+" "+m[3])
					}
					want[f[3]+" "+f[4]] = owners
				}
				o, err := inspect.FindOwners()
				require.NoError(t, err)
				for s := range inspect.List(inspect.Filter{States: allStates}) {
					if !mine[fmt.Sprint(s.Local.Port())] && !mine[fmt.Sprint(s.Peer.Port())] {
						continue
					}
					owners := []string{}
					for owner := range o.Of(s.Inode) {
						owners = append(owners, fmt.Sprintf("%s %d %d", owner.Process, owner.PID, owner.FD))
					}
					got[strings.ReplaceAll(s.Local.String()+" "+s.Peer.String()+" ", ":0 ", ":* ")[:]] = owners
				}
				for k, v := range got {
					delete(got, k)
					got[strings.TrimSpace(k)] = v
				}
				return len(want) > 0 && assert.ObjectsAreEqual(want, got)
			}
			if !assert.Eventually(t, same, 10*time.Second, 50*time.Millisecond) { // workers start meanwhile
				assert.Equal(t, want, got)
			}
			processes := map[string]bool{}
			for _, owners := range got {
				for _, o := range owners {
					processes[strings.Fields(o)[0]] = true
				}
			}
			if who == "root" {
				assert.True(t, processes["nginx"] && processes["redis-server"], "%v", processes)
			} else {
				assert.False(t, processes["redis-server"])
			}
		})
	}
}
