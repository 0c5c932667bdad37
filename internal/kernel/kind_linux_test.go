package kernel_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	. "github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

func TestKindOf(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		rule                   string
		domain, kind, protocol int
		want                   Kind
	}{
		{"tcp", unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_TCP, TCP},
		{"tcp by default", unix.AF_INET, unix.SOCK_STREAM, 0, TCP},
		{"tcp over IPv6", unix.AF_INET6, unix.SOCK_STREAM, 0, TCP},
		{"Multipath TCP", unix.AF_INET, unix.SOCK_STREAM, 262, MultipathTCP},
		{"udp", unix.AF_INET, unix.SOCK_DGRAM, 0, NotTCP},
		{"unix stream", unix.AF_UNIX, unix.SOCK_STREAM, 0, NotTCP},
		{"unix datagram", unix.AF_UNIX, unix.SOCK_DGRAM, 0, NotTCP},
		{"raw sockets have protocol 6 as well", unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_TCP, NotTCP},
		{"netlink's protocol 6 is NETLINK_XFRM", unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_XFRM, NotTCP},
	} {
		t.Run(row.rule, func(t *testing.T) {
			t.Parallel()
			fd, err := unix.Socket(row.domain, row.kind|unix.SOCK_CLOEXEC, row.protocol)
			if err != nil {
				testkit.Need(t, false, "needs a socket of that kind: "+err.Error())
			}
			t.Cleanup(func() { unix.Close(fd) })
			got, err := KindOf(System(), uintptr(fd))
			require.NoError(t, err)
			assert.Equal(t, row.want, got)
		})
	}
}

func TestKindOfWhatIsNoSocket(t *testing.T) {
	t.Parallel()
	var pipe [2]int
	require.NoError(t, unix.Pipe2(pipe[:], unix.O_CLOEXEC))
	t.Cleanup(func() { unix.Close(pipe[0]); unix.Close(pipe[1]) })
	kind, err := KindOf(System(), uintptr(pipe[0]))
	require.ErrorIs(t, err, unix.ENOTSOCK)
	assert.ErrorContains(t, err, "getsockopt SO_PROTOCOL: ")
	assert.Equal(t, NotTCP, kind)
}

func TestListens(t *testing.T) {
	t.Parallel()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() { unix.Close(fd) })
	listens, err := Listens(System(), uintptr(fd))
	require.NoError(t, err)
	assert.False(t, listens, "a fresh socket")

	require.NoError(t, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	require.NoError(t, unix.Listen(fd, 1))
	listens, err = Listens(System(), uintptr(fd))
	require.NoError(t, err)
	assert.True(t, listens)

	_, err = Listens(System(), ^uintptr(0))
	assert.ErrorIs(t, err, unix.EBADF)
}
