package table

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestShortTimes(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0.0s": 0, "9.4s": 9490 * time.Millisecond, "10s": 10 * time.Second, "59s": 59999 * time.Millisecond,
		"1m00s": time.Minute, "1m39s": 99 * time.Second, "59m59s": time.Hour - 1, "1h00m": time.Hour, "1h59m": 2*time.Hour - 1,
	} {
		assert.Equal(t, want, Duration(d))
	}
}
