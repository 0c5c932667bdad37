package inspect_test

import (
	"net"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// A list of another namespace has the sockets of that namespace and none of this one, by
// sock_diag and by /proc, and the caller stays in its own namespace.
func TestListOfAnotherNamespace(t *testing.T) {
	testkit.Root(t)
	t.Run("sock_diag", func(t *testing.T) { testListOfAnother(t, "sock_diag") })
	t.Run("proc", func(t *testing.T) {
		if testkit.InChildWithoutNetlink(t) {
			testListOfAnother(t, "/proc/net/tcp")
		}
	})
}

func testListOfAnother(t *testing.T, source string) {
	var file *os.File
	var there net.Listener
	testkit.InNamespace(t, func() {
		var err error
		file, err = os.Open("/proc/thread-self/ns/net")
		require.NoError(t, err)
		there, err = net.Listen("tcp4", ":0")
		require.NoError(t, err)
	})
	defer file.Close()
	defer there.Close()
	here, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer here.Close()
	before, err := os.Readlink("/proc/self/ns/net")
	require.NoError(t, err)
	addresses := func(file *os.File) (found []string) {
		for s, err := range inspect.List(inspect.Filter{States: []inspect.State{inspect.Listen}, Namespace: file}) {
			require.NoError(t, err)
			assert.Equal(t, source, s.Source)
			found = append(found, s.Local.String())
		}
		return found
	}
	assert.Equal(t, []string{there.Addr().String()}, addresses(file))
	assert.Contains(t, addresses(nil), here.Addr().String())
	after, err := os.Readlink("/proc/self/ns/net")
	require.NoError(t, err)
	assert.Equal(t, before, after)
}

func TestListOfWhatIsNoNamespace(t *testing.T) {
	t.Parallel()
	file, err := os.Open("/dev/null")
	require.NoError(t, err)
	defer file.Close()
	for s, err := range inspect.List(inspect.Filter{Namespace: file}) {
		require.Nil(t, s)
		require.ErrorContains(t, err, "/dev/null")
	}
}
