package kernel_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	. "github.com/tcpkeepalive/keepalive/internal/kernel"
	. "github.com/tcpkeepalive/keepalive/internal/kernel/kerneltest"
)

// errnos are what a setsockopt can fail with; missing are those that mean "no
// such option here".
var errnos = []struct {
	name    string
	err     error
	missing bool
}{
	{"EINVAL", EINVAL, false},
	{"ENOPROTOOPT", ENOPROTOOPT, true},
	{"EOPNOTSUPP", EOPNOTSUPP, true},
	{"EPERM", EPERM, false},
	{"EBADF", EBADF, false},
}

// failure is what the n-th call of a full plan reports.
func failure(call string, errno error) string {
	verb := "setsockopt "
	if call[:3] == "SIO" {
		verb = "ioctl "
	}
	return verb + call + ": " + errno.Error()
}

// unreadable are the options of a plan that nothing can confirm.
func unreadable(s Step) bool { return s.Symbol == "SIO_KEEPALIVE_VALS" }

func TestApplyWithEveryCombinationOfFailures(t *testing.T) {
	t.Parallel()
	for _, row := range full {
		t.Run(row.table, func(t *testing.T) {
			t.Parallel()
			p := plan(t, row.table, row.request)
			for subset := range 1 << len(row.calls) {
				for _, errno := range errnos {
					k := fake(t, row.table)
					var want []string
					var failed OptionSet
					for i, call := range row.calls {
						if subset&(1<<i) != 0 {
							k.FailCall[i] = errno.err
							want = append(want, failure(call, errno.err))
							failed |= p.Steps()[i].Carries
						}
					}
					err := p.Apply(k, 3, &p)
					label := fmt.Sprintf("calls %b fail with %s", subset, errno.name)

					assert.Equal(t, row.at, k.Sets, "every call is tried: %s", label)
					var got []string
					for _, one := range parts(err) {
						got = append(got, one.Error())
						var e *OptionError
						if assert.ErrorAs(t, one, &e, label) {
							assert.Equal(t, optionOf(row.table, e.Symbol), e.Option, label)
							assert.Contains(t, row.calls, e.Symbol+"="+e.Value, label)
						}
					}
					assert.Equal(t, want, got, "each failed call once, in order, and nothing else: %s", label)
					assert.Equal(t, subset != 0, errors.Is(err, errno.err), label)
					assert.Equal(t, subset != 0 && errno.missing, errors.Is(err, errors.ErrUnsupported), label)

					reads := 0
					for i, s := range p.Steps() {
						undone := row.table == "netbsd" && i == 0
						if s.Carries&failed == 0 && !undone && !unreadable(s) {
							reads++
						}
					}
					assert.Len(t, k.Calls, len(row.calls)+reads, "what succeeded is read back, what failed is not: %s", label)
				}
			}
		})
	}
}

// optionOf is the first option that a symbol sets.
func optionOf(table, symbol string) Option {
	for _, w := range expected[table] {
		if w.symbol == symbol {
			return w.option
		}
	}
	return 255
}

func TestApplyOnAnHonestKernel(t *testing.T) {
	t.Parallel()
	for _, row := range full {
		k := fake(t, row.table)
		p := plan(t, row.table, row.request)
		require.NoError(t, p.Apply(k, 3, &p), row.table)
		require.NoError(t, p.Verify(k, 3), row.table)
		for i, s := range p.Steps() {
			if s.IsKeepAliveVals() {
				assert.Equal(t, [3]uint32{1, 60000, 10000}, k.Vals)
			} else if last := i == len(row.at)-1; last || s.Option != KeepAlive {
				assert.Equal(t, s.Value, k.Held[row.at[i]], "%s %s", row.table, s.Symbol)
			}
		}
	}
}

func TestApplyWithoutCheckReadsNothing(t *testing.T) {
	t.Parallel()
	k := fake(t, "linux")
	p := plan(t, "linux", everything)
	require.NoError(t, p.Apply(k, 3, nil))
	assert.Equal(t, []string{"set 0x6 0x5 10", "set 0x6 0x6 3", "set 0x6 0x12 90000", "set 0x1 0x9 1", "set 0x6 0x4 60"}, k.Calls)
}

func TestApplyChecksAnotherPlan(t *testing.T) {
	t.Parallel()
	whole := plan(t, "linux", everything)
	part := whole.Only(SetOf(Idle))
	k := fake(t, "linux")
	err := part.Apply(k, 3, &whole)
	require.Len(t, parts(err), 4, "what nobody set does not hold what was asked")
	for _, one := range parts(err) {
		var m *MismatchError
		require.ErrorAs(t, one, &m)
		assert.NotEqual(t, Idle, m.Option)
	}
}

func TestApplyWithDifferentErrors(t *testing.T) {
	t.Parallel()
	k := fake(t, "linux")
	k.FailSet[linuxInterval], k.FailSet[linuxUserTimeout] = EBADF, ENOPROTOOPT
	p := plan(t, "linux", everything)
	err := p.Apply(k, 3, &p)
	require.EqualError(t, err, "setsockopt TCP_KEEPINTVL=10: "+EBADF.Error()+"; setsockopt TCP_USER_TIMEOUT=90000: "+ENOPROTOOPT.Error())
	for _, target := range []error{EBADF, ENOPROTOOPT, errors.ErrUnsupported} {
		assert.ErrorIs(t, err, target)
	}
	assert.NotErrorIs(t, err, EPERM)
	assert.NotErrorIs(t, parts(err)[0], errors.ErrUnsupported)
	assert.ErrorIs(t, parts(err)[1], errors.ErrUnsupported)
	assert.Equal(t, map[At]int{linuxKeepAlive: 1, linuxIdle: 60, linuxInterval: 0, linuxCount: 3, linuxUserTimeout: 0}, k.Held)
}

func TestOneFailureIsReturnedAsItIs(t *testing.T) {
	t.Parallel()
	k := fake(t, "linux")
	k.FailSet[linuxIdle] = EINVAL
	p := plan(t, "linux", everything)
	got, ok := p.Apply(k, 3, &p).(*OptionError)
	require.True(t, ok)
	assert.Equal(t, &OptionError{Call: "setsockopt", Option: Idle, Symbol: "TCP_KEEPIDLE", Value: "60", Err: EINVAL}, got)
	assert.Equal(t, EINVAL, got.Unwrap())
}

// Windows before 1709 under the table of a later one, as Wine 8 answers: the
// three new options fail, SO_KEEPALIVE takes. Nothing of that may be silent.
func TestHalfApplicationIsReported(t *testing.T) {
	t.Parallel()
	k := fake(t, "windows-before-1709")
	p := plan(t, "windows", without(UserTimeout))
	err := p.Apply(k, 3, &p)
	require.Len(t, parts(err), 3)
	for i, call := range []string{"TCP_KEEPINTVL=10", "TCP_KEEPCNT=3", "TCP_KEEPIDLE=60"} {
		assert.EqualError(t, parts(err)[i], failure(call, ENOPROTOOPT))
		assert.ErrorIs(t, parts(err)[i], errors.ErrUnsupported)
	}
	assert.Equal(t, 1, k.Held[bsdKeepAlive], "and keepalive is on")

	// The ioctl fails: SO_KEEPALIVE is on with the system's two hours.
	k = fake(t, "windows-before-1709")
	k.FailSet[At{}] = EINVAL
	p = plan(t, "windows-before-1709", Request{Idle: time.Minute, Interval: time.Second})
	err = p.Apply(k, 3, &p)
	var e *OptionError
	require.ErrorAs(t, err, &e)
	assert.Equal(t, &OptionError{Call: "ioctl", Option: Idle, Symbol: "SIO_KEEPALIVE_VALS", Value: "{1,60000,1000}", Err: EINVAL}, e)
	assert.Equal(t, 1, k.Held[bsdKeepAlive])
}

func TestNoPlanNoCalls(t *testing.T) {
	t.Parallel()
	k := fake(t, "linux")
	var none Plan
	require.NoError(t, none.Apply(k, 3, &none))
	require.NoError(t, none.Verify(k, 3))
	assert.Empty(t, k.Calls)
}
