package watch

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/sockets"
	"github.com/tcpkeepalive/keepalive/inspect"
	"github.com/tcpkeepalive/keepalive/platform"
)

func newTestView() *view {
	return newView(&options{every: time.Second, sort: "none"})
}

func (m *model) changes() string {
	var s []byte
	for _, r := range m.visible {
		s = append(s, byte(r.change))
	}
	return string(s)
}

func TestWhatChangedIsMarked(t *testing.T) {
	m := newTestView().model
	now := time.Now()
	m.update(&snapshot{at: now, rows: []sockets.Row{clitest.Row(1, nil), clitest.Row(2, nil)}})
	assert.Equal(t, "  ", m.changes(), "nothing is new at first")
	probing := func(r *sockets.Row) { r.Timer.Unanswered = 1 }
	m.update(&snapshot{at: now, rows: []sockets.Row{clitest.Row(1, probing), clitest.Row(3, nil)}})
	assert.Equal(t, "!+-", m.changes())
	m.update(&snapshot{at: now, rows: []sockets.Row{clitest.Row(1, probing), clitest.Row(3, func(r *sockets.Row) { r.Timer.Left, r.Activity.LastDataReceived = 1, 2 })}})
	assert.Equal(t, "  ", m.changes(), "times change by themselves, and what is gone is shown once")
	m.update(&snapshot{at: now, rows: []sockets.Row{clitest.Row(1, probing), clitest.Row(3, nil), clitest.Row(2, nil)}})
	assert.Equal(t, "  +", m.changes())
	for rule, change := range map[string]func(*sockets.Row){
		"state":    func(r *sockets.Row) { r.State = inspect.CloseWait },
		"settings": func(r *sockets.Row) { r.Settings.Idle = 2 * time.Minute },
		"timer":    func(r *sockets.Row) { r.Timer.Kind = "on" },
		"owner":    func(r *sockets.Row) { r.Owners = []inspect.Owner{{PID: 1}} },
	} {
		m.update(&snapshot{at: now, rows: []sockets.Row{clitest.Row(1, nil)}})
		m.update(&snapshot{at: now, rows: []sockets.Row{clitest.Row(1, nil)}})
		m.update(&snapshot{at: now, rows: []sockets.Row{clitest.Row(1, change)}})
		assert.Equal(t, "!", m.changes(), rule)
	}
}

func TestTimersCountDownBetweenLooks(t *testing.T) {
	v := newTestView()
	now := time.Now()
	v.model.update(&snapshot{at: now, rows: []sockets.Row{clitest.Row(1, nil)}})
	screen := func(after time.Duration) string {
		return ansi.Strip(strings.Join(v.frame(now.Add(after), 300, 10), "\n"))
	}
	assert.Regexp(t, `keepalive 50s +50s`, screen(0))
	assert.Regexp(t, `keepalive 45s +45s`, screen(5*time.Second))
	assert.Regexp(t, `keepalive 0\.0s +0\.0s`, screen(2*time.Minute))
}

// A socket that the last snapshot missed is shown as in the one before.
func TestTimersCountDownAcrossALookWithHoles(t *testing.T) {
	v := newTestView()
	now := time.Now()
	v.model.update(&snapshot{at: now, rows: []sockets.Row{clitest.Row(1, nil)}})
	for range 2 {
		now = now.Add(5 * time.Second)
		v.model.update(&snapshot{at: now, holes: true})
	}
	assert.Regexp(t, `keepalive 38s +38s`, ansi.Strip(strings.Join(v.frame(now.Add(2*time.Second), 300, 10), "\n")))
}

func TestFramesFitTheTerminal(t *testing.T) {
	v := newTestView()
	var rows []sockets.Row
	for i := range 100 {
		rows = append(rows, clitest.Row(uint64(i+1), nil))
	}
	v.model.update(&snapshot{at: time.Now(), rows: rows})
	for _, size := range [][2]int{{300, 50}, {80, 24}, {40, 5}, {10, 4}, {1, 3}, {200, 120}} {
		lines := v.frame(time.Now(), size[0], size[1])
		assert.LessOrEqual(t, len(lines), size[1], size)
		for _, line := range lines {
			assert.NotContains(t, line, "\n")
			assert.LessOrEqual(t, ansi.StringWidth(ansi.Truncate(line, size[0], "")), size[0])
		}
	}
	frame := v.frame(time.Now(), 60, 24)
	assert.Contains(t, ansi.Strip(frame[len(frame)-2]), "no room for TIMER")
	assert.Contains(t, ansi.Strip(frame[0]), "rows 1-20 of 100 ")
}

func TestKeys(t *testing.T) {
	v := newTestView()
	var rows []sockets.Row
	for i := range 100 {
		rows = append(rows, clitest.Row(uint64(i+1), nil))
	}
	v.model.update(&snapshot{at: time.Now(), rows: rows})
	draw := func() []string { return v.frame(time.Now(), 200, 24) } // 20 rows
	draw()
	press := func(keys ...keypress) {
		for _, k := range keys {
			require.False(t, v.handle(k))
			draw()
		}
	}
	for _, row := range []struct {
		key  keypress
		want int // the first row shown
	}{
		{keyUp, 0}, {keyDown, 1}, {'j', 2}, {'k', 1}, {keyPageDown, 21}, {keyPageUp, 1}, {keyEnd, 80}, {keyDown, 80}, {keyPageDown, 80}, {keyHome, 0}, {keyNone, 0},
	} {
		press(row.key)
		assert.Equal(t, row.want, v.top, "%d", row.key)
	}
	first := func() uint64 { return v.model.visible[0].Cookie }
	press('r')
	assert.EqualValues(t, 100, first())
	press('r', 's')
	assert.Equal(t, "next", sorts[v.model.sort].name)
	for range len(sorts) - 1 {
		press('s')
	}
	assert.Equal(t, "none", sorts[v.model.sort].name)
	press(' ')
	assert.True(t, v.paused)
	assert.Contains(t, draw()[0], "paused")
	press(' ', '/', '1', ':', '7', '7')
	assert.Contains(t, draw()[0], "find: 1:77_")
	require.Len(t, v.model.visible, 1)
	assert.EqualValues(t, 77, first())
	press('x')
	assert.Empty(t, v.model.visible)
	press(keyBackspace, 'q') // text, not a command
	assert.Equal(t, "1:77q", v.model.find)
	press(keyBackspace, keyEnter)
	assert.Len(t, v.model.visible, 1)
	press('/', keyEscape)
	assert.Len(t, v.model.visible, 100)
	for _, k := range []keypress{'q', keyEscape, keyInterrupt} {
		assert.True(t, v.handle(k))
	}
	v.handle('/')
	assert.True(t, v.handle(keyInterrupt), "also while typing")
}

// Rows without a value to sort by come last, in either direction.
func TestSortsPutTheUnknownLast(t *testing.T) {
	m := newTestView().model
	rows := []sockets.Row{
		clitest.Row(1, func(r *sockets.Row) { r.Settings, r.Timer = platform.Settings{}, inspect.Timer{Kind: "off"} }),
		clitest.Row(2, func(r *sockets.Row) { r.Timer.Unanswered, r.Owners = 1, []inspect.Owner{{PID: 1, Process: "b"}} }),
		clitest.Row(3, func(r *sockets.Row) {
			r.Timer.Left = time.Second
			r.Activity.LastDataReceived = time.Minute
			r.Activity.LastAckReceived = time.Minute
			r.Settings.Idle = time.Second
			r.Owners = []inspect.Owner{{PID: 1, Process: "a"}}
			r.Timer.Unanswered = 2
		}),
	}
	for _, name := range []string{"next", "timer", "probes", "idle", "process"} {
		for _, reverse := range []bool{false, true} {
			m.sort, _ = sortIndex(name)
			m.reverse = reverse
			m.update(&snapshot{at: time.Now(), rows: rows})
			var order []uint64
			for _, r := range m.visible {
				order = append(order, r.Cookie)
			}
			want := []uint64{3, 2, 1}
			if reverse {
				want = []uint64{2, 3, 1}
			}
			assert.Equal(t, want, order, "%s %v", name, reverse)
		}
	}
}

// A socket that is missing from an incomplete snapshot does not count as closed.
func TestALookWithHolesCallsNothingGone(t *testing.T) {
	v := newTestView()
	v.model.update(&snapshot{at: time.Now(), rows: []sockets.Row{clitest.Row(1, nil), clitest.Row(2, nil)}})
	v.model.update(&snapshot{at: time.Now(), rows: []sockets.Row{clitest.Row(1, nil)}, holes: true})
	assert.Equal(t, "  ", v.model.changes())
	assert.Contains(t, ansi.Strip(strings.Join(v.frame(time.Now(), 100, 20), "\n")), "sockets may be missing")
	v.model.update(&snapshot{at: time.Now(), rows: []sockets.Row{clitest.Row(1, nil)}})
	assert.Equal(t, " -", v.model.changes())
}

// The table and the help fit into a terminal of 80 columns.
func TestWatchInEightyColumns(t *testing.T) {
	v := newTestView()
	var rows []sockets.Row
	for i := range 100 {
		rows = append(rows, clitest.Row(uint64(i+1), nil))
	}
	v.model.update(&snapshot{at: time.Now(), rows: rows})
	v.frame(time.Now(), 80, 24)
	v.handle(keyPageDown)
	text := ansi.Strip(strings.Join(v.frame(time.Now(), 80, 24), "\n"))
	assert.Contains(t, text, "rows 21-40 of 100")
	assert.Contains(t, text, "60/1/3")
	v.handle('?')
	for _, line := range append(v.frame(time.Now(), 80, 24), v.footer()) {
		assert.LessOrEqual(t, ansi.StringWidth(line), 80)
	}
	assert.LessOrEqual(t, len(helpLines), 24)
	v.handle('x')
	v.handle('w')
	wide := ansi.Strip(strings.Join(v.frame(time.Now(), 80, 24), "\n"))
	assert.Contains(t, wide, "USER-TIMEOUT")
	assert.Regexp(t, `columns of text 1-80 of \d+; left and right scroll`, wide)
	for range 50 {
		v.handle(keyRight)
		v.frame(time.Now(), 80, 24)
	}
	assert.Contains(t, ansi.Strip(strings.Join(v.frame(time.Now(), 80, 24), "\n")), "PROCESS")
}

func TestTypedBytesBecomeKeys(t *testing.T) {
	keys := make(chan keypress, 100)
	typed := "q\x1b[A\x1bOB\x1b[5~\x1b[6~\x1b[H\x1b[4~ä\r\x7f\x03\x1b[200~\x01/"
	readKeys(strings.NewReader(typed), keys)
	var got []keypress
	for k := range keys {
		got = append(got, k)
	}
	assert.Equal(t, []keypress{'q', keyUp, keyDown, keyPageUp, keyPageDown, keyHome, keyEnd, 'ä', keyEnter, keyBackspace, keyInterrupt, '/'}, got)
	lone := make(chan keypress, 1)
	readKeys(io.LimitReader(strings.NewReader("\x1b"), 1), lone)
	assert.Equal(t, keyEscape, <-lone)
}

func TestColorsAreLeftOutWhereNobodyWantsThem(t *testing.T) {
	suspect := &watchedRow{clitest.Row(1, func(r *sockets.Row) { r.Timer.Unanswered = 2 }), noChange}
	t.Setenv("NO_COLOR", "1")
	assert.Equal(t, "x", newTestView().style(suspect).Styled("x"))
	t.Setenv("NO_COLOR", "")
	assert.Contains(t, newTestView().style(suspect).Styled("x"), "31m")
}
