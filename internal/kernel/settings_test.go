package kernel_test

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/tcpkeepalive/keepalive/internal/kernel"
	. "github.com/tcpkeepalive/keepalive/internal/kernel/kerneltest"
)

var allKnown = SetOf(KeepAlive, Idle, Interval, Count, UserTimeout)

func TestRead(t *testing.T) {
	t.Parallel()
	type held map[At]int
	for _, row := range []struct {
		rule, table string
		held        held
		want        Settings
	}{
		{"Linux: seconds, and milliseconds for the user timeout", "linux",
			held{linuxKeepAlive: 1, linuxIdle: 60, linuxInterval: 10, linuxCount: 3, linuxUserTimeout: 90500},
			Settings{Known: allKnown, Enabled: true, Idle: time.Minute, Interval: 10 * time.Second, Count: 3, UserTimeout: 90500 * time.Millisecond}},
		{"Linux: a user timeout of 0 is off, which is known", "linux",
			held{linuxKeepAlive: 0, linuxIdle: 7200, linuxInterval: 75, linuxCount: 9, linuxUserTimeout: 0},
			Settings{Known: allKnown, Enabled: false, Idle: 2 * time.Hour, Interval: 75 * time.Second, Count: 9, UserTimeout: 0}},
		{"Multipath TCP has no user timeout: unknown, no error", "linux",
			held{linuxKeepAlive: 1, linuxIdle: 60, linuxInterval: 10, linuxCount: 3},
			Settings{Known: SetOf(KeepAlive, Idle, Interval, Count), Enabled: true, Idle: time.Minute, Interval: 10 * time.Second, Count: 3, UserTimeout: 0}},
		{"no option at all", "linux", held{}, Settings{}},
		{"gVisor's sysctls of 0 are no interval", "linux",
			held{linuxKeepAlive: 1, linuxIdle: 7200, linuxInterval: 0, linuxCount: 0, linuxUserTimeout: 0},
			Settings{Known: SetOf(KeepAlive, Idle, UserTimeout), Enabled: true, Idle: 2 * time.Hour, Interval: 0, Count: 0, UserTimeout: 0}},
		{"a negative answer is none", "linux",
			held{linuxKeepAlive: 1, linuxIdle: -1, linuxUserTimeout: -1},
			Settings{Known: SetOf(KeepAlive), Enabled: true}},
		{"the flag's bit is on", "freebsd",
			held{bsdKeepAlive: 8, {6, 0x100}: 7200, {6, 0x200}: 75, {6, 0x400}: 8, {6, 68}: 0},
			Settings{Known: allKnown, Enabled: true, Idle: 2 * time.Hour, Interval: 75 * time.Second, Count: 8, UserTimeout: 0}},
		{"NetBSD: half seconds", "netbsd",
			held{bsdKeepAlive: 8, {6, 3}: 14400, {6, 5}: 150, {6, 6}: 8},
			Settings{Known: SetOf(KeepAlive, Idle, Interval, Count), Enabled: true, Idle: 2 * time.Hour, Interval: 75 * time.Second, Count: 8, UserTimeout: 0}},
		{"old NetBSD releases cannot tell", "netbsd", held{bsdKeepAlive: 8}, Settings{Known: SetOf(KeepAlive), Enabled: true}},
		{"DragonFly BSD before 5.8: milliseconds", "dragonfly-before-5.8",
			held{bsdKeepAlive: 8, {6, 0x100}: 7200000, {6, 0x200}: 75000, {6, 0x400}: 8},
			Settings{Known: SetOf(KeepAlive, Idle, Interval, Count), Enabled: true, Idle: 2 * time.Hour, Interval: 75 * time.Second, Count: 8, UserTimeout: 0}},
		{"illumos: never set reads 0, which is not the interval in force", "illumos",
			held{bsdKeepAlive: 1, {6, 0x22}: 7200, {6, 0x24}: 0, {6, 0x23}: 0, {6, 0x11}: 480000},
			Settings{Known: SetOf(KeepAlive, Idle, UserTimeout), Enabled: true, Idle: 2 * time.Hour, Interval: 0, Count: 0, UserTimeout: 8 * time.Minute}},
		{"illumos: an abort threshold of 0 is not known to be off", "illumos",
			held{bsdKeepAlive: 0, {6, 0x22}: 60, {6, 0x24}: 10, {6, 0x23}: 3, {6, 0x11}: 0},
			Settings{Known: SetOf(KeepAlive, Idle, Interval, Count), Enabled: false, Idle: time.Minute, Interval: 10 * time.Second, Count: 3, UserTimeout: 0}},
		{"Windows: a TCP_MAXRT of 0 is not known to be off", "windows",
			held{bsdKeepAlive: 1, {6, 3}: 7200, {6, 17}: 1, {6, 16}: 10, {6, 5}: 0},
			Settings{Known: SetOf(KeepAlive, Idle, Interval, Count), Enabled: true, Idle: 2 * time.Hour, Interval: time.Second, Count: 10, UserTimeout: 0}},
		{"Windows: a TCP_MAXRT of -1 is for ever, which is no duration", "windows",
			held{bsdKeepAlive: 0, {6, 5}: -1}, Settings{Known: SetOf(KeepAlive)}},
		{"Solaris before 11.4: no factor follows from the product", "solaris-before-11.4",
			held{bsdKeepAlive: 1, {6, 0x16}: 7200000, {6, 0x17}: 480000, {6, 0x11}: 300000},
			Settings{Known: SetOf(KeepAlive, Idle, UserTimeout), Enabled: true, Idle: 2 * time.Hour, Interval: 0, Count: 0, UserTimeout: 5 * time.Minute}},
	} {
		t.Run(row.rule, func(t *testing.T) {
			t.Parallel()
			k := fake(t, row.table)
			k.Held = row.held
			got, err := table(t, row.table).Read(k, 3)
			require.NoError(t, err)
			assert.Equal(t, row.want, got)
		})
	}
}

func TestReadErrors(t *testing.T) {
	t.Parallel()
	for _, errno := range errnos {
		k := fake(t, "linux")
		k.Held[linuxKeepAlive], k.Held[linuxIdle] = 1, 60
		k.FailGet[linuxIdle], k.FailGet[linuxCount] = errno.err, errno.err
		got, err := table(t, "linux").Read(k, 3)
		assert.Equal(t, Settings{Known: SetOf(KeepAlive, UserTimeout), Enabled: true}, got, "the rest is read all the same: %s", errno.name)
		if errno.missing {
			assert.NoError(t, err, errno.name)
			continue
		}
		require.EqualError(t, err, "getsockopt TCP_KEEPCNT: "+errno.err.Error()+"; getsockopt TCP_KEEPIDLE: "+errno.err.Error())
		assert.ErrorIs(t, err, errno.err)
		assert.NotErrorIs(t, err, errors.ErrUnsupported)
		var e *OptionError
		require.ErrorAs(t, err, &e)
		assert.Equal(t, &OptionError{Call: "getsockopt", Option: Count, Symbol: "TCP_KEEPCNT", Err: errno.err}, e)
	}
}

func TestSettingsString(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		settings Settings
		want     string
	}{
		{Settings{}, "keepalive=unknown idle=unknown interval=unknown count=unknown user-timeout=unknown"},
		{Settings{Enabled: true, Idle: time.Minute, Count: 3}, "keepalive=unknown idle=unknown interval=unknown count=unknown user-timeout=unknown"},
		{Settings{Known: allKnown, Enabled: true, Idle: time.Minute, Interval: 10 * time.Second, Count: 3, UserTimeout: 0}, "on idle=60s interval=10s count=3 user-timeout=off"},
		{Settings{Known: allKnown, Enabled: false, Idle: 2 * time.Hour, Interval: 75 * time.Second, Count: 9, UserTimeout: 1500 * time.Millisecond}, "off idle=7200s interval=75s count=9 user-timeout=1.5s"},
		{Settings{Known: SetOf(KeepAlive, Idle), Idle: time.Minute}, "off idle=60s interval=unknown count=unknown user-timeout=unknown"},
	} {
		assert.Equal(t, row.want, row.settings.String())
	}
}

func TestSettingsLookup(t *testing.T) {
	t.Parallel()
	s := Settings{Known: allKnown, Enabled: true, Idle: 60, Interval: 10, Count: 3, UserTimeout: 90}
	for o, want := range map[Option]int64{KeepAlive: 1, Idle: 60, Interval: 10, Count: 3, UserTimeout: 90} {
		got, known := s.Lookup(o)
		assert.True(t, known, "%s", o)
		assert.Equal(t, want, got, "%s", o)

		unset := s
		unset.Known &^= SetOf(o)
		_, known = unset.Lookup(o)
		assert.False(t, known, "%s", o)
	}
	v, known := Settings{Known: SetOf(KeepAlive)}.Lookup(KeepAlive)
	assert.True(t, known)
	assert.Zero(t, v, "off")
	_, known = s.Lookup(Option(200))
	assert.False(t, known, "no such option")
}

func TestEffect(t *testing.T) {
	t.Parallel()
	untouched := Settings{Known: allKnown, Enabled: false, Idle: 2 * time.Hour, Interval: 75 * time.Second, Count: 9, UserTimeout: time.Minute}
	for _, row := range []struct {
		rule, table string
		request     Request
		before      Settings
		want        Settings
	}{
		{"what is not asked for stays", "linux", Request{Idle: time.Minute}, untouched,
			Settings{Known: allKnown, Enabled: true, Idle: time.Minute, Interval: 75 * time.Second, Count: 9, UserTimeout: time.Minute}},
		{"rounded as the kernel counts", "linux", Request{Idle: 500 * time.Millisecond, UserTimeout: 1500 * time.Microsecond}, untouched,
			Settings{Known: allKnown, Enabled: true, Idle: time.Second, Interval: 75 * time.Second, Count: 9, UserTimeout: 2 * time.Millisecond}},
		{"half seconds", "netbsd", Request{Idle: 501 * time.Millisecond}, Settings{}, Settings{Known: SetOf(KeepAlive, Idle), Enabled: true, Idle: time.Second}},
		{"a user timeout switched off", "linux", Request{UserTimeout: NoUserTimeout}, untouched,
			Settings{Known: allKnown, Enabled: true, Idle: 2 * time.Hour, Interval: 75 * time.Second, Count: 9, UserTimeout: 0}},
		{"disabled", "linux", Request{Disabled: true}, Settings{Known: allKnown, Enabled: true}, Settings{Known: allKnown}},
		{"nothing to switch off", "netbsd", Request{UserTimeout: NoUserTimeout}, Settings{}, Settings{Known: SetOf(KeepAlive), Enabled: true}},
	} {
		t.Run(row.rule, func(t *testing.T) {
			assert.Equal(t, row.want, table(t, row.table).Effect(row.request, row.before))
		})
	}
}

// What Effect foretells is what Read finds after Apply.
func TestEffectIsWhatReadFinds(t *testing.T) {
	t.Parallel()
	for _, tbl := range all() {
		t.Run(tbl.Name, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(3, 4))
			for range 500 {
				r, _, err := tbl.Nearest(randomRequest(random))
				require.NoError(t, err)
				k := Of(&tbl.Table)
				before, err := tbl.Read(k, 3)
				require.NoError(t, err)
				p := plan(t, tbl.Name, r)
				require.NoError(t, p.Apply(k, 3, &p))
				after, err := tbl.Read(k, 3)
				require.NoError(t, err)
				foretold := tbl.Effect(r, before)
				for _, o := range Options() {
					got, known := after.Lookup(o)
					if !known {
						continue // the product, the ioctl, or never set
					}
					want, known := foretold.Lookup(o)
					assert.True(t, known, "%s of %+v", o, r)
					assert.Equal(t, want, got, "%s of %+v", o, r)
				}
			}
		})
	}
}
