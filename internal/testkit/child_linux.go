package testkit

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// childOf is set to the name of the test in processes that InChild started.
const childOf = "KEEPALIVE_TEST_CHILD_OF"

// IsChild reports whether this is the child process of InChild for this test.
func IsChild(t *testing.T) bool { return os.Getenv(childOf) == t.Name() }

// InChild returns true in a child process, which runs only the calling test. In
// the parent it starts that child after calling prepare, fails the test if the
// child fails, and returns false.
func InChild(t *testing.T, prepare func(*exec.Cmd)) bool {
	t.Helper()
	if IsChild(t) {
		return true
	}
	cmd := childFor(t)
	if prepare != nil {
		prepare(cmd)
	}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	Need(t, !strings.Contains(string(out), "--- SKIP: "+t.Name()+" ("), "the child lacks something:\n"+string(out))
	require.Contains(t, string(out), "PASS: "+t.Name(), "the child ran no test")
	return false
}

// childFor returns a command that runs this program for this test only.
func childFor(t *testing.T) *exec.Cmd {
	var parts []string
	for part := range strings.SplitSeq(t.Name(), "/") {
		parts = append(parts, "^"+part+"$")
	}
	// os.Args[0] may be in a directory that other users may not enter.
	cmd := exec.Command("/proc/self/exe", "-test.run="+strings.Join(parts, "/"), "-test.count=1", "-test.v")
	cmd.Env = append(os.Environ(), childOf+"="+t.Name())
	return cmd
}

// InChildAsNobody is InChild with a child that has no privileges.
func InChildAsNobody(t *testing.T) bool {
	t.Helper()
	if IsChild(t) {
		return true
	}
	Root(t)
	return InChild(t, func(cmd *exec.Cmd) {
		const nobody = 65534
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		cmd.Dir = "/"
	})
}

// InChildWithoutNetlink is InChild with a child in which socket(AF_NETLINK)
// fails with EPERM, because of a seccomp filter like those of containers.
func InChildWithoutNetlink(t *testing.T) bool {
	t.Helper()
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("the filter is for amd64 and arm64")
	}
	if !InChild(t, nil) {
		return false
	}
	denyNetlink(t)
	return true
}

func denyNetlink(t *testing.T) {
	t.Helper()
	installFilter(t,
		unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the system call
		unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_SOCKET, Jf: 3},
		unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 16}, // its first argument
		unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.AF_NETLINK, Jf: 1},
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	)
	_, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_SOCK_DIAG)
	require.ErrorIs(t, err, unix.EPERM)
}

// FailCall makes a system call fail from now on in all threads of this process. It cannot
// be undone, so it is for a child of InChild.
func FailCall(t *testing.T, number uint32, errno unix.Errno) {
	t.Helper()
	filterCall(t, number, unix.SECCOMP_RET_ERRNO|uint32(errno))
}

// KillCall makes a system call end the process with SIGSYS. It cannot be undone either.
func KillCall(t *testing.T, number uint32) {
	t.Helper()
	filterCall(t, number, unix.SECCOMP_RET_KILL_PROCESS)
}

func filterCall(t *testing.T, number, action uint32) {
	t.Helper()
	installFilter(t,
		unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0},
		unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: number, Jf: 1},
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: action},
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	)
}

// WithSpareDescriptors calls f n times: while this process cannot open any more
// descriptors, while it can open one more, and so on. The limit stays, so it is for a
// child of InChild.
func WithSpareDescriptors(t *testing.T, n int, f func(spare int)) {
	t.Helper()
	next, err := unix.Dup(0) // all lower numbers are in use
	require.NoError(t, err)
	require.NoError(t, unix.Close(next))
	for spare := range n {
		require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(next + spare), Max: 1024}))
		f(spare)
	}
}

func installFilter(t *testing.T, filter ...unix.SockFilter) {
	t.Helper()
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	require.NoError(t, unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	Need(t, errno == 0, "needs seccomp filters: "+errno.Error())
}

// HideProc mounts an empty file system over /proc in a new mount namespace that
// only this thread and its children see. The thread stays locked.
func HideProc(t *testing.T) {
	t.Helper()
	Root(t)
	runtime.LockOSThread()
	require.NoError(t, unix.Unshare(unix.CLONE_NEWNS))
	require.NoError(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	err := unix.Mount("none", "/proc", "tmpfs", 0, "")
	Need(t, err == nil, "needs to mount a tmpfs")
}
