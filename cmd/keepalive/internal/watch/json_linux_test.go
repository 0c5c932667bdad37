package watch

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/sockets"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

// Each snapshot is a set of objects with the same time, and an object that ends it.
func TestWatchJSON(t *testing.T) {
	t.Parallel()
	client, server := testkit.Pair(t, "tcp4", "127.0.0.1:0")
	require.NoError(t, sockopt.Set(client, sockopt.Config{Idle: 100 * time.Second}))
	o := &options{every: 100 * time.Millisecond, sort: "none", rounds: 3}
	cmd := New()
	require.NoError(t, cmd.ParseFlags([]string{"--local", client.LocalAddr().String(), "--peer", client.RemoteAddr().String()}))
	o.Local, o.Peer = []string{client.LocalAddr().String()}, []string{client.RemoteAddr().String()}
	require.NoError(t, o.Selection.Parse(cmd))
	var out bytes.Buffer
	print := o.objects(&out)
	look := func(n int) (objects []map[string]any) {
		out.Reset()
		s, err := takeSnapshot(&o.Query)
		require.NoError(t, err)
		require.NoError(t, print(s, n))
		for line := range strings.Lines(out.String()) {
			var object map[string]any
			require.NoError(t, json.Unmarshal([]byte(line), &object), line)
			objects = append(objects, object)
		}
		return objects
	}
	first := look(1)
	require.Len(t, first, 2)
	assert.Equal(t, 1.0, first[0]["look"])
	assert.Equal(t, "", first[0]["change"])
	assert.Equal(t, 100.0, first[0]["idle_seconds"])
	assert.Equal(t, first[0]["time"], first[1]["time"])
	_, err := time.Parse(time.RFC3339, first[0]["time"].(string))
	assert.NoError(t, err)
	require.NoError(t, sockopt.Set(client, sockopt.Config{Idle: 200 * time.Second}))
	changed := look(2)
	assert.Equal(t, "changed", changed[0]["change"])
	assert.Equal(t, 200.0, changed[0]["idle_seconds"])
	require.NoError(t, client.SetLinger(0))
	require.NoError(t, client.Close())
	require.NoError(t, server.Close())
	var gone []map[string]any
	n := 2
	testkit.Until(t, "the socket is closed, which whoever borrows it for its settings delays", func() bool {
		n++
		gone = look(n)
		return gone[0]["change"] == "gone"
	})
	require.Len(t, gone, 2)
	assert.Equal(t, map[string]any{"look": float64(n), "time": gone[0]["time"], "sockets": 0.0, "new": 0.0, "changed": 0.0, "gone": 1.0, "complete": true, "schema": 1.0}, gone[1])

	flags := []string{"watch", "--json", "--interval", "100ms", "--rounds", "2", "--local", "192.0.2.77"}
	code, text, errs := command(flags...)
	require.Equal(t, exit.Nothing, code, errs)
	assert.Equal(t, 2, strings.Count(text, `"sockets":0,`), "an empty look is one that was made: %s", text)
	_, help, _ := command("watch", "--json", "--help")
	assert.Contains(t, help, watchSchema)
	assert.Contains(t, help, sockets.Schema)
	for key := range gone[1] {
		assert.Contains(t, watchSchema, key)
	}
}
