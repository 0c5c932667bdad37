package kernel_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/tcpkeepalive/keepalive/internal/kernel"
)

func TestVerifyAlone(t *testing.T) {
	t.Parallel()
	p := plan(t, "linux", everything)
	k := newKernel(linuxOptions...)
	require.NoError(t, p.Apply(k, 3, nil))
	k.calls = nil
	require.NoError(t, p.Verify(k, 3))
	assert.Equal(t, []string{"get 0x6 0x5", "get 0x6 0x6", "get 0x6 0x12", "get 0x1 0x9", "get 0x6 0x4"}, k.calls, "it only reads")

	// Somebody else sets two of them: package net, say.
	k.held[linuxIdle], k.held[linuxInterval] = 15, 15
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
		change      func(k *fakeKernel)
		want        []string // nil: accepted
		unsupported bool
	}{
		{"success, another value", "linux", everything,
			func(k *fakeKernel) { k.answer[linuxCount] = 9 },
			[]string{"TCP_KEEPCNT: asked for 3, the kernel holds 9"}, false},
		{"success, nothing stored", "linux", Request{UserTimeout: time.Minute},
			func(k *fakeKernel) { k.answer[linuxUserTimeout] = 0 },
			[]string{"TCP_USER_TIMEOUT: asked for 60000, the kernel holds 0"}, false},
		{"gVisor: setsockopt of an unknown option succeeds", "linux", everything,
			func(k *fakeKernel) { k.failGet[linuxUserTimeout] = errNOPROTOOPT },
			[]string{"getsockopt TCP_USER_TIMEOUT: " + errNOPROTOOPT.Error()}, true},
		{"gVisor: all of them", "linux", everything,
			func(k *fakeKernel) {
				for _, at := range linuxOptions {
					k.failGet[at] = errNOPROTOOPT
				}
			},
			[]string{
				"getsockopt TCP_KEEPINTVL: " + errNOPROTOOPT.Error(), "getsockopt TCP_KEEPCNT: " + errNOPROTOOPT.Error(),
				"getsockopt TCP_USER_TIMEOUT: " + errNOPROTOOPT.Error(), "getsockopt SO_KEEPALIVE: " + errNOPROTOOPT.Error(),
				"getsockopt TCP_KEEPIDLE: " + errNOPROTOOPT.Error(),
			}, true},
		{"closed under our feet", "linux", Request{},
			func(k *fakeKernel) { k.failGet[linuxKeepAlive] = errBADF },
			[]string{"getsockopt SO_KEEPALIVE: " + errBADF.Error()}, false},
		{"SO_KEEPALIVE ignored", "linux", Request{},
			func(k *fakeKernel) { k.answer[linuxKeepAlive] = 0 },
			[]string{"SO_KEEPALIVE: asked for 1, the kernel holds 0"}, false},
		{"SO_KEEPALIVE stays on", "linux", Request{Disabled: true},
			func(k *fakeKernel) { k.answer[linuxKeepAlive] = 1 },
			[]string{"SO_KEEPALIVE: asked for 0, the kernel holds 1"}, false},
		{"BSD kernels answer SO_KEEPALIVE with the flag's bit", "freebsd", Request{},
			func(k *fakeKernel) { k.answer[bsdKeepAlive] = 8 }, nil, false},
		{"the flag's bit is not off", "freebsd", Request{Disabled: true},
			func(k *fakeKernel) { k.answer[bsdKeepAlive] = 8 },
			[]string{"SO_KEEPALIVE: asked for 0, the kernel holds 8"}, false},
		{"old NetBSD releases cannot read the options back", "netbsd", without(UserTimeout),
			func(k *fakeKernel) {
				k.failGet[where{6, 3}], k.failGet[where{6, 5}], k.failGet[where{6, 6}] = errNOPROTOOPT, errNOPROTOOPT, errNOPROTOOPT
			}, nil, false},
		{"a NetBSD release that can, and holds another value", "netbsd", without(UserTimeout),
			func(k *fakeKernel) { k.answer[where{6, 3}] = 60 },
			[]string{"TCP_KEEPIDLE: asked for 120, the kernel holds 60"}, false},
		{"not readable is no excuse for a closed socket", "netbsd", Request{Idle: time.Minute},
			func(k *fakeKernel) { k.failGet[where{6, 3}] = errBADF },
			[]string{"getsockopt TCP_KEEPIDLE: " + errBADF.Error()}, false},
		{"macOS: TCP_RXT_CONNDROPTIME is not known to be readable", "darwin", Request{UserTimeout: time.Minute},
			func(k *fakeKernel) { k.failGet[where{6, 0x80}] = errNOPROTOOPT }, nil, false},
		{"FreeBSD before 14: TCP_MAXUNACKTIME", "freebsd", Request{UserTimeout: time.Minute},
			func(k *fakeKernel) { k.failGet[where{6, 68}] = errNOPROTOOPT },
			[]string{"getsockopt TCP_MAXUNACKTIME: " + errNOPROTOOPT.Error()}, true},
		{"Solaris before 11.4: the product is read back", "solaris-before-11.4", Request{Interval: time.Second, Count: 3},
			func(k *fakeKernel) { k.answer[where{6, 0x17}] = 480000 },
			[]string{"TCP_KEEPALIVE_ABORT_THRESHOLD: asked for 3000, the kernel holds 480000"}, false},
	} {
		t.Run(row.rule, func(t *testing.T) {
			t.Parallel()
			k := kernelOf(row.table)
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
	k := kernelOf("netbsd")
	p := plan(t, "netbsd", Request{Idle: time.Minute})
	require.NoError(t, p.Apply(k, 3, &p), "the first SO_KEEPALIVE=0 is no mismatch")
	assert.Equal(t, []string{"set 0xffff 0x8 0", "set 0x6 0x3 120", "set 0xffff 0x8 1", "get 0x6 0x3", "get 0xffff 0x8"}, k.calls)
}
