package ss_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/internal/ss"
)

// The texts are those of print_ms_timer in misc/ss.c, before and after iproute2 6.11.
func TestTimers(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name        string
		ms          int64
		n           int
		text, older string
	}{
		{"off", 0, 0, "", ""},
		{"", 0, 0, "timer:(unknown)", "timer:(unknown)"},
		{"on", 0, 8, "timer:(on,,8)", "timer:(on,,8)"},
		{"keepalive", 3, 0, "timer:(keepalive,003ms,0)", "timer:(keepalive,003ms,0)"},
		{"keepalive", 848, 0, "timer:(keepalive,848ms,0)", "timer:(keepalive,848ms,0)"},
		{"keepalive", 6696, 2, "timer:(keepalive,6.696sec,2)", "timer:(keepalive,6.696ms,2)"},
		{"keepalive", 9000, 0, "timer:(keepalive,9sec,0)", "timer:(keepalive,9sec,0)"},
		{"keepalive", 9999, 0, "timer:(keepalive,9.999sec,0)", "timer:(keepalive,9.999ms,0)"},
		{"keepalive", 10000, 0, "timer:(keepalive,10sec,0)", "timer:(keepalive,10sec,0)"},
		{"keepalive", 10999, 0, "timer:(keepalive,10sec,0)", "timer:(keepalive,10sec,0)"},
		{"keepalive", 60000, 0, "timer:(keepalive,1min,0)", "timer:(keepalive,1min,0)"},
		{"keepalive", 61500, 0, "timer:(keepalive,1min1sec,0)", "timer:(keepalive,1min1sec,0)"},
		{"keepalive", 99748, 0, "timer:(keepalive,1min39sec,0)", "timer:(keepalive,1min39sec,0)"},
		{"keepalive", 599999, 0, "timer:(keepalive,9min59sec,0)", "timer:(keepalive,9min59sec,0)"},
		{"keepalive", 600000, 0, "timer:(keepalive,10min,0)", "timer:(keepalive,10min,0)"},
		{"keepalive", 7199000, 0, "timer:(keepalive,119min,0)", "timer:(keepalive,119min,0)"},
		{"timewait", 59000, 0, "timer:(timewait,59sec,0)", "timer:(timewait,59sec,0)"},
		{"persist", 1500, 4, "timer:(persist,1.500sec,4)", "timer:(persist,1.500ms,4)"},
		{"delack", 40, 0, "timer:(delack,040ms,0)", "timer:(unknown,040ms,0)"},
	} {
		left := time.Duration(row.ms) * time.Millisecond
		assert.Equal(t, "x"+row.text, string(ss.AppendTimer([]byte("x"), row.name, left, row.n, false)))
		assert.Equal(t, row.older, string(ss.AppendTimer(nil, row.name, left, row.n, true)))
	}
}
