package listener_test

import (
	"context"
	"errors"
	"net"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/internal/kernel/kerneltest"
	"github.com/tcpkeepalive/keepalive/internal/socket"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/listener"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// linuxAs is Linux' table with what another system does to listening sockets,
// and what it lets accepted ones inherit.
func linuxAs(t *platform.Table) *kernel.Rules {
	linux := *kernel.Current()
	linux.Title, linux.ArmsListener, linux.ListenerSource = t.Title, t.ArmsListener, t.ListenerSource
	linux.Specs = append([]platform.Spec(nil), linux.Specs...)
	for i := range linux.Specs {
		if s := t.Spec(linux.Specs[i].Option); s != nil {
			linux.Specs[i].Inherited = s.Inherited
		}
	}
	return &linux
}

// A timer on a listening socket ends it on macOS 13 and on NetBSD. On every
// system where setting options there is not known to be harmless, none is set
// before accept, and every connection has them all the same.
func TestNothingIsSetBeforeAcceptWhereItMayEndTheListener(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, tbl := range platform.Tables() {
		for rule, listen := range map[string]func(lc *listener.ListenConfig) (net.Listener, error){
			"Listen": func(lc *listener.ListenConfig) (net.Listener, error) { return lc.Listen(ctx, "tcp4", "127.0.0.1:0") },
			"Wrap": func(lc *listener.ListenConfig) (net.Listener, error) {
				var plain net.ListenConfig
				plain.SetMultipathTCP(false)
				l, err := plain.Listen(ctx, "tcp4", "127.0.0.1:0")
				require.NoError(t, err)
				return lc.Wrap(l)
			},
		} {
			t.Run(tbl.Name+", "+rule, func(t *testing.T) {
				t.Parallel()
				kernel := kerneltest.Running()
				lc := (&listener.ListenConfig{Config: asked, OnError: func(_ net.Conn, err error) { t.Error(err) }}).On(socket.OS{Calls: kernel, Table: linuxAs(tbl)})
				l := opened(t)(listen(lc))
				before := len(kernel.Sets)
				assert.Equal(t, tbl.ArmsListener == platform.No, before > 0, "%d options were set before accept", before)
				if before == 0 {
					assert.Equal(t, testkit.Untouched(), testkit.ReadAny(t, l), "the listening socket is as it was")
				}
				assert.Equal(t, askedValues, testkit.ReadAny(t, accept(t, l, false)))
			})
		}
	}
}

func TestRestoreSetsNothingOnTheListener(t *testing.T) {
	t.Parallel()
	darwin, _ := platform.Lookup("darwin")
	kernel := refusing(isListening, unix.EPERM, platform.Idle, platform.Interval, platform.Count, platform.UserTimeout)
	kernel.FailSet[kerneltest.At{unix.SOL_SOCKET, unix.SO_KEEPALIVE}] = unix.EPERM
	lc := (&listener.ListenConfig{}).On(socket.OS{Calls: kernel, Table: linuxAs(darwin)}) // Restore is a Wrap of an empty Config
	l := opened(t)(lc.Wrap(configured(t, testkit.Make(1, 111, 22, 3, 0))))
	assert.Equal(t, testkit.Make(1, 111, 22, 3, 0), testkit.ReadAny(t, accept(t, l, false)))
}

// A net.ListenConfig has no moment after accept.
func TestConfigureRefusesWhereNothingMayBeSetBeforeAccept(t *testing.T) {
	t.Parallel()
	for _, tbl := range platform.Tables() {
		t.Run(tbl.Name, func(t *testing.T) {
			t.Parallel()
			lc := net.ListenConfig{Control: setAsked, KeepAlive: time.Minute}
			system := linuxAs(tbl)
			err := listener.ConfigureOn(socket.OS{Table: system}, &lc, asked)
			if tbl.ArmsListener == platform.No && system.NotInherited(kernel.SetOf(kernel.Options()...)) == 0 {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, errors.ErrUnsupported)
			assert.ErrorContains(t, err, "use listener.ListenConfig or listener.Wrap")
			if tbl.ArmsListener != platform.No {
				assert.ErrorContains(t, err, kernel.RulesOf(tbl).ListenerHarm())
			}
			assert.Equal(t, time.Minute, lc.KeepAlive, "unchanged")
			assert.Equal(t, reflect.ValueOf(setAsked).Pointer(), reflect.ValueOf(lc.Control).Pointer())
		})
	}
	var lc net.ListenConfig
	assert.ErrorContains(t, listener.ConfigureOn(socket.OS{Table: linuxAs(platform.Tables()[0])}, &lc, sockopt.Config{Count: 1000}), "count=1000 is too large")
}
