package cli

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/inspect"
)

// A process may have any name, also one that a terminal takes for commands.
func TestNamesOfProcessesAreMadePrintable(t *testing.T) {
	t.Parallel()
	r := watched(1, func(r *row) { r.Owners = []inspect.Owner{{PID: 1, FD: 2, Process: hostile}, {PID: 3}} })
	assert.Equal(t, "a?[2Jb?c?2Jd?e?f?[1] fd 2 +1", processCell(&r))
	r.device = hostile
	for _, text := range cellsOf(columns, &r) {
		assert.Empty(t, control(text), "%q", text)
	}
}

func TestJSONIsText(t *testing.T) {
	t.Parallel()
	r := watched(1, func(r *row) {
		r.device, r.Owners = hostile, []inspect.Owner{{PID: 1, FD: 2, Process: hostile + "Käse"}}
	})
	var out bytes.Buffer
	require.NoError(t, newJSON(&out).Encode(r.record()))
	assert.Empty(t, control(out.String()), "%q", out.String())
	assert.Contains(t, out.String(), `\u009b2J`)
	assert.Contains(t, out.String(), `\udb40\udc41`)
	assert.Contains(t, out.String(), "Käse")
	var back record
	require.NoError(t, json.Unmarshal(out.Bytes(), &back))
	assert.Equal(t, "a\x1b[2Jb\x7fc\u009b2Jd\u202ee\U000e0041f\ufffdKäse", back.Processes[0].Name, "nothing but the invalid byte is lost")
}
