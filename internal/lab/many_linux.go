package lab

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// ownUser is the environment variable that is set in processes that Main started.
const ownUser = "KEEPALIVE_TEST_USER_NAMESPACE"

// whyNoUser is the reason why Main started no such process.
var whyNoUser error

// Main is a TestMain for tests that spend most of their time waiting for timers: it lets
// many run in parallel. If the kernel permits it, Main runs the tests of an ordinary user
// in a user namespace, in which that user is root and can create networks.
func Main(m *testing.M) {
	flag.Parse()
	AtATime(ManyAtATime)
	if os.Geteuid() != 0 {
		code, err := inUserNamespace()
		if err == nil {
			os.Exit(code)
		}
		whyNoUser = err
	}
	os.Exit(m.Run())
}

// RunManyAtATime is a TestMain for packages in which some tests wait for timers: it lets
// more tests run in parallel.
func RunManyAtATime(m *testing.M) {
	flag.Parse()
	AtATime(ManyAtATime)
	os.Exit(m.Run())
}

// ManyAtATime is how many tests run in parallel where most of them wait.
const ManyAtATime = 64

// AtATime lets so many tests run in parallel, however few processors there are. The flags
// must have been parsed.
func AtATime(n int) {
	if slices.ContainsFunc(os.Args, func(arg string) bool { return strings.HasPrefix(arg, "-test.parallel") }) {
		return // as somebody asked for, such as the fuzzer
	}
	if err := flag.Set("test.parallel", strconv.Itoa(n)); err != nil {
		panic(err)
	}
}

// InUserNamespace reports whether this user is root only in a user namespace.
func InUserNamespace() bool { return os.Getenv(ownUser) != "" }

// inUserNamespace runs this program in a user namespace and returns its exit
// code.
func inUserNamespace() (code int, err error) {
	runtime.LockOSThread() // Pdeathsig is sent when this thread ends
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

// needRoot skips a test that may not create a network.
func needRoot(t testing.TB) {
	t.Helper()
	why := "needs root"
	if whyNoUser != nil {
		why += fmt.Sprintf(", or a user namespace: %v", whyNoUser)
	}
	testkit.Need(t, os.Geteuid() == 0, why)
}
