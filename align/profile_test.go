package align_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/internal/testkit"
	"github.com/tcpkeepalive/keepalive/platform"
)

// Figures that everybody asks for, each read again from its source's row.
func TestSomeProfiles(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		id        string
		timeout   time.Duration
		kind      align.Kind
		refreshed platform.Answer
		expiry    align.Expiry
		ends      bool
		doubts    int
	}{
		{"aws-nlb-tcp", 350 * time.Second, "idle timeout", platform.Yes, "silent, RST on next packet", false, 0},
		{"aws-alb", 60 * time.Second, "idle timeout", platform.No, "closed", true, 1},
		{"aws-alb-client-keepalive", time.Hour, "maximum age", platform.No, "closed", true, 0},
		{"aws-global-accelerator", 340 * time.Second, "idle timeout", platform.No, "closed", true, 0},
		{"azure-lb", 4 * time.Minute, "idle timeout", platform.Yes, "silent drop", false, 0},
		{"azure-firewall-ns", 4 * time.Minute, "idle timeout", platform.Yes, "RST to both ends", false, 0},
		{"cloudflare-origin-read", 2 * time.Minute, "request limit", platform.No, "other", true, 1},
		{"gcp-proxy-nlb", 30 * time.Second, "idle timeout", platform.No, "closed", true, 2},
		{"haproxy", 0, "idle timeout", platform.No, "closed", true, 0},
		{"linkerd", 0, "idle timeout", platform.Unknown, "unknown", true, 0},
		{"android-eas-mobile", 295 * time.Second, "heuristic", platform.Unknown, "unknown", false, 0},
		{"f5-bigip", 5 * time.Minute, "idle timeout", platform.Unknown, "silent drop", false, 1},
	} {
		p, err := new(align.Catalog).Lookup(tt.id)
		require.NoError(t, err)
		assert.Equal(t, tt.timeout, p.Timeout, tt.id)
		assert.Equal(t, tt.kind, p.Kind, tt.id)
		assert.Equal(t, tt.refreshed, p.Refreshed, tt.id)
		assert.Equal(t, tt.expiry, p.Expiry, tt.id)
		assert.Equal(t, tt.ends, p.EndsTCP(), tt.id)
		assert.Len(t, p.Doubts(), tt.doubts, "%s %v", tt.id, p.Doubts())
	}
}

func TestWithTimeout(t *testing.T) {
	t.Parallel()
	nlb := lookup(t, "aws-nlb-tcp")
	set, err := nlb.WithTimeout(1000 * time.Second)
	require.NoError(t, err)
	assert.Equal(t, 1000*time.Second, set.Timeout)
	assert.Equal(t, align.Evidence("given"), set.TimeoutEvidence)
	assert.Equal(t, 350*time.Second, lookup(t, "aws-nlb-tcp").Timeout, "the profile itself is as it was")

	for _, tt := range []struct {
		id      string
		timeout time.Duration
		want    string
	}{
		{"aws-nlb-tcp", 59 * time.Second, "timeout of aws-nlb-tcp=59s: idle timeout of aws-nlb-tcp is 60s to 6000s"},
		{"aws-nlb-tcp", 6001 * time.Second, "timeout of aws-nlb-tcp=6001s: idle timeout of aws-nlb-tcp is 60s to 6000s"},
		{"aws-nlb-tcp", 0, "timeout of aws-nlb-tcp=0s: idle timeout of aws-nlb-tcp is 60s to 6000s"},
		{"fly-proxy", time.Hour, "timeout of fly-proxy=3600s: idle timeout of fly-proxy is at most 900s"},
		{"rfc5382-nat", time.Second, "timeout of rfc5382-nat=1s: idle timeout of rfc5382-nat is at least 7440s"},
		{"haproxy", 0, "timeout of haproxy=0s: must be positive and at most 3153600000s"},
		{"haproxy", -time.Second, "timeout of haproxy=-1s: must be positive and at most 3153600000s"},
		{"aws-nlb-tls", 600 * time.Second, "timeout of aws-nlb-tls=600s: the idle timeout of aws-nlb-tls is fixed at 350s (https://docs.aws.amazon.com/elasticloadbalancing/latest/network/update-idle-timeout.html)"},
		{"aws-nat-gateway", 900 * time.Second, "timeout of aws-nat-gateway=900s: the idle timeout of aws-nat-gateway is fixed at 350s (https://aws.amazon.com/blogs/networking-and-content-delivery/implementing-long-running-tcp-connections-within-vpc-networking/)"},
		{"haproxy", 1<<63 - 1, "timeout of haproxy=9223372036.854775807s: must be positive and at most 3153600000s"},
	} {
		p := lookup(t, tt.id)
		same, err := p.WithTimeout(tt.timeout)
		var wrong *align.ValueError
		require.ErrorAs(t, err, &wrong)
		assert.EqualError(t, err, "align: "+tt.want)
		assert.Equal(t, p, same)
	}
}

func lookup(t *testing.T, id string) align.Profile {
	t.Helper()
	p, err := new(align.Catalog).Lookup(id)
	require.NoError(t, err)
	return p
}

// TestWords: what "" stands for, and that a word which is none is refused: it would make
// a figure that nobody read one that is sure, or a request's limit an idle timeout.
func TestWords(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]string{"Kind": "idleTimeout", "Evidence": "given", "Expiry": "unknown"} {
		assert.ElementsMatch(t, append(testkit.Constants(t, first), ""), testkit.Documented(t, name))
	}
	protocols, sides := map[string]bool{"": true}, map[string]bool{}
	for _, p := range new(align.Catalog).Profiles() {
		protocols[p.Protocol], sides[p.Side] = true, true
	}
	assert.ElementsMatch(t, slices.Collect(maps.Keys(protocols)), testkit.Documented(t, "Profile.Protocol"))
	assert.ElementsMatch(t, slices.Collect(maps.Keys(sides)), testkit.Documented(t, "Profile.Side"))

	assert.Equal(t, "idle timeout", align.Kind("").String())
	assert.Equal(t, "given", align.Evidence("").String())
	assert.Equal(t, "unknown", align.Expiry("").String())
	for _, kind := range []align.Kind{"", "idle timeout", "server timeout", "maximum age", "request limit", "heuristic"} {
		p := align.Profile{ID: "box", Kind: kind}
		assert.NoError(t, p.Validate())
		assert.Equal(t, kind == "" || kind == "idle timeout" || kind == "server timeout", p.LimitsSilence(), kind)
	}
	for _, e := range []align.Evidence{"", "given", "verified", "secondary", "inferred", "from memory", "not found"} {
		assert.NoError(t, align.Profile{ID: "box", TimeoutEvidence: e, ExpiryEvidence: e, RefreshedEvidence: e}.Validate())
		assert.Equal(t, e == "" || e == "given" || e == "verified", e.Sure(), e)
	}
	for _, e := range []align.Expiry{"", "unknown", "silent drop", "silent, RST on next packet", "RST to both ends", "closed", "other"} {
		assert.NoError(t, align.Profile{ID: "box", Expiry: e}.Validate())
		assert.Equal(t, e != "" && e != "unknown", e.Known(), e)
	}
	const evidences = `one of "given", "verified", "secondary", "inferred", "from memory", "not found"`
	for _, tt := range []struct {
		profile align.Profile
		want    string
	}{
		{align.Profile{Kind: "max age"}, `kind of box="max age": one of "idle timeout", "server timeout", "maximum age", "request limit", "heuristic"`},
		{align.Profile{TimeoutEvidence: "sure"}, `timeout evidence of box="sure": ` + evidences},
		{align.Profile{ExpiryEvidence: "Verified"}, `expiry evidence of box="Verified": ` + evidences},
		{align.Profile{RefreshedEvidence: "?"}, `refreshed evidence of box="?": ` + evidences},
		{align.Profile{Expiry: "silent"}, `expiry of box="silent": one of "unknown", "silent drop", "silent, RST on next packet", "RST to both ends", "closed", "other"`},
	} {
		tt.profile.ID, tt.profile.Timeout = "box", time.Minute
		var wrong *align.ValueError
		require.ErrorAs(t, tt.profile.Validate(), &wrong)
		assert.EqualError(t, wrong, tt.want)
		_, err := align.Request{Path: []align.Profile{tt.profile}}.Plan()
		assert.EqualError(t, err, "align: "+tt.want)
	}

	var c align.Catalog
	require.NoError(t, c.Add(align.Profile{ID: "office-firewall", Timeout: time.Minute}))
	p, err := c.Lookup("office-firewall")
	require.NoError(t, err)
	assert.Equal(t, align.Profile{
		ID: "office-firewall", Timeout: time.Minute, Kind: "idle timeout", TimeoutEvidence: "given",
		HalfClosedEvidence: "given", Expiry: "unknown", ExpiryEvidence: "given", RefreshedEvidence: "given",
	}, p)
	assert.Contains(t, c.Profiles(), p)
}

func TestCatalogAdd(t *testing.T) {
	t.Parallel()
	var c align.Catalog
	require.NoError(t, c.Add(align.Profile{ID: "office-firewall", Provider: "us", Timeout: 15 * time.Minute, Refreshed: platform.Yes}))
	path, err := c.Path("aws-nlb-tcp", "office-firewall")
	require.NoError(t, err)
	assert.Equal(t, 15*time.Minute, path[1].Timeout)
	assert.Len(t, c.Search("office"), 1)
	require.NoError(t, c.Add(align.Profile{ID: "Branch-FW", Timeout: time.Minute}))
	assert.Len(t, c.Search("branch-fw"), 1, "in any case")
	assert.Empty(t, new(align.Catalog).Search("office-firewall"), "only this catalog has it")
	assert.ErrorContains(t, c.Add(align.Profile{ID: "office-firewall"}), "there is a profile of that name")
	assert.ErrorContains(t, c.Add(align.Profile{ID: "aws-alb"}), "there is a profile of that name")
	assert.ErrorContains(t, c.Add(align.Profile{ID: "aws-abl", Timeout: time.Minute}), "did you mean aws-alb?")
	assert.NoError(t, c.Add(align.Profile{ID: "office-firewall-2", Timeout: time.Minute, Refreshed: platform.Yes}), "one's own may be alike")
	for _, p := range []align.Profile{
		{}, {ID: "a b"}, {ID: "a=b"}, {ID: "x", Timeout: -1}, {ID: "x", Min: 2, Max: 1}, {ID: "x", Timeout: 1<<63 - 1},
	} {
		var wrong *align.ValueError
		assert.ErrorAs(t, c.Add(p), &wrong, "%+v", p)
	}
}

// TestContradictions: facts of one's own that cannot all be true.
func TestContradictions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		profile align.Profile
		want    string
	}{
		{align.Profile{Timeout: time.Minute, Never: true}, "timeout of box=60s: 0, as Never says that there is none"},
		{align.Profile{Timeout: time.Minute, Settable: platform.No, Max: time.Hour}, "settable of box=no: yes, or no Min and no Max"},
		{align.Profile{Timeout: time.Minute, Kind: "server timeout", Refreshed: platform.Yes}, "refreshed of box=yes: no, as a server counts only data"},
	} {
		tt.profile.ID = "box"
		var wrong *align.ValueError
		require.ErrorAs(t, tt.profile.Validate(), &wrong)
		assert.EqualError(t, wrong, tt.want)
	}
}

// TestNever: what ends no silent connection by default takes no part in a plan, and is
// no proof if it is alone; set, it does.
func TestNever(t *testing.T) {
	t.Parallel()
	never := align.Profile{ID: "cache", Kind: "server timeout", Never: true, Settable: platform.Yes}
	nlb := lookup(t, "aws-nlb-tcp")
	p := mustPlan(t, align.Request{Path: []align.Profile{nlb, never}})
	assert.Equal(t, align.Survives, p.Verdict)
	assert.Contains(t, p.Warnings, "cache ends no silent connection unless its timeout is set: if yours is, state it")
	p = mustPlan(t, align.Request{Path: []align.Profile{never}})
	assert.Equal(t, align.Unknown, p.Verdict)
	assert.Contains(t, p.Reason, "(cache ends no silent connection unless its timeout is set: if yours is, state it as cache=TIME)")
	set, err := never.WithTimeout(time.Minute)
	require.NoError(t, err)
	p = mustPlan(t, align.Request{Path: []align.Profile{nlb, set}})
	assert.Equal(t, align.NeedsHeartbeat, p.Verdict)
	assert.Contains(t, p.Reason, "cache does not count TCP keepalive probes")
	assert.Equal(t, seconds(58), p.Heartbeat.IdleConnTimeout)
}
