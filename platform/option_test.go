package platform_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	. "github.com/tcpkeepalive/keepalive/platform"
)

func TestOptionNames(t *testing.T) {
	t.Parallel()
	var names []string
	for _, o := range options {
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
	s := OptionSet(1<<Count | 1<<Idle)
	for _, o := range options {
		assert.Equal(t, o == Count || o == Idle, s.Has(o), "%s", o)
	}
	assert.False(t, s.Has(Option(200)))
	assert.Equal(t, "idle, count", s.String())
	assert.Equal(t, "", OptionSet(0).String())
	assert.Equal(t, "keepalive, idle, interval, count, user-timeout", OptionSet(1<<len(options)-1).String())
}

func TestAnswerText(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{"unknown", "no", "yes"}, []string{Unknown.String(), No.String(), Yes.String()})
	assert.Equal(t, "Answer(3)", Answer(3).String())
}
