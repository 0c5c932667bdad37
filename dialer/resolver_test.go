package dialer_test

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
)

// resolver answers every question with ::1 and 127.0.0.1, from a DNS server of
// the test.
func resolver(t testing.TB) *net.Resolver {
	t.Helper()
	testkit.NeedUDP(t)
	server, err := net.ListenPacket("udp4", "127.0.0.1:0")
	require.NoError(t, err)
	var wg sync.WaitGroup
	wg.Go(func() {
		query := make([]byte, 1500)
		for {
			n, from, err := server.ReadFrom(query)
			if err != nil {
				return
			}
			if answer := answerDNS(query[:n]); answer != nil {
				server.WriteTo(answer, from)
			}
		}
	})
	t.Cleanup(func() {
		server.Close()
		wg.Wait()
	})
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp4", server.LocalAddr().String())
	}}
}

// answerDNS answers one question (RFC 1035, 4.1).
func answerDNS(query []byte) []byte {
	const header = 12
	end := header
	for end < len(query) && query[end] != 0 {
		end += int(query[end]) + 1
	}
	end += 5 // the root label, type and class
	if end > len(query) {
		return nil
	}
	answer := append([]byte(nil), query[:end]...)
	answer[2], answer[3] = 0x84|query[2]&1, 0x80 // an authoritative answer, recursion available
	clear(answer[6:header])
	var address []byte
	kind := binary.BigEndian.Uint16(query[end-4:])
	switch kind {
	case 1:
		address = []byte{127, 0, 0, 1}
	case 28:
		address = []byte{15: 1}
	default:
		return answer
	}
	answer[7] = 1
	answer = append(answer, 0xc0, header) // the name is that of the question
	answer = binary.BigEndian.AppendUint16(answer, kind)
	answer = append(answer, 0, 1, 0, 0, 0, 60)
	answer = binary.BigEndian.AppendUint16(answer, uint16(len(address)))
	return append(answer, address...)
}

func portOf(l net.Listener) string {
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// What the hook refuses on one address must not keep the other from working.
func TestOneAddressRefusedByTheUsersHook(t *testing.T) {
	t.Parallel()
	testkit.NeedOptions(t)
	l := loopback(t)
	d := dialer.Dialer{Config: asked, Base: net.Dialer{
		Resolver: resolver(t),
		Control: func(network, _ string, _ syscall.RawConn) error {
			if network == "tcp6" {
				return errors.New("no IPv6 here")
			}
			return nil
		},
	}}
	c, err := d.Dial("tcp", net.JoinHostPort("both.test.", portOf(l)))
	require.NoError(t, err)
	assert.Equal(t, askedValues, testkit.ReadAny(t, testkit.Closing(t, c)))
}
