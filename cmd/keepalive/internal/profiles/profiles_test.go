package profiles

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/exit"
	"github.com/tcpkeepalive/keepalive/cmd/keepalive/internal/paths"
	"github.com/tcpkeepalive/keepalive/platform"
)

// TestQuotedWords: words in quotes are words.
func TestQuotedWords(t *testing.T) {
	t.Parallel()
	for _, words := range []string{"google load balancer", "cloudflare tunnel", "aws  nat"} {
		code, want, _ := command(append([]string{"profiles"}, strings.Fields(words)...)...)
		require.Equal(t, exit.OK, code, words)
		code, got, _ := command("profiles", words)
		assert.Equal(t, exit.OK, code, words)
		assert.Equal(t, want, got, words)
	}
	code, _, _ := command("profiles", " ")
	assert.Equal(t, exit.Usage, code)
}

func TestProfiles(t *testing.T) {
	t.Parallel()
	code, out, _ := command("profiles")
	assert.Equal(t, exit.OK, code)
	assert.Equal(t, len(new(align.Catalog).Profiles())+1, strings.Count(out, "\n"))
	for _, want := range []string{
		`aws-nlb-tcp +350s +60s-6000s +yes +silent; RST on next packet +L4`,
		`aws-alb +60s +1s-4000s +no \(inferred\)`,
		`aws-alb-client-keepalive +3600s, maximum age`,
		`netscaler-tcp +9000s \(from memory\) +settable +no \(from memory\) +closed \(from memory\)`,
		`aws-transit-gateway +\? +\? +\? +\?`,
		`aws-nlb-tls +350s +fixed +yes`,
		`avm-fritzbox +900s \(secondary\)`,
		`redis +never, server timeout +settable +no +closed`,
		`mysql +8h, server timeout +1s-365d`,
		`fly-proxy +60s \(secondary\) +to 900s`,
	} {
		assert.Regexp(t, want, out)
	}
	code, out, _ = command("profiles", "nat", "AWS")
	assert.Equal(t, exit.OK, code)
	assert.Contains(t, out, "aws-nat-gateway")
	assert.NotContains(t, out, "azure")
	for words, want := range map[string]string{
		"aws nobody": "no profile has nobody; a middlebox of your own is box:TIME: keepalive plan --path box:15m\n",
		"azrue":      "no profile has azrue; did you mean azure",
		"aws azure":  "no profile has aws and azure; a middlebox of your own is box:TIME: keepalive plan --path box:15m\n",
	} {
		code, out, errs := command(append([]string{"profiles"}, strings.Fields(words)...)...)
		assert.Equal(t, exit.Nothing, code, words)
		assert.Empty(t, out)
		assert.Contains(t, errs, want)
	}

	_, out, _ = command("profiles", "--json")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, len(new(align.Catalog).Profiles()))
	for i, p := range new(align.Catalog).Profiles() {
		var r paths.Profile
		require.NoError(t, json.Unmarshal([]byte(lines[i]), &r))
		assert.Equal(t, p.ID, r.ID)
		assert.Equal(t, p.Timeout == 0, r.Timeout == nil)
		assert.Equal(t, p.Refreshed == platform.Unknown, r.Refreshed == nil)
		assert.Equal(t, p.Settable == platform.Unknown, r.Settable == nil)
		assert.Equal(t, p.Read, r.Read)
		assert.NotEmpty(t, r.Source)
		assert.NotEmpty(t, r.RefreshedSource)
		assert.Equal(t, p.Refreshed == platform.No, len(r.Heartbeats) > 0 || r.Kind == "maximum age" || r.Kind == "request limit", p.ID)
	}
}

// An ID shows one profile whole, with the source of each fact and how sure it is.
func TestProfileWhole(t *testing.T) {
	t.Parallel()
	code, out, errs := command("profiles", "ENVOY-tcp-proxy")
	assert.Equal(t, exit.OK, code)
	assert.Empty(t, errs)
	for _, want := range []string{
		`envoy-tcp-proxy: Envoy tcp_proxy idle_timeout\n`,
		`  idle timeout +3600s +verified\n`,
		`  can be set +yes, the range is not known +verified\n`,
		`  probes count +no +verified\n`,
		`  on expiry +closed \(FIN\) +inferred\n`,
		`  source +https://www.envoyproxy.io/docs/envoy/latest/faq/configuration/timeouts\n`,
		`  source on probes +https://github.com/envoyproxy/envoy/issues/28196\n`,
		`  read +2026-11-27\n`,
		`  - HTTP/2 PING: http.Transport.HTTP2.SendPingTimeout\n`,
	} {
		assert.Regexp(t, want, out)
	}
	for id, want := range map[string]string{
		"redis":           `  server timeout +never, unless it is set +verified\n`,
		"haproxy":         `  idle timeout +no default +verified\n`,
		"aws-nlb-tls":     `  can be set +no +verified\n`,
		"meraki":          `  idle timeout +\? +not found\n`,
		"linux-conntrack": `  half-closed +60s +verified\n`,
		"netscaler-tcp":   `  read +no source was read\n`,
		"mysql":           `  - retire idle connections: sql.DB.SetConnMaxIdleTime and SetConnMaxLifetime`,
		"aws-nat-gateway": `  send them from +the inside`,
		"aws-alb":         `  - HTTP request: `,
	} {
		_, out, _ := command("profiles", id)
		assert.Regexp(t, want, out)
		assert.NotContains(t, out, "IDLE-TIMEOUT", id)
	}
	_, out, _ = command("profiles", "aws-alb")
	assert.NotContains(t, out, "- HTTP/2 PING")

	_, out, errs = command("profiles", "haproxy")
	assert.Contains(t, errs, "note: other profiles: haproxy-debian")
	assert.NotContains(t, out, "haproxy-debian")

	_, out, _ = command("profiles", "--json", "aws-alb")
	assert.Equal(t, 1, strings.Count(out, "\n"))
	assert.Contains(t, out, `"heartbeats":["HTTP request","data on a stream","retire idle connections"]`)
}

// What people type finds the right row first; what nobody has suggests something.
func TestProfilesSearch(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{"gke": "gcp-vpc-conntrack", "linux nat": "linux-conntrack", "google load balancer": "gcp-global-ext-alb-client"} {
		code, out, _ := command(append([]string{"profiles"}, strings.Fields(typed)...)...)
		assert.Equal(t, exit.OK, code)
		rows := strings.Split(out, "\n")
		require.Greater(t, len(rows), 1, typed)
		assert.True(t, strings.HasPrefix(rows[1], want+" "), "%s: %s", typed, rows[1])
	}
}
