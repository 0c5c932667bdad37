package clitest

import (
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// TellChild sets an environment variable for the children of testkit.InChild, until the
// test ends. T.Setenv refuses tests that run beside others, which read it too: the name
// is one that no other test knows.
func TellChild(t *testing.T, name, value string) {
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

// Measures is T.Parallel for a test whose servers, in this process, have to be in time:
// nothing that is InTurn begins before it ends, or before done is called.
func Measures(t *testing.T) (done func()) {
	t.Helper()
	measuring.Add(1)
	done = sync.OnceFunc(measuring.Done)
	t.Cleanup(done)
	t.Parallel() // goes on when every test has come this far
	return done
}

// InTurn is T.Parallel for a test that would keep others from running in time.
func InTurn(t *testing.T) {
	t.Helper()
	t.Parallel()
	measuring.Wait()
	turns <- struct{}{}
	t.Cleanup(func() { <-turns })
}
