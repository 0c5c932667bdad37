package columns

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/sockets"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/table"
	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/internal/kernel"
	"github.com/tcpkeepalive/keepalive/platform"
)

// hard is a table with all that is long.
func hard() [][]string {
	rows := []sockets.Row{
		clitest.Row(1, func(r *sockets.Row) {
			r.Settings = platform.Settings{Known: kernel.SetOf(kernel.Options()...), Enabled: true, Idle: 240 * time.Second, Interval: 15 * time.Second, Count: 3, UserTimeout: time.Minute}
			r.Owners = []inspect.Owner{{PID: 4194303, FD: 1048575, Process: "payment-gateway"}, {PID: 1}}
		}),
		clitest.Row(2, func(r *sockets.Row) {
			r.State = inspect.CloseWait
			r.Local = netip.MustParseAddrPort("[2001:db8:85a3:1234:5678:8a2e:370:7334]:55986")
			r.Peer = netip.MustParseAddrPort("[2001:db8:85a3:1234:5678:8a2e:370:7335]:443")
			r.Settings.Idle, r.Settings.Interval, r.Settings.Count = 2*time.Hour, 75*time.Second, 9
			r.IsDefault = kernel.SetOf(platform.Idle, platform.Interval, platform.Count)
		}),
		clitest.Row(3, func(r *sockets.Row) {
			r.Local, r.Peer = netip.MustParseAddrPort("192.168.100.100:44789"), netip.MustParseAddrPort("192.168.100.201:36794")
			r.Timer.Left = 119 * time.Minute
			r.LikeGo = true
			r.Settings.Idle, r.Settings.Interval, r.Settings.Count = 15*time.Second, 15*time.Second, 9
		}),
	}
	cells := make([][]string, len(rows))
	for i := range rows {
		cells[i] = Cells(columns, &rows[i])
	}
	return cells
}

func lines(l *table.Layout, rows [][]string) string {
	text := l.AppendTitles(nil)
	for _, cells := range rows {
		text = l.Append(append(text, '\n'), cells)
	}
	return string(text)
}

// In any width the settings are there, nothing is wider than the terminal, and
// what is missing is said.
func TestTheTableFitsTheTerminal(t *testing.T) {
	t.Parallel()
	rows := hard()
	for width := 30; width <= 260; width++ {
		l := table.Fit(Layouts(columns), rows, width)
		text := lines(&l, rows)
		for line := range strings.Lines(text) {
			require.LessOrEqual(t, ansi.StringWidth(strings.TrimSuffix(line, "\n")), width, "%d:\n%s", width, text)
		}
		if strings.Contains(text, "USER-TIMEOUT") {
			assert.Empty(t, l.Missing(), "the whole form is whole")
			assert.Regexp(t, `on +240s +15s +3 +60s`, text)
		} else {
			for _, want := range []string{"240/15/3 u60", "7200*/75*/9*", "go:15/15/9", ":443", ":36794"} {
				assert.Contains(t, text, want, width)
			}
			for _, title := range []string{"STATE", "LOCAL", "TIMER", "NEXT", "PROCESS"} {
				if !strings.Contains(text, title) {
					assert.Contains(t, l.Missing(), title, width)
				}
			}
			if strings.Contains(text, table.Ellipsis) || strings.Contains(text, "CLOSW") {
				assert.Contains(t, l.Missing(), "shortened: ", width)
			}
		}
	}
}

// What a terminal of the usual width shows.
func TestTheTableInEightyColumns(t *testing.T) {
	t.Parallel()
	rows := hard()
	l := table.Fit(Layouts(columns), rows, 80)
	text := lines(&l, rows)
	for _, want := range []string{
		"STATE  LOCAL", "  KEEPALIVE", "  NEXT", "  PRB  PROCESS",
		"ESTAB", "CLOSW", "127.0.0.1:1 ", "240/15/3 u60 ", "go:15/15/9 ", "7200*/75*/9* ",
	} {
		assert.Contains(t, text, want)
	}
	assert.Equal(t, "no room for TIMER; shortened: STATE, LOCAL, PEER, PROCESS", l.Missing())
}

// Container runtimes name namespaces cni- and a UUID.
func TestNamesOfNamespacesAreShortened(t *testing.T) {
	t.Parallel()
	rows := hard()
	for i := range rows {
		rows[i] = append([]string{"cni-7b0d1c53-6e2f-4a0e-9b3a-0f6f0e8f5c11"}, rows[i]...)
	}
	for _, width := range []int{80, 120, 200} {
		l := table.Fit(Layouts(append([]Column{NetNS}, columns...)), rows, width)
		text := lines(&l, rows)
		for line := range strings.Lines(text) {
			assert.LessOrEqual(t, ansi.StringWidth(strings.TrimSuffix(line, "\n")), width, text)
		}
		assert.Contains(t, text, "240/15/3 u60")
		assert.Contains(t, text, "NETNS ")
	}
}

// A pipe gets everything, whatever comes after the columns were made.
func TestAPipeGetsAllColumnsInFull(t *testing.T) {
	t.Parallel()
	whole := InForm(columns, false)
	var out bytes.Buffer
	assert.Equal(t, strings.Fields("STATE LOCAL PEER KEEPALIVE IDLE INTERVAL COUNT USER-TIMEOUT TIMER NEXT PROBES PROCESS"), func() (titles []string) {
		for _, c := range whole {
			titles = append(titles, c.Title)
		}
		return titles
	}())
	rows := hard()
	l := table.Fit(Layouts(columns), rows[:1], 0)
	out.Write(l.Append(nil, rows[1]))
	assert.Contains(t, out.String(), "[2001:db8:85a3:1234:5678:8a2e:370:7334]:55986")
	assert.Contains(t, out.String(), "CLOSE-WAIT")
	assert.Empty(t, l.Missing())
}

func TestCompactCells(t *testing.T) {
	t.Parallel()
	all := kernel.SetOf(kernel.Options()...)
	settings := func(s platform.Settings) func(*sockets.Row) {
		return func(r *sockets.Row) { r.Settings = s }
	}
	for _, tt := range []struct {
		rule, want string
		row        func(*sockets.Row)
	}{
		{"chosen", "240/15/3", settings(platform.Settings{Known: all, Enabled: true, Idle: 240 * time.Second, Interval: 15 * time.Second, Count: 3})},
		{"with a user timeout", "240/15/3 u60", settings(platform.Settings{Known: all, Enabled: true, Idle: 240 * time.Second, Interval: 15 * time.Second, Count: 3, UserTimeout: time.Minute})},
		{"less than seconds", "1/1/1 u0.25", settings(platform.Settings{Known: all, Enabled: true, Idle: time.Second, Interval: time.Second, Count: 1, UserTimeout: 250 * time.Millisecond})},
		{"the system's", "7200*/75*/9*", func(r *sockets.Row) {
			r.Settings = platform.Settings{Known: all, Enabled: true, Idle: 2 * time.Hour, Interval: 75 * time.Second, Count: 9}
			r.IsDefault = kernel.SetOf(platform.Idle, platform.Interval, platform.Count)
		}},
		{"Go's own", "go:15/15/9*", func(r *sockets.Row) {
			r.Settings = platform.Settings{Known: all, Enabled: true, Idle: 15 * time.Second, Interval: 15 * time.Second, Count: 9}
			r.LikeGo, r.IsDefault = true, kernel.SetOf(platform.Count)
		}},
		{"off", "off", settings(platform.Settings{Known: all, Idle: time.Minute})},
		{"off, with a user timeout", "off u60", settings(platform.Settings{Known: all, UserTimeout: time.Minute})},
		{"the timer says on, the rest is unknown", "on ?", settings(platform.Settings{})},
		{"nothing is known", "?", func(r *sockets.Row) { r.Settings, r.Timer = platform.Settings{}, inspect.Timer{} }},
		{"the count is unknown", "240/15/?", settings(platform.Settings{Known: all &^ kernel.SetOf(platform.Count), Enabled: true, Idle: 240 * time.Second, Interval: 15 * time.Second})},
		{"the user timeout is unknown", "240/15/3 u?", settings(platform.Settings{Known: all &^ kernel.SetOf(platform.UserTimeout), Enabled: true, Idle: 240 * time.Second, Interval: 15 * time.Second, Count: 3})},
		{"Multipath TCP of an old kernel", "on ? u?", func(r *sockets.Row) {
			r.Multipath, r.Settings = true, platform.Settings{Known: kernel.SetOf(platform.KeepAlive), Enabled: true}
		}},
		{"closed on both sides", "-", func(r *sockets.Row) { r.State, r.Settings = inspect.TimeWait, platform.Settings{} }},
	} {
		r := clitest.Row(1, tt.row)
		assert.Equal(t, tt.want, compactCell(&r), tt.rule)
	}
}

func TestShortCells(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		shorten func(string, int) string
		cell    string
		width   int
		want    string
	}{
		{table.ShortEndpoint, "192.168.100.100:44789", 21, "192.168.100.100:44789"},
		{table.ShortEndpoint, "192.168.100.100:44789", 17, "192.1~0.100:44789"},
		{table.ShortEndpoint, "192.168.100.100:44789", 8, "~:44789"},
		{table.ShortEndpoint, "127.0.0.1%verylongdevice0:53", 20, "127.0.0.~gdevice0:53"},
		{table.ShortEndpoint, "[2001:db8:85a3:1234:5678:8a2e:370:7334]:443", 28, "[2001:db8:85~e:370:7334]:443"},
		{table.ShortEndpoint, "[2001:db8:85a3:1234:5678:8a2e:370:7334]:443", 9, "~:443"},
		{table.ShortEndpoint, "[fe80::1%eth0]:443", 16, "[fe80:~eth0]:443"},
		{table.ShortEndpoint, "?", 0, "?"},
		{shortProcess, "payment-gateway[12345] fd 123 +2", 40, "payment-gateway[12345] +2"},
		{shortProcess, "payment-gateway[12345] fd 123 +2", 25, "payment-gateway[12345] +2"},
		{shortProcess, "payment-gateway[12345] fd 123 +2", 20, "payme~eway[12345] +2"},
		{shortProcess, "payment-gateway[4194303] fd 123 +2", 10, "~[4194303]"},
		{shortProcess, "payment-gateway[12345] fd 123", 3, "~[12345]"},
		{shortProcess, "a fd 1[2] b[12345] fd 123", 18, "a fd 1[2] b[12345]"},
		{shortProcess, "-", 1, "-"},
		{shortTimer, "keepalive 3m48s", 7, "k 3m48s"},
		{shortTimer, "on 0.2s", 7, "on 0.2s"},
		{shortTimer, "?", 7, "?"},
	} {
		got := tt.shorten(tt.cell, tt.width)
		assert.Equal(t, tt.want, got, "%s in %d", tt.cell, tt.width)
	}
	for state := range inspect.BoundInactive + 1 {
		assert.LessOrEqual(t, len(shortState(state.String(), 5)), len("STATE"), state)
	}
}

// Those asked for by name are all there, however narrow the terminal is.
func TestChosenColumnsAreNotLeftOut(t *testing.T) {
	t.Parallel()
	c := Choice{names: []string{"peer", "timer", "process", "keepalive"}}
	require.NoError(t, c.choose())
	rows := [][]string{{"[2001:db8:85a3:1234:5678:8a2e:370:7335]:443", "keepalive 3m48s", "api[1] fd 2", "240/15/3"}}
	l := table.Fit(Layouts(c.Chosen), rows, 20)
	assert.Len(t, l.Shown, 4)
	lines(&l, rows)
	assert.Contains(t, l.Missing(), "shortened: PEER")
	assert.NotContains(t, l.Missing(), "no room")
}

// A row that is wider than those that the columns were made for does not break
// the table of a terminal.
func TestLaterRowsAreShortenedToo(t *testing.T) {
	t.Parallel()
	rows := hard()
	l := table.Fit(Layouts(columns), [][]string{rows[0]}, 100)
	for i, cells := range rows {
		assert.LessOrEqual(t, ansi.StringWidth(string(l.Append(nil, cells))), 100, "%d", i)
	}
	assert.Contains(t, l.Missing(), "shortened: ")
}
