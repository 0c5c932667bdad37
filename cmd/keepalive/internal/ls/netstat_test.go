package ls

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/inspect"
)

// The texts are those of netstat (net-tools).
func TestTimersOfNetstat(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		ms   int64
		n    int
		text string
	}{
		{"off", 0, 0, "off (0.00/0/0)"},
		{"", 0, 0, "unknown"},
		{"on", 0, 8, "on (0.00/8/0)"},
		{"keepalive", 3, 0, "keepalive (0.00/0/0)"},
		{"keepalive", 848, 0, "keepalive (0.84/0/0)"},
		{"keepalive", 6696, 2, "keepalive (6.69/0/2)"},
		{"keepalive", 9000, 0, "keepalive (9.00/0/0)"},
		{"keepalive", 9999, 0, "keepalive (9.99/0/0)"},
		{"keepalive", 10000, 0, "keepalive (10.00/0/0)"},
		{"keepalive", 10999, 0, "keepalive (10.99/0/0)"},
		{"keepalive", 60000, 0, "keepalive (60.00/0/0)"},
		{"keepalive", 61500, 0, "keepalive (61.50/0/0)"},
		{"keepalive", 99748, 0, "keepalive (99.74/0/0)"},
		{"keepalive", 599999, 0, "keepalive (599.99/0/0)"},
		{"keepalive", 600000, 0, "keepalive (600.00/0/0)"},
		{"keepalive", 7199000, 0, "keepalive (7199.00/0/0)"},
		{"timewait", 59000, 0, "timewait (59.00/0/0)"},
		{"persist", 1500, 4, "probe (1.50/0/4)"},
		{"delack", 40, 0, "unkn-5 (0.04/0/0)"},
	} {
		timer := inspect.Timer{Kind: row.name, Left: time.Duration(row.ms) * time.Millisecond, Unanswered: row.n}
		assert.Equal(t, "x"+row.text, string(appendNetstatTimer([]byte("x"), timer)))
	}
}
