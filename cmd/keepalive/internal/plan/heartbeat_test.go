package plan

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestHeartbeatsOfServers: a server's end is offered what a server can send, and nothing that
// closes a connection before the proxy does.
func TestHeartbeatsOfServers(t *testing.T) {
	t.Parallel()
	client := []string{"heartbeat of the client"}
	for path, tt := range map[string]struct {
		tightest string // what the server itself closes is its own to set
		want     []string
	}{
		"aws-alb,nodejs":         {"aws-alb", []string{"data on a stream"}},
		"nodejs":                 {"nodejs", []string{"data on a stream"}},
		"envoy-tcp-proxy":        {"envoy-tcp-proxy", []string{"HTTP/2 PING", "gRPC keepalive"}},
		"pgbouncer-server,mysql": {"pgbouncer-server", client},
		"mysql":                  {"mysql", client},
		"rabbitmq":               {"rabbitmq", []string{"AMQP heartbeat"}},
		"nats":                   {"nats", []string{"NATS PING"}},
		"kafka-broker":           {"kafka-broker", []string{"data of the application"}},
	} {
		_, out, errs := command("plan", "--server", "--json", "--path", path)
		var got planRecord
		require.NoError(t, json.Unmarshal([]byte(out), &got), errs)
		require.NotNil(t, got.Heartbeat, path)
		assert.Equal(t, tt.want, got.Heartbeat.Kinds, path)
		assert.Equal(t, tt.tightest, got.Heartbeat.Tightest, path)
		assert.Nil(t, got.Heartbeat.IdleConnTimeout, path)
		_, out, _ = command("plan", "--server", "--path", path)
		assert.NotRegexp(t, `Transport\.HTTP2|sql\.DB|ClientParameters|each pooled`, out, path)
	}
}
