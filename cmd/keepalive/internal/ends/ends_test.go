package ends_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/ends"
	"github.com/tcpkeepalive/keepalive/platform"
)

func proxy(id string, timeout time.Duration) align.Profile {
	return align.Profile{ID: id, Layer: "L7", Timeout: timeout, Refreshed: platform.No}
}

func TestOf(t *testing.T) {
	t.Parallel()
	const second = time.Second
	box := align.Profile{ID: "box", Layer: "L4", Timeout: 350 * second, Refreshed: platform.Yes}
	server := align.Profile{ID: "nodejs", Layer: "L7", Kind: "server timeout", Timeout: 5 * second, Refreshed: platform.No}
	never := align.Profile{ID: "go-http", Layer: "L7", Kind: "server timeout", Never: true}
	for name, tt := range map[string]struct {
		path           []align.Profile
		rtt            time.Duration
		client, server time.Duration
		first, last    string
		early          int
	}{
		"a balancer":                         {path: []align.Profile{proxy("alb", 60*second)}, client: 58 * second, server: 65 * second, first: "alb", last: "alb"},
		"a long timeout":                     {path: []align.Profile{proxy("gcp", 600*second)}, client: 598 * second, server: 620 * second, first: "gcp", last: "gcp"},
		"a short one":                        {path: []align.Profile{proxy("fast", 2*second)}, client: second, server: 7 * second, first: "fast", last: "fast"},
		"a long round trip":                  {path: []align.Profile{proxy("alb", 60*second)}, rtt: 3 * second, client: 56 * second, server: 65 * second, first: "alb", last: "alb"},
		"what forgets silently is no closer": {path: []align.Profile{box, proxy("alb", 60*second), box}, client: 58 * second, server: 65 * second, first: "alb", last: "alb"},
		"each end has its own proxy":         {path: []align.Profile{proxy("cdn", 400*second), proxy("alb", 60*second)}, client: 398 * second, server: 65 * second, first: "cdn", last: "alb", early: 1},
		"later and later":                    {path: []align.Profile{proxy("alb", 60*second), proxy("nginx", 75*second)}, client: 58 * second, server: 80 * second, first: "alb", last: "nginx"},
		"a server that closes first":         {path: []align.Profile{proxy("alb", 60*second), server}, client: 58 * second, server: 65 * second, first: "alb", last: "alb", early: 1},
		"a server that never closes":         {path: []align.Profile{proxy("alb", 60*second), never}, client: 58 * second, server: 65 * second, first: "alb", last: "alb"},
		"a server alone":                     {path: []align.Profile{server}, client: 3 * second, first: "nodejs"},
		"not known":                          {path: []align.Profile{proxy("haproxy", 0)}, first: "haproxy", last: "haproxy"},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := ends.Of(align.Request{Path: tt.path, RTT: tt.rtt})
			require.True(t, ok)
			assert.Equal(t, tt.client, got.Client, "client")
			assert.Equal(t, tt.server, got.Server, "server")
			assert.Equal(t, tt.first, got.First.ID)
			assert.Equal(t, tt.last, got.Last.ID)
			assert.Len(t, got.Early, tt.early)
		})
	}
	_, ok := ends.Of(align.Request{Path: []align.Profile{box}})
	assert.False(t, ok, "nothing closes")

	redis := align.Profile{ID: "redis", Layer: "server", Kind: "server timeout", Protocol: "Redis", Timeout: 60 * second}
	e, ok := ends.Of(align.Request{Path: []align.Profile{redis}})
	require.True(t, ok)
	assert.Equal(t, 58*second, e.Client)
	assert.Zero(t, e.Server)
	assert.False(t, e.HTTP)
}

// Whatever is on a path, its client closes before the first closer, and its server after
// the last.
func TestEveryProfile(t *testing.T) {
	t.Parallel()
	n := 0
	for _, p := range new(align.Catalog).Profiles() {
		e, ok := ends.Of(align.Request{Path: []align.Profile{p}})
		if !ok || p.Timeout == 0 {
			assert.Zero(t, e.Client, p.ID)
			assert.Zero(t, e.Server, p.ID)
			continue
		}
		n++
		assert.Positive(t, e.Client, p.ID)
		assert.Less(t, e.Client, p.Timeout, p.ID)
		if e.Last.ID != "" {
			assert.Greater(t, e.Server, e.Last.Timeout, p.ID)
			assert.NotEqual(t, "client", e.Last.Side, "%s: the server has to do with the connection that a proxy opens", p.ID)
		}
	}
	assert.Greater(t, n, 20)
}

// TestTheOtherConnectionOfAProxy: the server's end has to do with the connection that a proxy
// opens, whose timeout is often another one.
func TestTheOtherConnectionOfAProxy(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]struct {
		client, server time.Duration
		last           string
		early          string
	}{
		"nginx-http,nodejs":                         {73 * time.Second, 65 * time.Second, "nginx-http-upstream", "nodejs"},
		"nginx-http,nginx-http-upstream,nodejs":     {73 * time.Second, 65 * time.Second, "nginx-http-upstream", "nodejs"},
		"nginx-http,nginx-http-upstream=90s,nodejs": {73 * time.Second, 95 * time.Second, "nginx-http-upstream", "nodejs"},
		"nginx-http,nodejs-main":                    {73 * time.Second, 65 * time.Second, "nginx-http-upstream", ""},
		"traefik":                                   {178 * time.Second, 95 * time.Second, "traefik-backend", ""},
		"caddy,kestrel":                             {298 * time.Second, 125 * time.Second, "caddy-backend", ""},
		"aws-alb,nginx-http":                        {58 * time.Second, 65 * time.Second, "nginx-http-upstream", ""},
		"aws-alb=100s,nginx-http":                   {98 * time.Second, 65 * time.Second, "nginx-http-upstream", "nginx-http"},
		"nginx-http,nginx-http2-idle":               {73 * time.Second, 65 * time.Second, "nginx-http-upstream", ""},
	} {
		profiles, err := align.Path(strings.Split(path, ",")...)
		require.NoError(t, err)
		e, ok := ends.Of(align.Request{Path: profiles})
		require.True(t, ok)
		assert.Equal(t, want.client, e.Client, path)
		assert.Equal(t, want.server, e.Server, path)
		assert.Equal(t, want.last, e.Last.ID, path)
		early := ""
		if len(e.Early) > 0 {
			early = e.Early[0].Closer.ID
		}
		assert.Equal(t, want.early, early, path)
	}
}
