package cli

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/internal/lab"
)

// commandName is what this program is called where it is the command, see program.
const commandName = "keepalive"

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == commandName {
		os.Exit(Run(os.Args[1:], os.Stdout, os.Stderr))
	}
	lab.RunManyAtATime(m)
}

// program is the command as a process of its own: this program under that name, since
// linking another takes seconds. The stage demo of .ci/run runs the real one.
func program(t *testing.T) string {
	t.Helper()
	own, err := os.Executable()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), commandName)
	require.NoError(t, os.Symlink(own, path))
	return path
}

// tellChild sets an environment variable for the children of testkit.InChild, until the
// test ends. T.Setenv refuses tests that run beside others, which read it too: the name
// is one that no other test knows.
func tellChild(t *testing.T, name, value string) {
	t.Helper()
	require.NoError(t, os.Setenv(name, value))
	t.Cleanup(func() { os.Unsetenv(name) })
}

// measuring is for the tests that measure how long something here takes, turns for those
// that need processors rather than wait.
var (
	measuring sync.WaitGroup
	turns     = make(chan struct{}, 3)
)

// measures is T.Parallel for a test whose servers, in this process, have to be in time:
// nothing that is inTurn begins before it ends, or before done is called.
func measures(t *testing.T) (done func()) {
	t.Helper()
	measuring.Add(1)
	done = sync.OnceFunc(measuring.Done)
	t.Cleanup(done)
	t.Parallel() // goes on when every test has come this far
	return done
}

// inTurn is T.Parallel for a test that would keep others from running in time.
func inTurn(t *testing.T) {
	t.Helper()
	t.Parallel()
	measuring.Wait()
	turns <- struct{}{}
	t.Cleanup(func() { <-turns })
}
