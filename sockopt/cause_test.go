package sockopt_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/sockopt"
)

// op is an error as package net makes them.
func op(name string, err error) error { return &net.OpError{Op: name, Net: "tcp", Err: err} }

func TestCauseOf(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		rule string
		err  error
		want sockopt.Cause
	}{
		{"nil", nil, sockopt.NoError},
		{"anything else", errors.New("x"), sockopt.OtherCause},
		{"an OpError without a reason", op("read", nil), sockopt.OtherCause},
		{"a pinned connection", sockopt.ErrPinned, sockopt.OtherCause},
		{"a deadline", os.ErrDeadlineExceeded, sockopt.Deadline},
		{"a read deadline", op("read", os.ErrDeadlineExceeded), sockopt.Deadline},
		{"a deadline through net/http", &url.Error{Op: "Get", URL: "http://x", Err: op("read", os.ErrDeadlineExceeded)}, sockopt.Deadline},
		{"a context's deadline", context.DeadlineExceeded, sockopt.Deadline},
		{"a context's deadline through net/http", &url.Error{Op: "Get", URL: "http://x", Err: context.DeadlineExceeded}, sockopt.Deadline},
		{"a cancelled context", fmt.Errorf("query: %w", context.Canceled), sockopt.Closed},
		{"closed here", op("read", net.ErrClosed), sockopt.Closed},
		{"a pipe closed here", io.ErrClosedPipe, sockopt.Closed},
		{"the end", io.EOF, sockopt.EndOfStream},
		{"the end in the middle of a message", fmt.Errorf("frame: %w", io.ErrUnexpectedEOF), sockopt.EndOfStream},
		{"a dial that timed out", op("dial", os.ErrDeadlineExceeded), sockopt.DialFailed},
		{"a dial whose context ended", op("dial", context.DeadlineExceeded), sockopt.DialFailed},
		{"a dial that was cancelled", op("dial", context.Canceled), sockopt.DialFailed},
		{"a dial to an unknown name", op("dial", &net.DNSError{Err: "no such host", Name: "x", IsNotFound: true}), sockopt.DialFailed},
		{"a dial to a proxy", &url.Error{Op: "Get", URL: "http://x", Err: op("proxyconnect", op("dial", context.Canceled))}, sockopt.DialFailed},
		{"a dial among several errors", errors.Join(errors.New("x"), op("dial", io.EOF)), sockopt.DialFailed},
		{"a deadline among several errors", errors.Join(errors.New("x"), op("read", os.ErrDeadlineExceeded)), sockopt.Deadline},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, sockopt.CauseOf(tt.err))
			if tt.err != nil {
				assert.Equal(t, tt.want, sockopt.CauseOf(fmt.Errorf("a: %w", fmt.Errorf("b: %w", tt.err))), "wrapped")
			}
		})
	}
}

func TestCauseString(t *testing.T) {
	t.Parallel()
	for cause, want := range map[sockopt.Cause]string{
		sockopt.NoError: "no error", sockopt.OtherCause: "other", sockopt.PeerTimeout: "peer timeout", sockopt.Reset: "reset",
		sockopt.EndOfStream: "end of stream", sockopt.Closed: "closed", sockopt.Deadline: "deadline",
		sockopt.DialFailed: "dial failed", 200: "Cause(200)",
	} {
		assert.Equal(t, want, cause.String())
	}
}

// Source: winsock2.h, winerror.h.
func TestWindowsCause(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		code uintptr
		want sockopt.Cause
	}{
		{"WSAETIMEDOUT", 10060, sockopt.PeerTimeout},
		{"WSAENETRESET", 10052, sockopt.PeerTimeout},
		{"WSAENETUNREACH", 10051, sockopt.PeerTimeout},
		{"WSAEHOSTUNREACH", 10065, sockopt.PeerTimeout},
		{"ERROR_SEM_TIMEOUT", 121, sockopt.PeerTimeout},
		{"WSAECONNRESET", 10054, sockopt.Reset},
		{"WSAECONNABORTED", 10053, sockopt.Reset},
		{"ERROR_NETNAME_DELETED", 64, sockopt.Reset},
		{"WSAEINVAL", 10022, sockopt.OtherCause},
		{"WSAECONNREFUSED", 10061, sockopt.OtherCause},
		{"WSAENOPROTOOPT", 10042, sockopt.OtherCause},
		{"no code", 0, sockopt.OtherCause},
	} {
		assert.Equal(t, tt.want, sockopt.WinsockCause(tt.code), tt.name)
	}
}
