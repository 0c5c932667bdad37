package netlab

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"github.com/tcpkeepalive/keepalive/internal/testenv"
)

// ownUser is set in processes that Main started.
const ownUser = "KEEPALIVE_TEST_USER_NAMESPACE"

// whyNoUser is why Main started none.
var whyNoUser error

// Main is a TestMain for tests that wait for timers, nearly all of their time: it lets
// many run at a time. Other users than root make networks too with it: it runs the
// tests in a user namespace, in which this user is root, where the kernel lets it.
func Main(m *testing.M) {
	flag.Parse()
	ManyAtATime()
	if os.Geteuid() != 0 {
		code, err := inUserNamespace()
		if err == nil {
			os.Exit(code)
		}
		whyNoUser = err
	}
	os.Exit(m.Run())
}

// RunManyAtATime is a TestMain for tests of which some wait for timers: it lets more
// run at a time.
func RunManyAtATime(m *testing.M) {
	flag.Parse()
	ManyAtATime()
	os.Exit(m.Run())
}

// ManyAtATime lets more parallel tests run than there are processors. The flags have to
// be parsed.
func ManyAtATime() {
	if err := flag.Set("test.parallel", "64"); err != nil {
		panic(err)
	}
}

// InUserNamespace tells whether this user is root only there.
func InUserNamespace() bool { return os.Getenv(ownUser) != "" }

// inUserNamespace runs this program in one and returns its exit code.
func inUserNamespace() (code int, err error) {
	runtime.LockOSThread() // whose death Pdeathsig is about
	c := exec.Command("/proc/self/exe", os.Args[1:]...)
	c.Env = append(os.Environ(), ownUser+"=1")
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	if err := c.Start(); err != nil {
		return 0, err
	}
	c.Wait()
	return c.ProcessState.ExitCode(), nil
}

// needRoot skips a test that may not make a network.
func needRoot(t testing.TB) {
	t.Helper()
	why := "needs root"
	if whyNoUser != nil {
		why += fmt.Sprintf(", or a user namespace: %v", whyNoUser)
	}
	testenv.Need(t, os.Geteuid() == 0, why)
}
