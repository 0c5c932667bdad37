package dialer_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// A Dialer prints as what it asks for.
func TestDialerPrints(t *testing.T) {
	t.Parallel()
	d := &dialer.Dialer{Config: sockopt.Config{Idle: time.Minute, Count: 3}}
	assert.Equal(t, "dialer idle=60s,count=3", fmt.Sprint(d))
	d.Pin = true
	assert.Equal(t, "dialer idle=60s,count=3, pinned", fmt.Sprint(d))
	assert.Equal(t, "dialer on", fmt.Sprint(new(dialer.Dialer)))
}
