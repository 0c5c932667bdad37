package columns

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/clitest"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/record"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/sockets"
	"github.com/tcpkeepalive/keepalive/inspect"
)

// A process may have any name, also one that a terminal takes for commands.
func TestNamesOfProcessesAreMadePrintable(t *testing.T) {
	t.Parallel()
	r := clitest.Row(1, func(r *sockets.Row) { r.Owners = []inspect.Owner{{PID: 1, FD: 2, Process: clitest.Hostile}, {PID: 3}} })
	assert.Equal(t, "a?[2Jb?c?2Jd?e?f?[1] fd 2 +1", ProcessCell(&r))
	r.DeviceName = clitest.Hostile
	for _, text := range Cells(columns, &r) {
		assert.Empty(t, clitest.Control(text), "%q", text)
	}
}

func TestJSONIsText(t *testing.T) {
	t.Parallel()
	r := clitest.Row(1, func(r *sockets.Row) {
		r.DeviceName, r.Owners = clitest.Hostile, []inspect.Owner{{PID: 1, FD: 2, Process: clitest.Hostile + "Käse"}}
	})
	var out bytes.Buffer
	require.NoError(t, record.NewEncoder(&out).Encode(r.Record()))
	assert.Empty(t, clitest.Control(out.String()), "%q", out.String())
	assert.Contains(t, out.String(), `\u009b2J`)
	assert.Contains(t, out.String(), `\udb40\udc41`)
	assert.Contains(t, out.String(), "Käse")
	var back sockets.Record
	require.NoError(t, json.Unmarshal(out.Bytes(), &back))
	assert.Equal(t, "a\x1b[2Jb\x7fc\u009b2Jd\u202ee\U000e0041f\ufffdKäse", back.Processes[0].Name, "nothing but the invalid byte is lost")
}
