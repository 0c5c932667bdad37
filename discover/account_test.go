package discover

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// A busy process may see all that one server closes before it sees that a connection to
// another one survived for clearly longer. Nothing dies after that, and the round is not
// to wait for the longest silence.
func TestASurvivorEndsTheRound(t *testing.T) {
	t.Parallel()
	s := &search{result: &Result{}, round: 1}
	add := func(end string, idle time.Duration) bool {
		return s.account(outcome{Test: Test{Idle: idle, End: end}, counts: true}, true)
	}
	assert.False(t, add(endSurvived, 1600*time.Millisecond), "it was seen late")
	assert.False(t, add(endClosed, 1500*time.Millisecond), "one that others outlived is an accident")
	for range 16 {
		assert.True(t, add(endClosed, 1500*time.Millisecond))
	}
	assert.False(t, s.bounds.disagreed)
	assert.False(t, add(endSurvived, 1650*time.Millisecond))
	assert.False(t, s.bounds.disagreed)
	assert.False(t, add(endSurvived, 2*time.Second))
	assert.True(t, add(endSurvived, 2*time.Second))
	assert.True(t, s.bounds.disagreed)
}
