package check

import (
	"bytes"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/columns"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/table"
)

const (
	longChange = "on,idle=60s,interval=6s,count=3,user-timeout=79s"
	longWhy    = "the first probe comes up to 7200s after the last segment, and aws-nlb-tcp forgets the connection after 350s; 15 s, 15 s and 9 are what Go sets on its own"
)

func checked() [][]string {
	return [][]string{
		{"[2001:db8:85a3:1234:5678:8a2e:370:7334]:55986", "192.168.100.201:36794", "payment-gateway[12345] fd 123", "loses", longChange, longWhy},
		{"192.168.100.100:44789", "192.168.100.201:443", "x[1] fd 3", "needs a heartbeat", "HTTP/2 PING every 58s, or drop it after 58s unused", "a proxy"},
		{"192.168.100.100:44790", "192.168.100.201:444", "-", "unknown", "-", "its settings cannot be read"},
	}
}

// onTerminal prints what check found on a terminal of that width.
func onTerminal(t *testing.T, width uint16, columns []table.Column, rows [][]string) (text, note string) {
	t.Helper()
	p := clitest.OpenPTY(t)
	p.Resize(t, width, 40)
	var errs bytes.Buffer
	require.NoError(t, table.Print(p.Slave, &errs, columns, rows))
	_, err := p.Slave.WriteString("the end")
	require.NoError(t, err)
	text = p.Wait(t, "the table", "the end")
	return strings.ReplaceAll(strings.TrimSuffix(text, "the end"), "\r", ""), errs.String()
}

// In any width it is there what is wrong, what to change, and why; and the change in
// one piece, to be pasted.
func TestCheckFitsTheTerminal(t *testing.T) {
	for _, width := range []uint16{70, 80, 100, 120, 140, 200, 300} {
		text, note := onTerminal(t, width, checkColumns, checked())
		for line := range strings.Lines(text) {
			assert.LessOrEqual(t, ansi.StringWidth(strings.TrimSuffix(line, "\n")), int(width), "%d:\n%s", width, text)
		}
		flat := strings.Join(strings.Fields(text), " ")
		for _, want := range []string{longChange, longWhy, "HTTP/2 PING every 58s, or drop it after 58s unused", "needs a heartbeat", ":55986", ":36794", "[12345]", "LOCAL", "PROCESS"} {
			assert.Contains(t, flat, want, width)
		}
		assert.NotContains(t, note, "no room for", width)
	}
	text, note := onTerminal(t, 80, checkColumns, checked())
	assert.Contains(t, text, "\n    CHANGE  "+longChange+"\n    WHY     the first probe ")
	assert.Contains(t, text, "unknown\n    WHY     its settings cannot be read\n", "there is nothing to change")
	assert.Equal(t, "note: shortened: LOCAL, PROCESS; a wider terminal or a pipe shows all\n", note)
	text, note = onTerminal(t, 150, checkColumns, checked())
	assert.Regexp(t, "loses +"+longChange+"\n    WHY  the first", text)
	assert.NotContains(t, note, "no room for")
	text, note = onTerminal(t, 500, checkColumns, checked())
	assert.Equal(t, 4, strings.Count(text, "\n"), text)
	assert.Empty(t, note)
}

func TestCheckOfSeveralNamespacesFitsTheTerminal(t *testing.T) {
	rows := checked()
	for i := range rows {
		rows[i] = append([]string{"cni-7b0d1c53-6e2f-4a0e-9b3a-0f6f0e8f5c11"}, rows[i]...)
	}
	text, note := onTerminal(t, 80, append([]table.Column{columns.NetNS.Column}, checkColumns...), rows)
	for line := range strings.Lines(text) {
		assert.LessOrEqual(t, ansi.StringWidth(strings.TrimSuffix(line, "\n")), 80, text)
	}
	assert.Contains(t, text, "    CHANGE  "+longChange)
	assert.NotContains(t, note, "no room for")
}
