package kernel_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/tcpkeepalive/keepalive/internal/kernel"
	. "github.com/tcpkeepalive/keepalive/internal/kernel/kerneltest"
)

// before asserts that one call stands in front of another.
func before(t *testing.T, p Plan, first, second string) {
	t.Helper()
	calls := steps(p)
	i, j := slices.Index(calls, first), slices.Index(calls, second)
	require.True(t, i >= 0 && j >= 0, "%s and %s in %v", first, second, calls)
	assert.Less(t, i, j, "%s before %s in %v", first, second, calls)
}

// Each row is a way to get a platform wrong.
func TestTraps(t *testing.T) {
	t.Parallel()
	idle := Request{Idle: time.Minute}
	for _, row := range []struct {
		trap string
		test func(t *testing.T)
	}{
		{"Linux: TCP_KEEPIDLE after SO_KEEPALIVE, so that idle counts from the last segment", func(t *testing.T) {
			before(t, plan(t, "linux", everything), "SO_KEEPALIVE=1", "TCP_KEEPIDLE=60")
		}},
		{"Linux: what re-arms nothing is set before SO_KEEPALIVE arms the timer", func(t *testing.T) {
			for _, call := range []string{"TCP_KEEPINTVL=10", "TCP_KEEPCNT=3", "TCP_USER_TIMEOUT=90000"} {
				before(t, plan(t, "linux", everything), call, "SO_KEEPALIVE=1")
			}
		}},
		{"Linux: the user timeout replaces the count, and nowhere else", func(t *testing.T) {
			for _, tbl := range all() {
				assert.Equal(t, tbl.GOOS == "linux" || tbl.GOOS == "android", tbl.UserTimeoutReplacesCount, tbl.Name)
			}
		}},
		{"MIPS: SOL_SOCKET is 0xffff and SO_KEEPALIVE is 8", func(t *testing.T) {
			s := stepOf(t, plan(t, "linux-mips", Request{}), KeepAlive)
			assert.Equal(t, At{0xffff, 8}, At{s.Level, s.Number})
		}},
		{"macOS: SO_KEEPALIVE before TCP_KEEPALIVE, or the timer runs two hours", func(t *testing.T) {
			before(t, plan(t, "darwin", idle), "SO_KEEPALIVE=1", "TCP_KEEPALIVE=60")
			before(t, plan(t, "ios", idle), "SO_KEEPALIVE=1", "TCP_KEEPALIVE=60")
		}},
		{"macOS: the idle time is not inherited", func(t *testing.T) {
			assert.Equal(t, No, table(t, "darwin").Spec(Idle).Inherited)
			assert.True(t, table(t, "darwin").NotInherited(SetOf(Idle)).Has(Idle))
		}},
		{"NetBSD: half seconds, although the manual says seconds", func(t *testing.T) {
			assert.Contains(t, steps(plan(t, "netbsd", idle)), "TCP_KEEPIDLE=120")
			assert.Contains(t, steps(plan(t, "netbsd", Request{Idle: 500 * time.Millisecond})), "TCP_KEEPIDLE=1")
		}},
		{"NetBSD: timing while SO_KEEPALIVE is off, or a probe leaves early", func(t *testing.T) {
			calls := steps(plan(t, "netbsd", without(UserTimeout)))
			assert.Equal(t, "SO_KEEPALIVE=0", calls[0])
			assert.Equal(t, "SO_KEEPALIVE=1", calls[len(calls)-1])
		}},
		{"NetBSD: without timing there is no reason to switch off", func(t *testing.T) {
			assert.Equal(t, []string{"SO_KEEPALIVE=1"}, steps(plan(t, "netbsd", Request{})))
		}},
		{"NetBSD: only there", func(t *testing.T) {
			for _, tbl := range all() {
				assert.Equal(t, tbl.Name == "netbsd", tbl.TimingWhileOff, tbl.Name)
			}
		}},
		{"NetBSD: restoring the idle time after accept takes SO_KEEPALIVE along", func(t *testing.T) {
			assert.True(t, table(t, "netbsd").NotInherited(SetOf(Idle)).Has(KeepAlive))
		}},
		{"OpenBSD: SO_KEEPALIVE and nothing else", func(t *testing.T) {
			assert.Len(t, table(t, "openbsd").Specs, 1)
			assert.Contains(t, table(t, "openbsd").Absent[Idle], "net.inet.tcp.keepidle", "says where the setting is")
		}},
		{"DragonFly BSD before 5.8: milliseconds", func(t *testing.T) {
			assert.Equal(t, []string{"SO_KEEPALIVE=1", "TCP_KEEPIDLE=60000"}, steps(plan(t, "dragonfly-before-5.8", idle)))
			assert.Equal(t, []string{"SO_KEEPALIVE=1", "TCP_KEEPIDLE=60"}, steps(plan(t, "dragonfly", idle)))
		}},
		{"the BSDs but NetBSD, and macOS, can probe although SO_KEEPALIVE is off", func(t *testing.T) {
			for _, tbl := range all() {
				want := ""
				switch tbl.GOOS {
				case "freebsd", "dragonfly", "openbsd", "darwin", "ios":
					want = "net.inet.tcp.always_keepalive"
				}
				assert.Equal(t, want, tbl.AlwaysProbes, tbl.Name)
			}
		}},
		{"illumos: an interval above 60 s is EINVAL", func(t *testing.T) {
			_, faults := table(t, "illumos").Plan(Request{Interval: 61 * time.Second, Count: 3})
			require.Len(t, faults, 1)
			assert.Equal(t, TooLarge, kindOf(faults[0]))
			plan(t, "illumos", Request{Interval: 60 * time.Second, Count: 3})
		}},
		{"illumos: either of interval and count changes the other, so both or none", func(t *testing.T) {
			faults := table(t, "illumos").Check(Request{Count: 3})
			require.Len(t, faults, 1)
			assert.Equal(t, []any{Incomplete, Count, Interval}, []any{kindOf(faults[0]), faults[0].Option, faults[0].Missing})
		}},
		{"illumos: the interval before the count, the timing before SO_KEEPALIVE", func(t *testing.T) {
			p := plan(t, "illumos", everything)
			before(t, p, "TCP_KEEPINTVL=10", "TCP_KEEPCNT=3")
			before(t, p, "TCP_KEEPIDLE=60", "SO_KEEPALIVE=1")
		}},
		{"Solaris 11.4: not the numbers of illumos", func(t *testing.T) {
			for o, numbers := range map[Option][2]int{Idle: {0x1d, 0x22}, Interval: {0x1e, 0x24}, Count: {0x1f, 0x23}} {
				assert.Equal(t, numbers[0], stepOf(t, plan(t, "solaris", everything), o).Number, "%s", o)
				assert.Equal(t, numbers[1], stepOf(t, plan(t, "illumos", everything), o).Number, "%s", o)
			}
		}},
		{"Solaris before 11.4: interval times count, in one call, in milliseconds", func(t *testing.T) {
			p := plan(t, "solaris-before-11.4", Request{Interval: 10 * time.Second, Count: 3})
			s := stepOf(t, p, Interval)
			assert.Equal(t, 30000, s.Value)
			assert.Equal(t, SetOf(Interval, Count), s.Carries)
			assert.Equal(t, Product, table(t, "solaris-before-11.4").Spec(Interval).Call)
			assert.Equal(t, []string{"TCP_KEEPALIVE_ABORT_THRESHOLD=30000", "SO_KEEPALIVE=1"}, steps(p))
		}},
		{"Windows before 1709: one ioctl, milliseconds", func(t *testing.T) {
			p := plan(t, "windows-before-1709", Request{Idle: 45500 * time.Millisecond, Interval: 1500 * time.Millisecond})
			s := stepOf(t, p, Idle)
			assert.Equal(t, [3]uint32{1, 45500, 1500}, s.Vals)
			assert.Equal(t, SetOf(Idle, Interval), s.Carries)
			assert.Equal(t, []string{"SIO_KEEPALIVE_VALS={1,45500,1500}", "SO_KEEPALIVE=1"}, steps(p))
		}},
		{"Windows before 1709: the ioctl's first word switches keepalive on, so a disabled one must say off", func(t *testing.T) {
			p := plan(t, "windows-before-1709", Request{Disabled: true, Idle: time.Minute, Interval: time.Second})
			assert.Equal(t, []string{"SO_KEEPALIVE=0", "SIO_KEEPALIVE_VALS={0,60000,1000}"}, steps(p))
		}},
		{"Windows before 1709: what the ioctl set is not asked back", func(t *testing.T) {
			k := fake(t, "windows-before-1709")
			p := plan(t, "windows-before-1709", Request{Idle: time.Minute, Interval: time.Second})
			require.NoError(t, p.Apply(k, 3, &p))
			assert.Equal(t, []string{"ioctl [1 60000 1000]", "set 0xffff 0x8 1", "get 0xffff 0x8"}, k.Calls)
			got, err := table(t, "windows-before-1709").Read(k, 3)
			require.NoError(t, err)
			assert.Equal(t, SetOf(KeepAlive), got.Known)
		}},
		{"Windows: what switches TCP_MAXRT off is not known, so it is refused", func(t *testing.T) {
			for _, name := range []string{"windows", "windows-before-1709"} {
				assert.ErrorContains(t, table(t, name).Check(Request{UserTimeout: NoUserTimeout}).Err(), "is not known")
			}
		}},
		{"the user timeout is milliseconds on Linux and seconds on macOS, FreeBSD and Windows", func(t *testing.T) {
			r := Request{UserTimeout: 1500 * time.Millisecond}
			for name, want := range map[string]int{"linux": 1500, "darwin": 2, "freebsd": 2, "windows": 2, "illumos": 1500} {
				assert.Equal(t, want, stepOf(t, plan(t, name, r), UserTimeout).Value, name)
			}
		}},
	} {
		t.Run(row.trap, func(t *testing.T) {
			t.Parallel()
			row.test(t)
		})
	}
}
