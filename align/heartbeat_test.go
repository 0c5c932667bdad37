package align_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/platform"
	"github.com/tcpkeepalive/keepalive/sockopt"
)

func kinds(h *align.Heartbeat) []string {
	var names []string
	for _, k := range h.Kinds {
		names = append(names, k.Name)
	}
	return names
}

// TestHeartbeatKinds: only what counts is offered. An HTTP/2 PING is data for a proxy that
// ends TCP, and nothing for one that ends HTTP.
func TestHeartbeatKinds(t *testing.T) {
	t.Parallel()
	http := []string{"HTTP request", "data on a stream", "retire idle connections"}
	bytes := []string{"HTTP/2 PING", "gRPC keepalive", "SQL ping", "Redis PING", "retire idle connections"}
	either := []string{"HTTP request", "data on a stream", "SQL ping", "Redis PING", "retire idle connections"}
	for _, tt := range []struct {
		path []string
		want []string
	}{
		{[]string{"aws-alb"}, http},
		{[]string{"envoy-http"}, http},
		{[]string{"nginx-http"}, http},
		{[]string{"aws-ecs-sc-http"}, http},
		{[]string{"nodejs"}, http},
		{[]string{"aws-nlb-tcp", "aws-alb"}, http},
		{[]string{"envoy-tcp-proxy"}, bytes},
		{[]string{"aws-global-accelerator"}, bytes},
		{[]string{"haproxy"}, either},
		{[]string{"aws-clb"}, either},
	} {
		assert.Equal(t, tt.want, kinds(mustPlan(t, request(t, tt.path...)).Heartbeat), tt.path)
	}
	for _, p := range new(align.Catalog).Profiles() {
		plan, err := align.Request{Path: []align.Profile{p}}.Plan()
		if err != nil || plan.Heartbeat == nil {
			continue
		}
		require.NotEmpty(t, plan.Heartbeat.Kinds, p.ID)
		if p.Protocol != "" {
			assert.NotContains(t, kinds(plan.Heartbeat), "HTTP/2 PING", p.ID)
			assert.NotContains(t, kinds(plan.Heartbeat), "gRPC keepalive", p.ID)
		}
	}
}

// A profile of one's own, and what fits nowhere.
func TestHeartbeatKindsOfOnesOwn(t *testing.T) {
	t.Parallel()
	plan := func(path ...align.Profile) *align.Heartbeat {
		for i := range path {
			path[i].ID, path[i].Timeout = "box", time.Minute
		}
		return mustPlan(t, align.Request{Path: path}).Heartbeat
	}
	server := align.Profile{Kind: "server timeout"}
	assert.Equal(t, []string{"data of the application", "retire idle connections"}, kinds(plan(server)), "probes do not refresh a server, though nobody says so")
	sql := align.Profile{Kind: "server timeout", Protocol: "SQL"}
	assert.Equal(t, []string{"SQL ping", "retire idle connections"}, kinds(plan(sql)))
	assert.Equal(t, []string{"retire idle connections"}, kinds(plan(align.Profile{Protocol: "HTTP", Refreshed: platform.No}, sql)))
	assert.Equal(t, []string{"data of the application", "retire idle connections"}, kinds(plan(align.Profile{Protocol: "NATS", Refreshed: platform.No}, sql)))
	assert.Equal(t, []string{"data of the application", "retire idle connections"}, kinds(plan(align.Profile{Protocol: "Gopher", Refreshed: platform.No})))
}

// TestHeartbeatKeepsWhatProbesDoNot: where probes come in time, and certainly count, the
// heartbeat is for the rest of the path.
func TestHeartbeatKeepsWhatProbesDoNot(t *testing.T) {
	t.Parallel()
	every := func(r align.Request, idle int) time.Duration {
		a, err := r.Assess(settings(idle, 10, 3, 0))
		require.NoError(t, err)
		require.Equal(t, align.NeedsHeartbeat, a.Verdict)
		return a.Heartbeat.IdleConnTimeout
	}
	sure := request(t, "aws-nlb-tcp", "mysql")
	assert.Equal(t, seconds(28798), every(sure, 60))
	assert.Equal(t, seconds(348), every(sure, 7200), "the probes come too late")
	assert.Equal(t, seconds(348), every(request(t, "aws-vpc-endpoint", "mysql"), 60), "that probes count is inferred")
	off := settings(60, 10, 3, 0)
	off.Enabled = false
	a, err := sure.Assess(off)
	require.NoError(t, err)
	assert.Equal(t, seconds(348), a.Heartbeat.IdleConnTimeout, "there are no probes")
}

func TestHeartbeatOfGRPC(t *testing.T) {
	t.Parallel()
	of := func(id string, timeout time.Duration) *align.Heartbeat {
		p, err := lookup(t, id).WithTimeout(timeout)
		require.NoError(t, err)
		return mustPlan(t, align.Request{Path: []align.Profile{p}}).Heartbeat
	}
	period, timeout, err := of("envoy-tcp-proxy", time.Minute).GRPC()
	require.NoError(t, err)
	assert.Equal(t, seconds(58), period)
	assert.Equal(t, seconds(20), timeout)
	_, _, err = of("envoy-tcp-proxy", seconds(2)).GRPC()
	assert.ErrorContains(t, err, "heartbeat=1s: gRPC pings every 10s at the most")
	_, _, err = of("aws-alb", time.Minute).GRPC()
	assert.ErrorContains(t, err, "heartbeat=gRPC keepalive: HTTP/2 PINGs do not count on this path: let grpc.WithIdleTimeout(58s) end the connection first")
	_, _, err = mustPlan(t, request(t, "haproxy")).Heartbeat.GRPC()
	assert.ErrorIs(t, err, sockopt.ErrUnknown)
}
