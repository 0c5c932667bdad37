package platform_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	. "github.com/tcpkeepalive/keepalive/platform"
)

func TestUnits(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		unit   Unit
		length time.Duration
		symbol string
	}{
		{Flag, 0, "flag"}, {Times, 0, ""}, {Seconds, time.Second, "s"}, {HalfSeconds, 500 * time.Millisecond, "s/2"}, {Milliseconds, time.Millisecond, "ms"},
	} {
		assert.Equal(t, row.length, row.unit.Duration())
		assert.Equal(t, row.symbol, row.unit.String())
	}
	for _, row := range []struct {
		rule  string
		unit  Unit
		value int64
		want  int64
	}{
		{"nothing is nothing", Seconds, 0, 0},
		{"up", Seconds, 1, 1},
		{"exact", Seconds, 1e9, 1},
		{"up by a nanosecond", Seconds, 1e9 + 1, 2},
		{"half a second", HalfSeconds, 5e8, 1},
		{"half a millisecond", Milliseconds, 5e5, 1},
		{"a number is not converted", Times, 7, 7},
		{"no overflow", Seconds, math.MaxInt64, 9223372037},
		{"no overflow in half seconds", HalfSeconds, math.MaxInt64, 18446744074},
		{"no overflow in milliseconds", Milliseconds, math.MaxInt64, 9223372036855},
		{"no underflow", Seconds, math.MinInt64, -9223372036},
	} {
		assert.Equal(t, row.want, row.unit.ToKernel(row.value), row.rule)
	}
	assert.Equal(t, int64(math.MaxInt64), Seconds.FromKernel(9223372037), "more than a Duration holds")
	assert.Equal(t, int64(9223372036e9), Seconds.FromKernel(9223372036), "what a Duration just holds")
}

// Rounding is to the next unit above, never further, for any duration at all.
func TestUnitsRoundUp(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	for range 20000 {
		v := random.Int64() >> random.IntN(63)
		for _, u := range []Unit{Seconds, HalfSeconds, Milliseconds} {
			n := u.ToKernel(v)
			long := new(big.Int).Mul(big.NewInt(n), big.NewInt(int64(u.Duration())))
			over := new(big.Int).Sub(long, big.NewInt(v))
			if over.Sign() < 0 || over.Cmp(big.NewInt(int64(u.Duration()))) >= 0 {
				assert.Fail(t, "not the next unit", "%d ns is %d %s", v, n, u)
			}
			if v%int64(u.Duration()) == 0 {
				assert.Equal(t, v, u.FromKernel(n), "whole units come back")
			}
		}
	}
}

func TestOptionNames(t *testing.T) {
	t.Parallel()
	var names []string
	for _, o := range Options() {
		names = append(names, o.String())
	}
	assert.Equal(t, []string{"keepalive", "idle", "interval", "count", "user-timeout"}, names)
	assert.Equal(t, "Option(5)", Option(5).String())
	assert.Equal(t, "Option(255)", Option(255).String())
}

func TestOptionFormat(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		option Option
		value  int64
		want   string
	}{
		{KeepAlive, 0, "off"}, {KeepAlive, 1, "on"}, {KeepAlive, 8, "on"},
		{Count, 9, "9"}, {Count, -1, "-1"},
		{Idle, int64(90 * time.Second), "90s"}, {Idle, int64(2 * time.Hour), "7200s"}, {Idle, int64(-time.Second), "-1s"},
		{Interval, int64(1500 * time.Millisecond), "1.5s"}, {UserTimeout, int64(500 * time.Millisecond), "500ms"},
	} {
		assert.Equal(t, row.want, row.option.Format(row.value))
	}
}

func TestOptionSet(t *testing.T) {
	t.Parallel()
	s := SetOf(Count, Idle)
	for _, o := range Options() {
		assert.Equal(t, o == Count || o == Idle, s.Has(o), "%s", o)
	}
	assert.False(t, s.Has(Option(200)))
	assert.Equal(t, "idle, count", s.String())
	assert.Equal(t, "", SetOf().String())
	assert.Equal(t, "keepalive, idle, interval, count, user-timeout", SetOf(Options()...).String())
}

func TestAnswerAndZeroText(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{"unknown", "no", "yes"}, []string{Unknown.String(), No.String(), Yes.String()})
	assert.Equal(t, []string{"unknown", "rejected", "system default", "off"},
		[]string{ZeroUnknown.String(), ZeroRejected.String(), ZeroDefault.String(), ZeroOff.String()})
}
