package align_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/align"
)

func TestEveryProfileSaysWhatItKnows(t *testing.T) {
	t.Parallel()
	profiles := align.Profiles()
	assert.GreaterOrEqual(t, len(profiles), 88)
	seen := map[string]bool{}
	for _, p := range profiles {
		assert.False(t, seen[p.ID], "%s twice", p.ID)
		seen[p.ID] = true
		assert.Equal(t, strings.ToLower(p.ID), p.ID)
		assert.NotContains(t, p.ID, " ")
		require.NoError(t, p.Validate())
		for _, text := range []string{p.ID, p.Provider, p.Product, p.Layer} {
			assert.NotEmpty(t, text, "%s", p.ID)
		}
		source, err := url.Parse(p.Source)
		if assert.NoError(t, err) {
			assert.Equal(t, "https", source.Scheme, "%s", p.ID)
			assert.NotEmpty(t, source.Host, "%s", p.ID)
		}
		assert.NotEqual(t, align.Given, p.TimeoutEvidence, "%s", p.ID)
		assert.NotEqual(t, align.Given, p.ExpiryEvidence, "%s", p.ID)
		assert.NotEqual(t, align.Given, p.RefreshedEvidence, "%s", p.ID)
		if p.Timeout > 0 {
			assert.NotEqual(t, align.NotFound, p.TimeoutEvidence, "%s has a timeout", p.ID)
			_, err := p.WithTimeout(p.Timeout)
			assert.NoError(t, err, "the default is within the range")
		}
		assert.Equal(t, p.Refreshed == align.UnknownAnswer, p.RefreshedEvidence == align.NotFound || p.Refreshed == align.UnknownAnswer, "%s", p.ID)
		if p.Expiry == align.OtherExpiry {
			assert.NotEmpty(t, p.ExpiryText, "%s", p.ID)
		}
	}
}

// Figures that everybody asks for, each read again from its source's row.
func TestSomeProfiles(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		id        string
		timeout   time.Duration
		kind      align.Kind
		refreshed align.Answer
		expiry    align.Expiry
		ends      bool
		doubts    int
	}{
		{"aws-nlb-tcp", 350 * time.Second, align.IdleTimeout, align.Yes, align.SilentThenReset, false, 0},
		{"aws-alb", 60 * time.Second, align.IdleTimeout, align.No, align.Closes, true, 1},
		{"aws-alb-client-keepalive", time.Hour, align.MaxAge, align.No, align.Closes, true, 0},
		{"aws-global-accelerator", 340 * time.Second, align.IdleTimeout, align.No, align.Closes, true, 0},
		{"azure-lb", 4 * time.Minute, align.IdleTimeout, align.Yes, align.Silent, false, 0},
		{"azure-firewall-ns", 4 * time.Minute, align.IdleTimeout, align.Yes, align.Resets, false, 0},
		{"cloudflare-origin-read", 2 * time.Minute, align.RequestLimit, align.No, align.OtherExpiry, true, 1},
		{"gcp-proxy-nlb", 30 * time.Second, align.IdleTimeout, align.No, align.Closes, true, 2},
		{"haproxy", 0, align.IdleTimeout, align.No, align.Closes, true, 0},
		{"linkerd", 0, align.IdleTimeout, align.UnknownAnswer, align.ExpiryUnknown, true, 0},
		{"android-eas-mobile", 295 * time.Second, align.Heuristic, align.UnknownAnswer, align.ExpiryUnknown, false, 0},
		{"f5-bigip", 5 * time.Minute, align.IdleTimeout, align.UnknownAnswer, align.Silent, true, 0},
	} {
		p, err := align.Lookup(tt.id)
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
	assert.Equal(t, align.Given, set.TimeoutEvidence)
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
		{"home-nat-measured", time.Second, "timeout of home-nat-measured=1s: idle timeout of home-nat-measured is at least 239s"},
		{"haproxy", 0, "timeout of haproxy=0s: must be positive and at most 3153600000s"},
		{"haproxy", -time.Second, "timeout of haproxy=-1s: must be positive and at most 3153600000s"},
		{"haproxy", 1<<63 - 1, "timeout of haproxy=9223372036.854775807s: must be positive and at most 3153600000s"},
	} {
		p := lookup(t, tt.id)
		same, err := p.WithTimeout(tt.timeout)
		var wrong *align.ValueError
		require.ErrorAs(t, err, &wrong)
		assert.EqualError(t, err, tt.want)
		assert.Equal(t, p, same)
	}
}

func lookup(t *testing.T, id string) align.Profile {
	t.Helper()
	p, err := align.Lookup(id)
	require.NoError(t, err)
	return p
}

func TestUnknownProfileSuggests(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ id, want string }{
		{"aws-nlb", `no profile "aws-nlb": did you mean aws-nlb-tcp, aws-nlb-tls, aws-alb?`},
		{"AWS-NLB-TCP", `no profile "AWS-NLB-TCP": did you mean aws-nlb-tcp, aws-nlb-tls`},
		{"aws-nat-gatway", `no profile "aws-nat-gatway": did you mean aws-nat-gateway`},
		{"enovy-tcp-proxy", `did you mean envoy-tcp-proxy`},
		{"xyzzy-unheard-of", `no profile "xyzzy-unheard-of"`},
		{"", `no profile ""`},
	} {
		_, err := align.Path("aws-alb", tt.id)
		var unknown *align.UnknownProfileError
		require.ErrorAs(t, err, &unknown)
		assert.Equal(t, tt.id, unknown.ID)
		assert.Contains(t, err.Error(), tt.want)
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	ids := func(words ...string) []string {
		var found []string
		for _, p := range align.Search(words...) {
			found = append(found, p.ID)
		}
		return found
	}
	assert.Contains(t, ids("nlb", "aws"), "aws-nlb-tcp")
	assert.NotContains(t, ids("nlb", "aws"), "alibaba-nlb")
	assert.Contains(t, ids("GATEWAY"), "aws-nat-gateway")
	assert.Equal(t, []string{"aws-alb-client-keepalive"}, ids("maximum age"))
	assert.Empty(t, ids("nothing is called so"))
	assert.Len(t, ids(), len(align.Profiles()))
}

func TestCatalogAdd(t *testing.T) {
	t.Parallel()
	var c align.Catalog
	require.NoError(t, c.Add(align.Profile{ID: "office-firewall", Provider: "us", Timeout: 15 * time.Minute, Refreshed: align.Yes}))
	path, err := c.Path("aws-nlb-tcp", "office-firewall")
	require.NoError(t, err)
	assert.Equal(t, 15*time.Minute, path[1].Timeout)
	assert.Len(t, c.Search("office"), 1)
	assert.Empty(t, align.Search("office-firewall"), "only this catalog has it")
	assert.ErrorContains(t, c.Add(align.Profile{ID: "office-firewall"}), "there is a profile of that name")
	assert.ErrorContains(t, c.Add(align.Profile{ID: "aws-alb"}), "there is a profile of that name")
	assert.ErrorContains(t, c.Add(align.Profile{ID: "aws-abl", Timeout: time.Minute}), "did you mean aws-alb?")
	assert.NoError(t, c.Add(align.Profile{ID: "office-firewall-2", Timeout: time.Minute, Refreshed: align.Yes}), "one's own may be alike")
	for _, p := range []align.Profile{
		{}, {ID: "a b"}, {ID: "a=b"}, {ID: "x", Timeout: -1}, {ID: "x", Min: 2, Max: 1}, {ID: "x", Timeout: 1<<63 - 1},
	} {
		var wrong *align.ValueError
		assert.ErrorAs(t, c.Add(p), &wrong, "%+v", p)
	}
}
