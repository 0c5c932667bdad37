package align_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/align"
)

// TestLegs: each proxy splits the path, and only the own end's leg counts.
func TestLegs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		path            string
		server          bool
		legs            string // the own one is marked
		verdict         align.Verdict
		tightest, other string
	}{
		{"aws-nat-gateway aws-nlb-tcp", false, "*client[aws-nat-gateway aws-nlb-tcp]server", align.Survives, "aws-nat-gateway", ""},
		{"aws-nat-gateway aws-nlb-tcp", true, "*client[aws-nat-gateway aws-nlb-tcp]server", align.Survives, "aws-nat-gateway", ""},
		{"aws-nlb-tcp aws-nlb-tls linux-conntrack", false, "*client[aws-nlb-tcp aws-nlb-tls]aws-nlb-tls aws-nlb-tls[aws-nlb-tls linux-conntrack]server", align.Survives, "aws-nlb-tcp", "aws-nlb-tls and server have a TCP connection of their own across linux-conntrack: what is set at the client does not reach it"},
		{"aws-nlb-tcp aws-alb linux-conntrack", false, "*client[aws-nlb-tcp aws-alb]aws-alb aws-alb[aws-alb linux-conntrack]server", align.NeedsHeartbeat, "aws-nlb-tcp", "aws-alb and server"},
		{"aws-nlb-tls aws-nlb-tcp haproxy azure-lb", true, "client[aws-nlb-tls]aws-nlb-tls aws-nlb-tls[aws-nlb-tls aws-nlb-tcp haproxy]haproxy *haproxy[haproxy azure-lb]server", align.NeedsHeartbeat, "azure-lb", "client and aws-nlb-tls have a TCP connection of their own: what is set at the server does not reach it"},
		// A proxy that limits something else ends the connection all the same.
		{"aws-nlb-tcp gcp-websocket gcp-vpc-conntrack", false, "*client[aws-nlb-tcp gcp-websocket]gcp-websocket gcp-websocket[gcp-websocket gcp-vpc-conntrack]server", align.Survives, "aws-nlb-tcp", "gcp-websocket and server have a TCP connection of their own across gcp-vpc-conntrack"},
		// Profiles of one proxy, and those of its connection to the server.
		{"aws-nlb-tcp aws-alb-client-keepalive aws-alb azure-lb", false, "*client[aws-nlb-tcp aws-alb-client-keepalive aws-alb]aws-alb-client-keepalive aws-alb[aws-alb-client-keepalive aws-alb azure-lb]server", align.NeedsHeartbeat, "aws-nlb-tcp", "aws-alb and server have a TCP connection of their own across azure-lb"},
		{"box:1h pgbouncer pgbouncer-server box:2h", false, "*client[box:1h pgbouncer pgbouncer-server]pgbouncer pgbouncer-server[pgbouncer pgbouncer-server box:2h]server", align.Survives, "box:1h", ""},
		{"box:1h pgbouncer pgbouncer-server box:2h", true, "client[box:1h pgbouncer pgbouncer-server]pgbouncer *pgbouncer-server[pgbouncer pgbouncer-server box:2h]server", align.NeedsHeartbeat, "box:2h", ""},
		// What is behind a server is not on its connection.
		{"aws-nlb-tcp aws-apigw-websocket box:20s", false, "*client[aws-nlb-tcp aws-apigw-websocket]aws-apigw-websocket aws-apigw-websocket[aws-apigw-websocket box:20s]server", align.NeedsHeartbeat, "aws-nlb-tcp", "across box:20s"},
		{"aws-nlb-tcp server:8h", false, "*client[aws-nlb-tcp server:8h]server", align.NeedsHeartbeat, "aws-nlb-tcp", ""},
		// Whether it ends the connection depends on its configuration: what is behind counts.
		{"f5-bigip box:30s", false, "*client[f5-bigip box:30s]server", align.SurvivesIf, "box:30s", ""},
	} {
		t.Run(tt.path, func(t *testing.T) {
			t.Parallel()
			r := request(t, strings.Fields(tt.path)...)
			r.Server = tt.server
			var legs []string
			for _, l := range r.Legs() {
				ids := []string{}
				for _, p := range l.Path {
					ids = append(ids, p.ID)
				}
				own := map[bool]string{true: "*"}[l.Own]
				legs = append(legs, own+l.Client+"["+strings.Join(ids, " ")+"]"+l.Server)
			}
			assert.Equal(t, tt.legs, strings.Join(legs, " "))
			p := mustPlan(t, r)
			assert.Equal(t, tt.verdict, p.Verdict, p.Reason)
			assert.Equal(t, tt.tightest, p.Tightest.ID)
			assert.Contains(t, strings.Join(p.Warnings, "\n"), tt.other)
		})
	}
}

// TestTheOtherEnd: what limits the other connection of a proxy says nothing about this one.
func TestTheOtherEnd(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		path   string
		server bool
		why    string
	}{
		{"gcp-alb-backend", false, "the timeouts of gcp-alb-backend are those of the server's end"},
		{"oci-lb-client", true, "the timeouts of oci-lb-client are those of the client's end"},
		{"azure-lb pgbouncer", true, "the timeouts of azure-lb, pgbouncer are those of the client's end"},
		{"pgbouncer azure-lb", false, "pgbouncer ends no silent connection unless its timeout is set: if yours is, state it as pgbouncer=TIME"},
		{"postgresql", false, "postgresql ends no silent connection unless its timeout is set: if yours is, state it as postgresql=TIME"},
		{"gcp-websocket", false, "gcp-websocket is a maximum age"},
	} {
		r := request(t, strings.Fields(tt.path)...)
		r.Server = tt.server
		p := mustPlan(t, r)
		assert.Equal(t, align.Unknown, p.Verdict, "an empty set is no proof")
		assert.Equal(t, "nothing on this leg is known to forget it: these settings only notice dead peers ("+tt.why+")", p.Reason)
		assert.Positive(t, p.Detection.Idle.Latest)
		r.Detect = seconds(30)
		p = mustPlan(t, r)
		assert.Equal(t, align.Unknown, p.Verdict)
		assert.LessOrEqual(t, p.Detection.Idle.Latest, seconds(30))
		off := p.Settings
		off.Enabled = false
		a, err := r.Assess(off)
		require.NoError(t, err)
		assert.Equal(t, "unknown: nothing on this leg is known to forget it: keepalive is off: no probe is sent ("+tt.why+")", a.String())
	}
}

// TestAProxyOfWhichOneSideIsKnown: what nobody knows of it is no proof that a connection
// survives.
func TestAProxyOfWhichOneSideIsKnown(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		path   string
		server bool
		want   align.Verdict
	}{
		{"nginx-http box:10m", true, align.SurvivesIf},
		{"nginx-http nginx-http-upstream box:10m", true, align.NeedsHeartbeat},
		{"pgbouncer box:10m", true, align.SurvivesIf},
		{"pgbouncer pgbouncer-server-lifetime box:10m", true, align.SurvivesIf},
		{"box:10m gcp-alb-backend", false, align.SurvivesIf},
		{"box:10m pgbouncer pgbouncer-server", false, align.Survives},
		{"box:10m aws-nlb-tls gcp-alb-backend", false, align.Survives},
	} {
		r := request(t, strings.Fields(tt.path)...)
		r.Server = tt.server
		p := mustPlan(t, r)
		assert.Equal(t, tt.want, p.Verdict, "%s: %s", tt.path, p.Reason)
		if tt.want == align.SurvivesIf {
			assert.Contains(t, p.Reason, " itself does not end this connection (all that is known of it is about its connection on the side of the ")
			assert.Contains(t, strings.Join(p.Assumptions, "\n"), ": that it has no timeout on this connection: all that is known")
		}
	}
}

// TestHalfClosed: a middlebox forgets a connection sooner that one end has closed.
func TestHalfClosed(t *testing.T) {
	t.Parallel()
	r := own(seconds(432000))
	r.Path[0].HalfClosed = seconds(60)
	p := mustPlan(t, r)
	assert.Equal(t, align.Survives, p.Verdict)
	assert.Contains(t, strings.Join(p.Warnings, "\n"), "box forgets a connection that one end has closed for writing after 60s: these settings do not keep it that long")
	r.HalfClosed = true
	short := r
	short.Path = []align.Profile{r.Path[0]}
	short.Path[0].Timeout = seconds(30)
	assert.Less(t, mustPlan(t, short).LatestRefresh, seconds(30), "a plan is for open connections, too")
	a, err := r.Assess(p.Settings)
	require.NoError(t, err)
	assert.Equal(t, align.Loses, a.Verdict, a.Reason)
	p = mustPlan(t, r)
	assert.Equal(t, align.Survives, p.Verdict, p.Reason)
	assert.Less(t, p.LatestRefresh, seconds(58), "5 % are left")
	assert.Empty(t, p.Warnings)

	r.Path[0].HalfClosedEvidence = "secondary"
	assert.Equal(t, align.SurvivesIf, mustPlan(t, r).Verdict)
	r.Path[0].HalfClosed = 0
	_, err = r.Plan()
	assert.ErrorContains(t, err, "the timeout of half-closed connections of box is unknown")
}

// TestWhoSendsTheProbes: a warning names the end, where that matters.
func TestWhoSendsTheProbes(t *testing.T) {
	t.Parallel()
	r := own(seconds(600))
	r.Path[0].Sender = "the VM's side"
	assert.Contains(t, mustPlan(t, r).Warnings, "box: send the probes from the VM's side")
}

// TestAdviceWithoutUserTimeout has the figures of sysctls that programs can be helped with.
func TestAdviceWithoutUserTimeout(t *testing.T) {
	t.Parallel()
	r := own(seconds(350))
	assert.Empty(t, mustPlan(t, r).Warnings)
	r.NoUserTimeout = true
	warnings := mustPlan(t, r).Warnings
	require.Len(t, warnings, 1)
	assert.Equal(t, "without a user timeout a sysctl decides how long data in flight to a dead peer goes unnoticed, for all connections of the network namespace: "+
		"net.ipv4.tcp_retries2=15 (the default of Linux) up to 1061s, net.ipv4.tcp_retries2=8 up to 219s, net.ipv4.tcp_retries2=5 up to 29s, "+
		"net.ipv4.tcp_rto_max_ms=10000 (Linux 6.15 and later) up to 125s", warnings[0])
	r.NoUserTimeout, r.Multipath = false, true
	assert.Contains(t, strings.Join(mustPlan(t, r).Warnings, "\n"), "net.ipv4.tcp_retries2=8")
}
