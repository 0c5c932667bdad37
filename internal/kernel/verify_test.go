package kernel_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/tcpkeepalive/keepalive/internal/kernel"
	. "github.com/tcpkeepalive/keepalive/internal/kernel/kerneltest"
)

func TestVerifyAlone(t *testing.T) {
	t.Parallel()
	p := plan(t, "linux", everything)
	k := fake(t, "linux")
	require.NoError(t, p.Apply(k, 3, nil))
	k.Calls = nil
	require.NoError(t, p.Verify(k, 3))
	assert.Equal(t, []string{"get 0x6 0x5", "get 0x6 0x6", "get 0x6 0x12", "get 0x1 0x9", "get 0x6 0x4"}, k.Calls, "it only reads")

	// Other code, such as package net, sets two options.
	k.Held[linuxIdle], k.Held[linuxInterval] = 15, 15
	err := p.Verify(k, 3)
	require.EqualError(t, err, "TCP_KEEPINTVL: asked for 10, the kernel holds 15; "+
		"TCP_KEEPIDLE: asked for 60, the kernel holds 15")
	var m *MismatchError
	require.ErrorAs(t, err, &m)
	assert.Equal(t, &MismatchError{Option: Interval, Symbol: "TCP_KEEPINTVL", Asked: 10, Got: 15}, m)
	assert.NotErrorIs(t, err, errors.ErrUnsupported)
}

// Kernels, and sandboxes in their place, that say yes and do something else.
func TestKernelsThatLie(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		rule, table string
		request     Request
		change      func(k *Fake)
		want        []string // nil: accepted
		unsupported bool
	}{
		{"success, another value", "linux", everything,
			func(k *Fake) { k.Answer[linuxCount] = 9 },
			[]string{"TCP_KEEPCNT: asked for 3, the kernel holds 9"}, false},
		{"success, nothing stored", "linux", Request{UserTimeout: time.Minute},
			func(k *Fake) { k.Answer[linuxUserTimeout] = 0 },
			[]string{"TCP_USER_TIMEOUT: asked for 60000, the kernel holds 0"}, false},
		{"gVisor: setsockopt of an unknown option succeeds", "linux", everything,
			func(k *Fake) { k.FailGet[linuxUserTimeout] = ENOPROTOOPT },
			[]string{"getsockopt TCP_USER_TIMEOUT: " + ENOPROTOOPT.Error()}, true},
		{"gVisor: all of them", "linux", everything,
			func(k *Fake) {
				for at := range k.Held {
					k.FailGet[at] = ENOPROTOOPT
				}
			},
			[]string{
				"getsockopt TCP_KEEPINTVL: " + ENOPROTOOPT.Error(), "getsockopt TCP_KEEPCNT: " + ENOPROTOOPT.Error(),
				"getsockopt TCP_USER_TIMEOUT: " + ENOPROTOOPT.Error(), "getsockopt SO_KEEPALIVE: " + ENOPROTOOPT.Error(),
				"getsockopt TCP_KEEPIDLE: " + ENOPROTOOPT.Error(),
			}, true},
		{"closed under our feet", "linux", Request{},
			func(k *Fake) { k.FailGet[linuxKeepAlive] = EBADF },
			[]string{"getsockopt SO_KEEPALIVE: " + EBADF.Error()}, false},
		{"SO_KEEPALIVE ignored", "linux", Request{},
			func(k *Fake) { k.Answer[linuxKeepAlive] = 0 },
			[]string{"SO_KEEPALIVE: asked for 1, the kernel holds 0"}, false},
		{"SO_KEEPALIVE stays on", "linux", Request{Disabled: true},
			func(k *Fake) { k.Answer[linuxKeepAlive] = 1 },
			[]string{"SO_KEEPALIVE: asked for 0, the kernel holds 1"}, false},
		{"BSD kernels answer SO_KEEPALIVE with the flag's bit", "freebsd", Request{},
			func(k *Fake) { k.Answer[bsdKeepAlive] = 8 }, nil, false},
		{"the flag's bit is not off", "freebsd", Request{Disabled: true},
			func(k *Fake) { k.Answer[bsdKeepAlive] = 8 },
			[]string{"SO_KEEPALIVE: asked for 0, the kernel holds 8"}, false},
		{"old NetBSD releases cannot read the options back", "netbsd", without(UserTimeout),
			func(k *Fake) {
				k.FailGet[At{6, 3}], k.FailGet[At{6, 5}], k.FailGet[At{6, 6}] = ENOPROTOOPT, ENOPROTOOPT, ENOPROTOOPT
			}, nil, false},
		{"a NetBSD release that can, and holds another value", "netbsd", without(UserTimeout),
			func(k *Fake) { k.Answer[At{6, 3}] = 60 },
			[]string{"TCP_KEEPIDLE: asked for 120, the kernel holds 60"}, false},
		{"not readable is no excuse for a closed socket", "netbsd", Request{Idle: time.Minute},
			func(k *Fake) { k.FailGet[At{6, 3}] = EBADF },
			[]string{"getsockopt TCP_KEEPIDLE: " + EBADF.Error()}, false},
		{"macOS: TCP_RXT_CONNDROPTIME is not known to be readable", "darwin", Request{UserTimeout: time.Minute},
			func(k *Fake) { k.FailGet[At{6, 0x80}] = ENOPROTOOPT }, nil, false},
		{"FreeBSD before 14: TCP_MAXUNACKTIME", "freebsd", Request{UserTimeout: time.Minute},
			func(k *Fake) { k.FailGet[At{6, 68}] = ENOPROTOOPT },
			[]string{"getsockopt TCP_MAXUNACKTIME: " + ENOPROTOOPT.Error()}, true},
		{"Solaris before 11.4: the product is read back", "solaris-before-11.4", Request{Interval: time.Second, Count: 3},
			func(k *Fake) { k.Answer[At{6, 0x17}] = 480000 },
			[]string{"TCP_KEEPALIVE_ABORT_THRESHOLD: asked for 3000, the kernel holds 480000"}, false},
	} {
		t.Run(row.rule, func(t *testing.T) {
			t.Parallel()
			k := fake(t, row.table)
			row.change(k)
			p := plan(t, row.table, row.request)
			for name, err := range map[string]error{"Apply": p.Apply(k, 3, &p), "Verify": p.Verify(k, 3)} {
				var got []string
				for _, one := range parts(err) {
					got = append(got, one.Error())
				}
				assert.Equal(t, row.want, got, name)
				assert.Equal(t, row.unsupported, errors.Is(err, errors.ErrUnsupported), name)
			}
		})
	}
}

func TestNetBSDVerifiesOnlyTheLastKeepAlive(t *testing.T) {
	t.Parallel()
	k := fake(t, "netbsd")
	p := plan(t, "netbsd", Request{Idle: time.Minute})
	require.NoError(t, p.Apply(k, 3, &p), "the first SO_KEEPALIVE=0 is no mismatch")
	assert.Equal(t, []string{"set 0xffff 0x8 0", "set 0x6 0x3 120", "set 0xffff 0x8 1", "get 0x6 0x3", "get 0xffff 0x8"}, k.Calls)
}

// What is only compared need not be what can be set, and has to be readable.
func TestComparison(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		rule, table string
		request     Request
		want        []string // of an honest kernel that holds 0 everywhere
		fault       string
	}{
		{"more than the options take", "linux", Request{Idle: 86400 * time.Second, Interval: 40000 * time.Second, Count: 255, Disabled: true},
			[]string{"TCP_KEEPINTVL: asked for 40000, the kernel holds 0", "TCP_KEEPCNT: asked for 255, the kernel holds 0",
				"TCP_KEEPIDLE: asked for 86400, the kernel holds 0"}, ""},
		{"more than a C int", "linux", Request{Idle: (1<<32 + 60) * time.Second}, nil,
			"idle=4294967356s is too large: TCP_KEEPIDLE on linux takes 1s to 32767s"},
		{"negative", "linux", Request{Idle: 10 * time.Hour, Count: -1}, nil, "count=-1 is negative: 0 leaves it alone"},
		{"an option that is missing", "netbsd", Request{UserTimeout: time.Minute}, nil,
			"user-timeout=60s is not supported on netbsd: NetBSD has no limit on unacknowledged data per socket"},
		{"one of a pair, of which each can be read", "illumos", Request{Interval: 2 * time.Minute, Disabled: true},
			[]string{"TCP_KEEPINTVL: asked for 120, the kernel holds 0"}, ""},
		{"a factor of a product without the other", "solaris-before-11.4", Request{Interval: time.Second}, nil,
			"interval=1s without count is not possible on solaris-before-11.4: TCP_KEEPALIVE_ABORT_THRESHOLD holds their product; set both"},
		{"what nobody can read", "windows-before-1709", Request{Idle: time.Minute}, nil,
			"idle=60s cannot be read back on windows-before-1709, so whether SIO_KEEPALIVE_VALS still holds it is unknown"},
		{"what can be read there", "windows-before-1709", Request{},
			[]string{"SO_KEEPALIVE: asked for 1, the kernel holds 0"}, ""},
	} {
		t.Run(row.rule, func(t *testing.T) {
			t.Parallel()
			p, faults := table(t, row.table).Comparison(row.request)
			if row.fault != "" {
				require.EqualError(t, faults.Err(), row.fault)
				assert.Empty(t, p.Steps())
				return
			}
			require.NoError(t, faults.Err())
			var got []string
			for _, one := range parts(p.Verify(fake(t, row.table), 3)) {
				got = append(got, one.Error())
			}
			assert.Equal(t, row.want, got)
		})
	}
}

// A plan trusts an old NetBSD, which has said that it took the option; a comparison
// has nothing to trust.
func TestComparisonOfWhatOneReleaseCannotRead(t *testing.T) {
	t.Parallel()
	k := fake(t, "netbsd")
	k.FailGet[At{6, 3}] = ENOPROTOOPT
	k.Held[bsdKeepAlive] = 1
	p, faults := table(t, "netbsd").Comparison(Request{Idle: time.Minute})
	require.NoError(t, faults.Err())
	err := p.Verify(k, 3)
	require.EqualError(t, err, "getsockopt TCP_KEEPIDLE: "+ENOPROTOOPT.Error())
	require.ErrorIs(t, err, errors.ErrUnsupported)
}
