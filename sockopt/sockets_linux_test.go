package sockopt_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// untouched are values that no test asks for and no system has by default.
var untouched = testkit.Values{KeepAlive: 0, Idle: 4711, Interval: 4712, Count: 47, UserTimeout: 471300}

// preset gives the socket the values of v with plain system calls. A user
// timeout of -1 is left out, as Multipath TCP has none.
func preset(t testing.TB, c syscall.Conn, v testkit.Values) {
	t.Helper()
	rc, err := c.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, rc.Control(func(fd uintptr) {
		set := func(level, option, value int) {
			require.NoError(t, unix.SetsockoptInt(int(fd), level, option, value))
		}
		set(unix.SOL_SOCKET, unix.SO_KEEPALIVE, v.KeepAlive)
		set(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, v.Idle)
		set(unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, v.Interval)
		set(unix.IPPROTO_TCP, unix.TCP_KEEPCNT, v.Count)
		if v.UserTimeout >= 0 {
			set(unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, v.UserTimeout)
		}
	}))
	require.Equal(t, v, testkit.Read(t, c))
}

func intOption(t testing.TB, c syscall.Conn, level, option int) (value int) {
	t.Helper()
	rc, err := c.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, rc.Control(func(fd uintptr) {
		value, err = unix.GetsockoptInt(int(fd), level, option)
	}))
	require.NoError(t, err)
	return value
}

// families are the kinds of plain TCP sockets; each function returns both ends.
var families = []struct {
	name string
	pair func(testing.TB) (client, server *net.TCPConn)
}{
	{"IPv4", func(t testing.TB) (client, server *net.TCPConn) { return testkit.Pair(t, "tcp4", "127.0.0.1:0") }},
	{"IPv6", func(t testing.TB) (client, server *net.TCPConn) {
		needIPv6(t)
		return testkit.Pair(t, "tcp6", "[::1]:0")
	}},
	{"IPv4-mapped", mappedPair},
}

func needIPv6(t testing.TB) {
	t.Helper()
	l, err := net.Listen("tcp6", "[::1]:0")
	if err == nil {
		l.Close()
	}
	testkit.Need(t, err == nil, "needs IPv6 on the loopback interface")
}

// mappedPair returns a connection over IPv4 whose accepted end is a dual-stack
// IPv6 socket.
func mappedPair(t testing.TB) (client, server *net.TCPConn) {
	t.Helper()
	needIPv6(t)
	client, server = pairOf(t, "[::]:0", "tcp4", false)
	require.Equal(t, unix.AF_INET, intOption(t, client, unix.SOL_SOCKET, unix.SO_DOMAIN))
	require.Equal(t, unix.AF_INET6, intOption(t, server, unix.SOL_SOCKET, unix.SO_DOMAIN))
	return client, server
}

// multipathPair returns both ends of a Multipath TCP connection.
func multipathPair(t testing.TB) (client, server *net.TCPConn) {
	t.Helper()
	client, server = pairOf(t, "127.0.0.1:0", "tcp4", true)
	for _, c := range []*net.TCPConn{client, server} {
		is, err := c.MultipathTCP()
		testkit.Need(t, err == nil && is, "needs Multipath TCP (net.mptcp.enabled=1)")
	}
	return client, server
}

func pairOf(t testing.TB, listenOn, dialNetwork string, multipath bool) (client, server *net.TCPConn) {
	t.Helper()
	lc := net.ListenConfig{KeepAlive: -1}
	lc.SetMultipathTCP(multipath)
	l, err := lc.Listen(context.Background(), "tcp", listenOn)
	require.NoError(t, err)
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	d := net.Dialer{KeepAlive: -1}
	d.SetMultipathTCP(multipath)
	c, err := d.Dial(dialNetwork, net.JoinHostPort("127.0.0.1", port))
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn), testkit.Accept(t, l, c).(*net.TCPConn)
}

// tlsPair puts TLS on both ends of a connection and returns the TCP ends too.
func tlsPair(t testing.TB) (client, server *tls.Conn, tcpClient, tcpServer *net.TCPConn) {
	t.Helper()
	tcpClient, tcpServer = testkit.Pair(t, "tcp", "127.0.0.1:0")
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"test"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	server = tls.Server(tcpServer, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	client = tls.Client(tcpClient, &tls.Config{RootCAs: roots, ServerName: "test"})
	handshake := make(chan error, 1)
	go func() { handshake <- server.Handshake() }()
	require.NoError(t, client.Handshake())
	require.NoError(t, <-handshake)
	return client, server, tcpClient, tcpServer
}
