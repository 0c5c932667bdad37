package dialer_test

import (
	"errors"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/dialer"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// withoutOption is v as a Multipath TCP socket reads: the user timeout does not
// exist there.
func withoutOption(v testkit.Values) testkit.Values {
	v.UserTimeout = -1
	return v
}

func TestMultipath(t *testing.T) {
	t.Parallel()
	testkit.NeedMultipath(t)
	off := askedEarly
	off.UserTimeout = sockopt.NoUserTimeout
	disabled := sockopt.Config{Disabled: true}
	for rule, row := range map[string]struct {
		multipathListener bool
		config            sockopt.Config
		before            bool // UserTimeoutBeforeConnect
		withoutReadBack   bool
		refused           bool
		want              testkit.Values
	}{
		"everything but a user timeout works":       {multipathListener: true, config: askedEarly, want: withoutOption(askedValues)},
		"without read-back as well":                 {multipathListener: true, config: askedEarly, withoutReadBack: true, want: withoutOption(askedValues)},
		"nothing asked: on, the rest as the system": {multipathListener: true, config: sockopt.Config{}, want: withoutOption(testkit.SwitchedOn())},
		"Disabled":                   {multipathListener: true, config: disabled, want: withoutOption(testkit.Untouched())},
		"a user timeout is an error": {multipathListener: true, config: asked, refused: true},
		"a user timeout is one without read-back too":  {multipathListener: true, config: asked, withoutReadBack: true, refused: true},
		"NoUserTimeout is what it has anyway":          {multipathListener: true, config: off, want: withoutOption(askedValues)},
		"NoUserTimeout before connect is so too":       {multipathListener: true, config: off, before: true, want: withoutOption(askedValues)},
		"before connect without a user timeout":        {multipathListener: true, config: askedEarly, before: true, want: withoutOption(askedValues)},
		"a plain listener gets every option":           {config: asked, want: askedValues},
		"a plain listener, NoUserTimeout":              {config: off, want: testkit.NoUserTimeout(askedValues)},
		"a plain listener, NoUserTimeout, before":      {config: off, before: true, want: testkit.NoUserTimeout(askedValues)},
		"a plain listener, nothing but a user timeout": {config: sockopt.Config{UserTimeout: 7 * time.Second}, want: testkit.Make(1, testkit.Untouched().Idle, testkit.Untouched().Interval, testkit.Untouched().Count, 7000)},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			l := serve(t, "tcp4", "127.0.0.1:0", row.multipathListener)
			d := dialer.Dialer{Config: row.config, MultipathTCP: true, UserTimeoutBeforeConnect: row.before, WithoutReadBack: row.withoutReadBack}
			require.NoError(t, d.Check())
			c, err := d.Dial("tcp", l.Addr().String())
			if row.refused {
				require.ErrorContains(t, err, "setsockopt TCP_USER_TIMEOUT=44444")
				require.ErrorIs(t, err, errors.ErrUnsupported)
				assert.NotContains(t, err.Error(), "TCP_KEEP", "the other options worked")
				assert.Nil(t, c)
				return
			}
			require.NoError(t, err)
			testkit.Closing(t, c)
			multipath, err := c.(*net.TCPConn).MultipathTCP()
			require.NoError(t, err)
			assert.Equal(t, row.multipathListener, multipath)
			assert.Equal(t, row.want, testkit.ReadAny(t, c))
		})
	}
}

// Multipath TCP is asked for in one way, as of a listener: a Base that asks for it,
// itself or by GODEBUG=multipathtcp=1, changes nothing.
func TestMultipathIsNotTakenFromBase(t *testing.T) {
	t.Parallel()
	testkit.NeedMultipath(t)
	d := dialer.Dialer{Config: asked}
	d.Base.SetMultipathTCP(true)
	c, err := d.Dial("tcp", serve(t, "tcp4", "127.0.0.1:0", true).Addr().String())
	require.NoError(t, err)
	testkit.Closing(t, c)
	multipath, err := c.(*net.TCPConn).MultipathTCP()
	require.NoError(t, err)
	assert.False(t, multipath)
	assert.Equal(t, askedValues, testkit.ReadAny(t, c))
	assert.True(t, d.Base.MultipathTCP(), "Base stays as it was")
}

// Where it becomes plain TCP, a user timeout that is to be off is off, also one that
// the user's hook has set (and on whose error Go fell back).
func TestMultipathFallbackHasNoUserTimeout(t *testing.T) {
	t.Parallel()
	testkit.NeedMultipath(t)
	d := dialer.Dialer{Base: net.Dialer{Control: setAsked}, Config: sockopt.Config{UserTimeout: sockopt.NoUserTimeout}, MultipathTCP: true}
	c, err := d.Dial("tcp", serve(t, "tcp4", "127.0.0.1:0", true).Addr().String())
	require.NoError(t, err)
	assert.Equal(t, testkit.NoUserTimeout(askedValues), testkit.ReadAny(t, testkit.Closing(t, c)))
}
