package transport_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/transport"
)

func TestStandardIsAClone(t *testing.T) {
	t.Parallel()
	d := new(dialer.Dialer)
	first, second := transport.Standard(d), transport.Standard(d)
	assert.NotSame(t, first, second)
	standard := http.DefaultTransport.(*http.Transport)
	assert.Equal(t, standard.MaxIdleConns, first.MaxIdleConns)
	assert.Equal(t, standard.IdleConnTimeout, first.IdleConnTimeout)
	assert.Equal(t, standard.TLSHandshakeTimeout, first.TLSHandshakeTimeout)
	assert.NotNil(t, first.Proxy)
	assert.True(t, first.ForceAttemptHTTP2)
	first.MaxIdleConns = 1
	assert.NotEqual(t, 1, standard.MaxIdleConns)
}
