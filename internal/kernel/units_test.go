package kernel_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	. "github.com/tcpkeepalive/keepalive/internal/kernel"
)

func TestUnits(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		rule  string
		unit  time.Duration
		value int64
		want  int64
	}{
		{"nothing is nothing", perSecond, 0, 0},
		{"up", perSecond, 1, 1},
		{"exact", perSecond, 1e9, 1},
		{"up by a nanosecond", perSecond, 1e9 + 1, 2},
		{"half a second", perHalfSecond, 5e8, 1},
		{"half a millisecond", perMillisecond, 5e5, 1},
		{"a number is not converted", Times, 7, 7},
		{"no overflow", perSecond, math.MaxInt64, 9223372037},
		{"no overflow in half seconds", perHalfSecond, math.MaxInt64, 18446744074},
		{"no overflow in milliseconds", perMillisecond, math.MaxInt64, 9223372036855},
		{"no underflow", perSecond, math.MinInt64, -9223372036},
	} {
		assert.Equal(t, row.want, ToKernel(row.unit, row.value), row.rule)
	}
	assert.Equal(t, int64(math.MaxInt64), FromKernel(perSecond, 9223372037), "more than a Duration holds")
	assert.Equal(t, int64(9223372036e9), FromKernel(perSecond, 9223372036), "what a Duration just holds")
}

// Rounding is to the next unit above, never further, for any duration at all.
func TestUnitsRoundUp(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	for range 20000 {
		v := random.Int64() >> random.IntN(63)
		for _, u := range []time.Duration{perSecond, perHalfSecond, perMillisecond} {
			n := ToKernel(u, v)
			long := new(big.Int).Mul(big.NewInt(n), big.NewInt(int64(u)))
			over := new(big.Int).Sub(long, big.NewInt(v))
			if over.Sign() < 0 || over.Cmp(big.NewInt(int64(u))) >= 0 {
				assert.Fail(t, "not the next unit", "%d ns is %d %s", v, n, u)
			}
			if v%int64(u) == 0 {
				assert.Equal(t, v, FromKernel(u, n), "whole units come back")
			}
		}
	}
}
